"""Chance for strategies that draw: the same for a question alone, in a batch, and on any library.

The numbers come from NumPy on the host, one stream for each question and sample, so that neither
the other questions of a batch nor the device has a say.
"""

from __future__ import annotations

import hashlib

import numpy as np

from chatseq.decoding.contracts import SearchRequest, SearchState
from chatseq.engines.contracts import Array


class Draws:
    """Numbers from 0 to below 1 that depend on the seed, the question, the sample and the step.

    Two questions of the same ids in one batch get the same numbers, and so the same reply.
    """

    def __init__(self, task: SearchRequest, samples: int) -> None:
        self._xp = task.xp
        self._table = np.stack(
            [
                [_stream(task.seed, question, sample).random(task.max_length)
                 for sample in range(samples)]
                for question in task.questions
            ]
        )  # (questions, samples, steps)  # fmt: skip

    def at(self, search: SearchState, like: Array) -> Array:
        """Return the numbers of this step, (rows,) with the samples of a question adjacent."""
        numbers = self._table[search.sources, :, search.step].reshape(-1)
        return self._xp.asarray(numbers, device=like.device)


def _stream(seed: int, question: tuple[int, ...], sample: int) -> np.random.Generator:
    """Return the numbers of one sample of one question (Philox: Salmon et al. 2011)."""
    named = f"{seed} {sample} {' '.join(map(str, question))}".encode()
    key = int.from_bytes(hashlib.blake2b(named, digest_size=16).digest(), "little")
    return np.random.Generator(np.random.Philox(key=key))
