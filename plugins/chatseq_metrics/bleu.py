"""BLEU of the whole corpus by sacrebleu, with any number of references a question."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from sacrebleu.metrics.bleu import BLEU

from chatseq.evaluation.contracts import JudgedReply
from chatseq.text.normalise import has_han

_ORDERS = 4
_FIELDS = 2 + 2 * _ORDERS  # reply length, reference length, matches and counts by order


class Bleu:
    """BLEU of the replies against all answers (Papineni et al. 2002; Post 2018).

    Text with a Chinese character in one of its answers is tokenised as `zh`, other text as `13a`.
    A declined reply counts as an empty one.
    """

    def __init__(self) -> None:
        # effective_order only silences a remark: the counts of a sentence do not depend on it.
        self._chinese = BLEU(tokenize="zh", effective_order=True)
        self._other = BLEU(tokenize="13a", effective_order=True)
        self._sums = [0] * _FIELDS
        self._count = 0

    def add(self, judged: Sequence[JudgedReply]) -> None:
        """Take in some more replies."""
        for one in judged:
            if one.answerable:
                self._sum(self._statistics(one))
                self._count += 1

    def merge(self, other: Self) -> None:
        """Take in what another worker added."""
        self._sum(other._sums)
        self._count += other._count

    def figures(self) -> dict[str, float | None]:
        """Return `bleu`, 0..100; None when no question has an answer."""
        if not self._count:
            return {"bleu": None}
        reply_length, reference_length, *counts = self._sums
        correct, total = counts[:_ORDERS], counts[_ORDERS:]
        score = BLEU.compute_bleu(
            correct, total, reply_length, reference_length, smooth_method="exp"
        )
        return {"bleu": float(score.score)}

    def _statistics(self, one: JudgedReply) -> list[int]:
        bleu = self._chinese if any(map(has_han, one.references)) else self._other
        score = bleu.sentence_score(one.said, one.references)
        return [score.sys_len, score.ref_len, *score.counts, *score.totals]

    def _sum(self, statistics: Sequence[int]) -> None:
        self._sums = [a + b for a, b in zip(self._sums, statistics, strict=True)]
