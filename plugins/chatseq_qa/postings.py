"""Which questions hold which n-grams, and which of them are most like another one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int32]
Weights = NDArray[np.float32]
Floats = NDArray[np.float64]

_ALWAYS_READ = 500_000  # entries
_READ_A_QUESTION = 3  # entries for each of the questions
_LOOKED_UP = 256  # questions
_AT_ONCE = 1 << 22  # entries
_DIGITS = 5  # that sums in single precision are sure of


class Match(NamedTuple):
    """A question that is like the one that was asked."""

    number: int  # of its pair
    similarity: float  # 0..1


@dataclass(frozen=True, slots=True)
class Postings:
    """For each n-gram the questions that hold it.

    The similarity of two questions is the weight of the grams that both hold, divided by the
    geometric mean of the weights of all grams of the one and of the other. It is 1 for a question
    with the same grams, whatever their order, and for no other.
    """

    grams: Ids  # (gram,) ascending
    weights: Weights  # (gram,)
    starts: NDArray[np.int64]  # (gram + 1,) where in `numbers` the questions of each begin
    numbers: Ids  # (posting,) of questions, ascending within a gram
    norms: Weights  # (question,) one over the root of the weight of its grams, 0 where it has none

    def search(
        self, asked: Ids, weights: Weights, most: int, *, first: int | None = None
    ) -> list[Match]:
        """Return the questions most like one with these grams, best first, then by number.

        Grams are read from the rarest on. Once more was read than a few entries for each question,
        those that remain, which many questions hold, are looked up only in the best so far.

        Args:
            asked: distinct grams of a question
            weights: of them, (gram,)
            most: matches at most
            first: only so many questions, from the first on, are looked at
        """
        whole = float(np.sum(weights, dtype=np.float64))
        if not whole or not len(self.norms) or most < 1:
            return []
        held, weights = self._held(asked, weights)
        scores, read = self._read(held, weights)
        scores *= self.norms
        scores[first if first is not None else len(scores) :] = 0.0
        left = len(held) - read
        best = _best(scores, max(most, _LOOKED_UP) if left else most)
        found = scores[best]
        for gram, weight in zip(held[read:], weights[read:], strict=True):
            found += weight * self._holds(int(gram), best) * self.norms[best]
        similar = np.minimum(np.round(found / math.sqrt(whole), _DIGITS), 1.0)
        order = np.lexsort((best, -similar))[:most]
        return [Match(int(best[at]), float(similar[at])) for at in order]

    def _held(self, asked: Ids, weights: Weights) -> tuple[NDArray[np.intp], Weights]:
        """Return the places of those grams that some question holds, rarest first."""
        places, known = places_in(self.grams, asked)
        places, weights = places[known], weights[known]
        order = np.argsort(self.starts[places + 1] - self.starts[places], kind="stable")
        return places[order], weights[order]

    def _read(self, held: NDArray[np.intp], weights: Weights) -> tuple[Floats, int]:
        """Return the weight of what each question holds of the rarest grams, and of how many."""
        lengths = self.starts[held + 1] - self.starts[held]
        enough = max(_ALWAYS_READ, _READ_A_QUESTION * len(self.norms))
        read = max(1, int(np.searchsorted(np.cumsum(lengths), enough, side="right")))
        read = min(read, len(held))
        if not read:
            return np.zeros(len(self.norms)), 0
        owners = np.concatenate([self._questions(int(gram)) for gram in held[:read]])
        shares = np.repeat(weights[:read], lengths[:read])
        scores: Floats = np.bincount(owners, shares, len(self.norms)).astype(np.float64, copy=False)
        return scores, read

    def _questions(self, gram: int) -> Ids:
        return self.numbers[self.starts[gram] : self.starts[gram + 1]]

    def _holds(self, gram: int, some: NDArray[np.intp]) -> NDArray[np.bool_]:
        return places_in(self._questions(gram), some)[1]


def norms_of(weights: Weights, starts: NDArray[np.int64], numbers: Ids, count: int) -> Weights:
    """Return one over the root of what the grams of each question weigh together.

    Args:
        weights, starts, numbers: as in Postings
        count: of the questions
    """
    whole = np.zeros(count)
    of_entries = np.repeat(weights, np.diff(starts))
    for start in range(0, len(numbers), _AT_ONCE):
        some = slice(start, start + _AT_ONCE)
        whole += np.bincount(numbers[some], of_entries[some], count)
    norms = np.zeros(count, np.float32)
    np.divide(1, np.sqrt(whole), out=norms, where=whole > 0, casting="unsafe")
    return norms


def places_in(
    ascending: NDArray[np.integer], wanted: NDArray[np.integer]
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return where each value would stand among ascending ones, and whether it is there."""
    if not len(ascending):
        return np.zeros(len(wanted), np.intp), np.zeros(len(wanted), np.bool_)
    wanted = wanted.astype(ascending.dtype, copy=False)  # else the long array is converted
    places = np.minimum(np.searchsorted(ascending, wanted), len(ascending) - 1)
    return places, ascending[places] == wanted


def _best(scores: Floats, most: int) -> NDArray[np.intp]:
    """Return the places of the highest scores above 0, ascending; of equal ones the first."""
    highest = float(scores.max())
    for share in (0.5, 0.25, 0.0):  # sorting out the many that are far off is most of the work
        places = np.flatnonzero(scores > share * highest)
        if len(places) >= most:
            break
    if len(places) <= most:
        return places
    values = scores[places]
    least = np.partition(values, -most)[-most]
    above, equal = places[values > least], places[values == least]
    return np.sort(np.concatenate([above, equal[: most - len(above)]]))
