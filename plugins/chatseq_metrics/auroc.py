"""How well the confidence tells questions with an answer from questions to be declined."""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from typing import Self

from chatseq.evaluation.contracts import Judged


class Auroc:
    """Area under the ROC curve of the confidence, answerable against to be declined.

    It is the chance that a random answerable question gets more confidence than a random question
    to be declined, ties counted half (Fawcett 2006, section 7): 0.5 is guessing, 1 is perfect.
    """

    def __init__(self) -> None:
        self._answerable: list[float] = []
        self._others: list[float] = []

    def add(self, judged: Sequence[Judged]) -> None:
        """Take in some more replies."""
        for one in judged:
            side = self._answerable if one.answerable else self._others
            confidence = one.reply.confidence
            # A NaN would make the order, and so the figure, depend on chance.
            side.append(0.0 if math.isnan(confidence) else confidence)

    def merge(self, other: Self) -> None:
        """Take in what another worker added."""
        self._answerable += other._answerable
        self._others += other._others

    def figures(self) -> dict[str, float | None]:
        """Return `auroc`, 0..1; None unless there are questions of both kinds."""
        if not self._answerable or not self._others:
            return {"auroc": None}
        others = sorted(self._others)
        # Below counts twice, a tie once: whole numbers, so any order of adding gives one figure.
        twice = sum(
            bisect.bisect_left(others, confidence) + bisect.bisect_right(others, confidence)
            for confidence in self._answerable
        )
        return {"auroc": twice / (2 * len(self._answerable) * len(others))}
