"""chrF of the whole corpus by sacrebleu, with any number of references a question."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from sacrebleu.metrics.chrf import CHRF

from chatseq.evaluation.contracts import JudgedReply


class Chrf:
    """Character n-gram F-score (chrF2) of the replies against all answers (Popović 2015).

    A declined reply counts as an empty one.
    """

    def __init__(self) -> None:
        self._chrf = CHRF()
        self._replies: list[str] = []
        self._references: list[str] = []  # of each reply, the one that suits it best

    def add(self, judged: Sequence[JudgedReply]) -> None:
        """Take in some more replies."""
        for one in judged:
            if one.answerable:
                self._replies.append(one.said)
                self._references.append(self._closest(one.said, one.references))

    def merge(self, other: Self) -> None:
        """Take in what another worker added."""
        self._replies += other._replies
        self._references += other._references

    def figures(self) -> dict[str, float | None]:
        """Return `chrf`, 0..100; None when no question has an answer."""
        if not self._replies:
            return {"chrf": None}
        return {"chrf": float(self._chrf.corpus_score(self._replies, [self._references]).score)}

    def _closest(self, reply: str, references: Sequence[str]) -> str:
        """Return the reference that sacrebleu, too, would count a segment against."""
        if len(references) == 1:
            return references[0]
        return max(references, key=lambda text: self._chrf.sentence_score(reply, [text]).score)
