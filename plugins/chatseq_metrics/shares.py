"""Shares of questions: answered right, declined as wanted or by mistake, answered in doubt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from chatseq.evaluation.contracts import JudgedReply


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

    def add(self, judged: Sequence[JudgedReply]) -> None:
        """Take in some more replies."""
        for one in judged:
            if one.answerable:
                self._right.count(one.right)

    def merge(self, other: Self) -> None:
        """Take in what another worker added."""
        self._right.merge(other._right)

    def figures(self) -> dict[str, float | None]:
        """Return `exact_match`, 0..1; None when no question has an answer."""
        return {"exact_match": self._right.value}


class BestGuess:
    """Share of the answerable questions whose best guess is right, declined or not."""

    def __init__(self) -> None:
        self._right = Share()

    def add(self, judged: Sequence[JudgedReply]) -> None:
        """Take in some more replies."""
        for one in judged:
            if one.answerable:
                self._right.count(one.guessed_right)

    def merge(self, other: Self) -> None:
        """Take in what another worker added."""
        self._right.merge(other._right)

    def figures(self) -> dict[str, float | None]:
        """Return `best_guess`, 0..1; None when no question has an answer."""
        return {"best_guess": self._right.value}


class SeenExactMatch:
    """Exact match apart for questions that stand in the training corpus, and for the others."""

    def __init__(self) -> None:
        self._seen = Share()
        self._unseen = Share()

    def add(self, judged: Sequence[JudgedReply]) -> None:
        """Take in some more replies."""
        for one in judged:
            if one.answerable and one.seen is not None:
                (self._seen if one.seen else self._unseen).count(one.right)

    def merge(self, other: Self) -> None:
        """Take in what another worker added."""
        self._seen.merge(other._seen)
        self._unseen.merge(other._unseen)

    def figures(self) -> dict[str, float | None]:
        """Return `seen_exact_match` and `unseen_exact_match`, 0..1; None without such questions."""
        return {"seen_exact_match": self._seen.value, "unseen_exact_match": self._unseen.value}


class Declined:
    """Shares of the questions that were declined: those to be declined, and the others."""

    def __init__(self) -> None:
        self._wanted = Share()
        self._wrong = Share()

    def add(self, judged: Sequence[JudgedReply]) -> None:
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


class Suggested:
    """Share of unsure replies ("did you mean"), and how often the right answer is among them."""

    def __init__(self) -> None:
        self._unsure = Share()
        self._right = Share()

    def add(self, judged: Sequence[JudgedReply]) -> None:
        """Take in some more replies."""
        for one in judged:
            self._unsure.count(one.reply.unsure)
            if one.reply.unsure and one.answerable:
                others = [other.text for other in one.reply.alternatives]
                self._right.count(one.right or any(map(one.accepts, others)))

    def merge(self, other: Self) -> None:
        """Take in what another worker added."""
        self._unsure.merge(other._unsure)
        self._right.merge(other._right)

    def figures(self) -> dict[str, float | None]:
        """Return `suggested` and `suggested_right`, 0..1; None without such questions."""
        return {"suggested": self._unsure.value, "suggested_right": self._right.value}
