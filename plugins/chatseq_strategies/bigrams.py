"""How likely a token is after another in answers at large, whatever was asked."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from chatseq.engines.contracts import Array
from chatseq.text.tokenizer import END_ID, START_ID

_DISCOUNT = 0.75  # of each count; the usual value, and none is much better for so small a model


class _Tables(NamedTuple):
    """The model in one library, on one device."""

    alone: Array  # (vocab,) log-probabilities of tokens, whatever stands before
    backoff: Array  # (vocab,) logarithm of the share that what was not seen gets, by last token
    starts: Array  # (vocab + 1,) where the pairs of each last token begin
    following: Array  # (pairs,)
    log_probs: Array  # (pairs,)


class Bigrams:
    """A language model of answers: the probability of a token by the one before it.

    Pairs of tokens with absolute discounting, filled up with single tokens, and those with an even
    share for all (Ney, Essen and Kneser 1994; Chen and Goodman 1999, section 2.6): every token has
    a probability, also after one that was never seen.

    Args:
        answers: the tokens of each, without the end mark, and how often it was given
        size: of the vocabulary
    """

    def __init__(self, answers: Iterable[tuple[Sequence[int], int]], size: int) -> None:
        pairs: Counter[tuple[int, int]] = Counter()
        for tokens, times in answers:
            whole = (START_ID, *tokens, END_ID)
            for at in range(len(whole) - 1):
                pairs[whole[at], whole[at + 1]] += times
        found = np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)
        counts = np.array([pairs[last, token] for last, token in found.tolist()], dtype=np.float64)
        self._own = _tables(found[:, 0], found[:, 1], counts, size)
        self._known: dict[tuple[str, str], _Tables] = {}

    def log_probs(self, xp: Any, last: Array) -> Array:
        """Return the log-probabilities of what follows a token in each row, (rows, vocab).

        Args:
            last: (rows,) the last tokens; the start mark before the first
        """
        tables = self._tables(xp, last)
        found = tables.backoff[last][:, None] + tables.alone[None, :]  # (rows, vocab)
        first = tables.starts[last]
        counts = tables.starts[last + 1] - first
        rows = xp.repeat(xp.arange(last.shape[0], device=last.device), counts)  # (pairs of rows,)
        before = counts.cumsum(0) - counts
        pairs = xp.arange(rows.shape[0], device=last.device) + (first - before)[rows]
        found[rows, tables.following[pairs]] = tables.log_probs[pairs]
        return found

    def _tables(self, xp: Any, like: Array) -> _Tables:
        where = (xp.__name__, str(like.device))
        if where not in self._known:
            self._known[where] = _Tables(*(xp.asarray(a, device=like.device) for a in self._own))
        return self._known[where]


def _tables(last: Array, token: Array, counts: Array, size: int) -> _Tables:
    """Return the model of pairs that are sorted by their last token."""
    alone = _alone(np.bincount(token, weights=counts, minlength=size))
    kinds = np.bincount(last, minlength=size)
    totals = np.bincount(last, weights=counts, minlength=size)
    seen = totals > 0
    backoff = np.ones(size)
    backoff[seen] = _DISCOUNT * kinds[seen] / totals[seen]
    probabilities = (counts - _DISCOUNT) / totals[last] + backoff[last] * alone[token]
    starts = np.concatenate([[0], np.cumsum(kinds)]).astype(np.int64)
    return _Tables(_logs(alone), _logs(backoff), starts, token, _logs(probabilities))


def _logs(probabilities: Array) -> Array:
    return np.log(probabilities).astype(np.float32)


def _alone(counts: Array) -> Array:
    """Return the probabilities of tokens by their counts, (vocab,)."""
    total = counts.sum()
    if not total:
        return np.full(len(counts), 1 / len(counts))
    kept = np.maximum(counts - _DISCOUNT, 0) / total
    return kept + (1 - math.fsum(kept)) / len(counts)
