"""A linear classifier from the n-grams of a question to the answers of the corpus.

On questions with paraphrases it is a strong rival of any network, and errs elsewhere. It is learnt
by scikit-learn (chatseq_qa.linear_learning); scoring needs NumPy alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chatseq_qa.ngrams import Ids, grams

BUCKETS = 1 << 29  # so many that unlike n-grams hardly ever meet
SHORTEST, LONGEST = 2, 5  # characters of a piece
FILES = "linear-{}.npy"

Floats = NDArray[np.float32]


class Known(NamedTuple):
    """The n-grams that the corpus holds."""

    ids: Ids  # (grams,) ascending
    rarity: Floats  # (grams,) the more, the fewer questions hold one


class Vector(NamedTuple):
    """A question as a sparse vector over the known n-grams, of length 1."""

    places: NDArray[np.int64]
    values: Floats


class Linear:
    """Scores every answer that it has learnt."""

    def __init__(self, folder: Path) -> None:
        """Open what `save` wrote.

        Raises:
            OSError, ValueError: the files cannot be read.
        """
        self._known = Known(_load(folder, "grams"), _load(folder, "rarity"))
        self._weights = _load(folder, "weights")  # (grams, answers) 8 bits
        self._scales, self._bias = _load(folder, "scales"), _load(folder, "bias")  # (answers,)

    def scores(self, question: str) -> Floats:
        """Return the margin of each answer, (answers,): above 0 where it fits, below elsewhere."""
        vector = vector_of(question, self._known)
        rows = self._weights[vector.places].astype(np.float32)
        found: Floats = (vector.values @ rows) * self._scales + self._bias
        return found


def vector_of(question: str, known: Known) -> Vector:
    """Return a question as the vector that is learnt from.

    Words with pairs of words, and pieces of words, each weigh half: of a short question with rare
    words and of a long one alike (term frequency is left out, since words hardly recur).
    """
    found = grams(question, BUCKETS, shortest=SHORTEST, longest=LONGEST)
    parts = [_part(np.concatenate(found[:2]), known), _part(found.pieces, known)]
    places = np.concatenate([part.places for part in parts])
    values = np.concatenate([part.values for part in parts])
    return Vector(places, values)


def save(folder: Path, known: Known, weights: Floats, bias: Floats) -> None:
    """Write a classifier into an existing folder, its weights in 8 bits.

    Args:
        weights: (grams, answers)
        bias: (answers,)
    """
    scales = np.maximum(np.abs(weights).max(0), 1e-9) / 127  # (answers,)
    arrays = {
        "grams": known.ids,
        "rarity": known.rarity,
        "weights": np.rint(weights / scales).astype(np.int8),
        "scales": scales.astype(np.float32),
        "bias": bias.astype(np.float32),
    }
    for name, array in arrays.items():
        np.save(folder / FILES.format(name), array, allow_pickle=False)


def _part(ids: Ids, known: Known) -> Vector:
    places = np.searchsorted(known.ids, ids)
    places[places == len(known.ids)] = 0
    places = places[known.ids[places] == ids] if len(known.ids) else places[:0]
    values = known.rarity[places]
    length = float(np.sqrt((values * values).sum()))
    return Vector(places, values / length if length else values)


def _load(folder: Path, name: str) -> NDArray[Any]:
    array: NDArray[Any] = np.load(folder / FILES.format(name), mmap_mode="r", allow_pickle=False)
    return array
