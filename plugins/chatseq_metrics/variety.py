"""How varied the replies are. Declined replies, which share one wording, are left out."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from typing import Self

from chatseq.evaluation.contracts import JudgedReply
from chatseq.text.normalise import normalise_answer, units


class Distinct:
    """Distinct words and word pairs over all replies (Li et al. 2016, section 5)."""

    def __init__(self) -> None:
        self._words: set[str] = set()
        self._pairs: set[tuple[str, str]] = set()
        self._total = 0

    def add(self, judged: Sequence[JudgedReply]) -> None:
        """Take in some more replies."""
        for one in judged:
            words = units(one.said)
            self._words.update(words)
            self._pairs.update(itertools.pairwise(words))
            self._total += len(words)

    def merge(self, other: Self) -> None:
        """Take in what another worker added."""
        self._words |= other._words
        self._pairs |= other._pairs
        self._total += other._total

    def figures(self) -> dict[str, float | None]:
        """Return `distinct_1` and `distinct_2`: both are divided by the number of words."""
        if not self._total:
            return {"distinct_1": None, "distinct_2": None}
        return {
            "distinct_1": len(self._words) / self._total,
            "distinct_2": len(self._pairs) / self._total,
        }


class MostFrequentReply:
    """Share of the replies that are the most frequent one."""

    def __init__(self) -> None:
        self._replies: Counter[str] = Counter()

    def add(self, judged: Sequence[JudgedReply]) -> None:
        """Take in some more replies."""
        self._replies.update(normalise_answer(one.reply.text) for one in judged if not one.declined)

    def merge(self, other: Self) -> None:
        """Take in what another worker added."""
        self._replies.update(other._replies)

    def figures(self) -> dict[str, float | None]:
        """Return `most_frequent_reply`, 0..1; None when every question was declined."""
        total = self._replies.total()
        share = max(self._replies.values()) / total if total else None
        return {"most_frequent_reply": share}
