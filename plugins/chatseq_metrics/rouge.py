"""ROUGE-L: how much of an answer a reply holds in the same order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Self

from chatseq.evaluation.contracts import JudgedReply
from chatseq.text.normalise import units


class RougeL:
    """Mean F-score of the longest common subsequence with the closest answer (Lin 2004, section 3).

    A declined reply scores 0.
    """

    def __init__(self) -> None:
        self._scores: list[float] = []

    def add(self, judged: Sequence[JudgedReply]) -> None:
        """Take in some more replies."""
        for one in judged:
            if one.answerable:
                said = units(one.said)
                self._scores.append(max(f_score(said, units(text)) for text in one.references))

    def merge(self, other: Self) -> None:
        """Take in what another worker added."""
        self._scores += other._scores

    def figures(self) -> dict[str, float | None]:
        """Return `rouge_l`, 0..1; None when no question has an answer."""
        if not self._scores:
            return {"rouge_l": None}
        # fsum gives the same figure in any order of adding.
        return {"rouge_l": math.fsum(self._scores) / len(self._scores)}


def f_score(reply: Sequence[str], reference: Sequence[str]) -> float:
    """Return the harmonic mean of the shares of both that are common, 0..1."""
    common = common_length(reply, reference)
    return 2 * common / (len(reply) + len(reference)) if common else 0.0


def common_length(first: Sequence[str], second: Sequence[str]) -> int:
    """Return the length of the longest common subsequence (Hyyrö 2004).

    One row of the usual table is the bits of one integer, so that long replies stay cheap.
    """
    places: dict[str, int] = {}
    for place, unit in enumerate(first):
        places[unit] = places.get(unit, 0) | 1 << place
    everywhere = (1 << len(first)) - 1
    row = everywhere  # a bit is 0 where the length grows
    for unit in second:
        matches = row & places.get(unit, 0)
        row = ((row + matches) | (row - matches)) & everywhere
    return len(first) - row.bit_count()
