"""Shares of questions: answered right, declined as wanted, declined by mistake."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from chatseq.evaluation.contracts import Judged
from chatseq_metrics.words import plain


class Share:
    """A share that adds up: how many of how many."""

    def __init__(self) -> None:
        self.hits = 0
        self.total = 0

    def count(self, hit: bool) -> None:
        """Take in one more case."""
        self.hits += hit
        self.total += 1

    def merge(self, other: Share) -> None:
        """Take in the cases of another share."""
        self.hits += other.hits
        self.total += other.total

    @property
    def value(self) -> float | None:
        """The share, 0..1; None without a case."""
        return self.hits / self.total if self.total else None


class ExactMatch:
    """Share of the answerable questions whose reply is, word for word, one of the answers."""

    def __init__(self) -> None:
        self._right = Share()

    def add(self, judged: Sequence[Judged]) -> None:
        """Take in some more replies."""
        for one in judged:
            if one.answerable:
                answers = {plain(reference) for reference in one.references}
                self._right.count(not one.declined and plain(one.reply.text) in answers)

    def merge(self, other: Self) -> None:
        """Take in what another worker added."""
        self._right.merge(other._right)

    def figures(self) -> dict[str, float | None]:
        """Return `exact_match`, 0..1; None when no question has an answer."""
        return {"exact_match": self._right.value}


class Declined:
    """Shares of the questions that were declined: those to be declined, and the others."""

    def __init__(self) -> None:
        self._wanted = Share()
        self._wrong = Share()

    def add(self, judged: Sequence[Judged]) -> None:
        """Take in some more replies."""
        for one in judged:
            (self._wrong if one.answerable else self._wanted).count(one.declined)

    def merge(self, other: Self) -> None:
        """Take in what another worker added."""
        self._wanted.merge(other._wanted)
        self._wrong.merge(other._wrong)

    def figures(self) -> dict[str, float | None]:
        """Return `declined` and `wrongly_declined`, 0..1; None without such questions."""
        return {"declined": self._wanted.value, "wrongly_declined": self._wrong.value}
