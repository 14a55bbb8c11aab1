"""All ways to cut words into pieces at once, as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_CELLS = 2_000_000  # of a group, which bounds what is in memory at a time

Floats = NDArray[np.float64]


class _Group(NamedTuple):
    """Words of one length."""

    rows: NDArray[np.int64]  # (words,), their places among all
    counts: Floats  # (words,)
    edges: NDArray[np.int32]  # (words, end, size), the piece of `size + 1` letters before `end + 1`


class Lattice:
    """The ways to cut some words into pieces, and their probabilities (Kudo 2018, section 3.2)."""

    def __init__(
        self, words: Mapping[str, int], pieces: Sequence[str], longest: int, *, whole: bool = True
    ) -> None:
        """Find the pieces within each word.

        Args:
            words: how often each word comes
            longest: characters of a piece at most
            whole: whether a piece may be a whole word
        """
        self._size = len(pieces)
        self._words = len(words)
        numbers = {piece: at for at, piece in enumerate(pieces)}
        rows: dict[int, list[int]] = {}
        listed = list(words)
        for row, word in enumerate(listed):
            rows.setdefault(len(word), []).append(row)
        self._groups = [
            _group(chunk, listed, words, numbers, longest, whole)
            for length, some in sorted(rows.items())
            for chunk in _chunks(some, max(1, _CELLS // (length * min(length, longest))))
        ]

    def likelihoods(self, scores: Floats) -> Floats:
        """Return the log-probability of each word, over all ways to cut it, (words,).

        Args:
            scores: log-probability of each piece, (pieces,); -inf for one that is out
        """
        found = np.empty(self._words)
        for group in self._groups:
            found[group.rows] = _forward(self._of_edges(scores, group))[:, -1]
        return found

    def expected_counts(self, scores: Floats) -> Floats:
        """Return how often each piece is expected in all words, (pieces,).

        Args:
            scores: as for `likelihoods`; there is a way to cut every word
        """
        total = np.zeros(self._size + 1)
        for group in self._groups:
            share = _posterior(self._of_edges(scores, group)) * group.counts[:, None, None]
            total += np.bincount(group.edges.ravel(), share.ravel(), self._size + 1)
        return total[:-1]

    def _of_edges(self, scores: Floats, group: _Group) -> Floats:
        return np.append(scores, -np.inf)[group.edges]  # (words, end, size)


def _group(
    rows: Sequence[int],
    listed: Sequence[str],
    counts: Mapping[str, int],
    numbers: Mapping[str, int],
    longest: int,
    whole: bool,
) -> _Group:
    words = [listed[row] for row in rows]
    length = len(words[0])
    most = min(length, longest)
    none = len(numbers)
    edges = np.full((len(words), length, most), none, np.int32)
    for row, word in enumerate(words):
        for end in range(1, length + 1):
            for size in range(1, min(end, most) + 1):
                edges[row, end - 1, size - 1] = numbers.get(word[end - size : end], none)
    if not whole and most == length:
        edges[:, -1, -1] = none
    return _Group(np.array(rows), np.array([counts[word] for word in words], np.float64), edges)


def _forward(scores: Floats) -> Floats:
    """Return the log-probability of each beginning of each word, (words, length + 1)."""
    words, length, most = scores.shape
    sums = np.zeros((words, length + 1))
    for end in range(1, length + 1):
        size = min(end, most)
        ways = sums[:, end - size : end][:, ::-1] + scores[:, end - 1, :size]
        sums[:, end] = np.logaddexp.reduce(ways, axis=1)
    return sums


def _backward(scores: Floats) -> Floats:
    """Return the log-probability of what follows each beginning, (words, length + 1)."""
    words, length, most = scores.shape
    sums = np.full((words, length + 1), -np.inf)
    sums[:, length] = 0
    for end in range(length, 0, -1):
        size = min(end, most)
        ways = (sums[:, end, None] + scores[:, end - 1, :size])[:, ::-1]
        before = sums[:, end - size : end]
        np.logaddexp(before, ways, out=before)
    return sums


def _posterior(scores: Floats) -> Floats:
    """Return how likely each edge is part of the way that its word is cut."""
    before, after = _forward(scores), _backward(scores)
    for end in range(1, scores.shape[1] + 1):
        size = min(end, scores.shape[2])
        scores[:, end - 1, :size] += before[:, end - size : end][:, ::-1] + after[:, end, None]
    scores -= before[:, -1, None, None]
    return np.exp(scores, out=scores)


def _chunks(rows: Sequence[int], size: int) -> list[Sequence[int]]:
    return [rows[at : at + size] for at in range(0, len(rows), size)]
