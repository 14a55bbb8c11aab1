"""What the confidence is worth: does it tell what has an answer, what is right, and how often?

A declined reply counts by its best guess; a question to be declined has no right one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from chatseq.evaluation.contracts import JudgedReply
from chatseq.evaluation.curves import (
    ConfidenceOutcome,
    area_under_risk,
    area_under_roc,
    brier_score,
    calibration_error,
    outcomes,
)


class _OverOutcomes:
    """Keeps the confidence of every reply, and whether its best guess was right."""

    def __init__(self) -> None:
        self._outcomes: list[ConfidenceOutcome] = []

    def add(self, judged: Sequence[JudgedReply]) -> None:
        """Take in some more replies."""
        self._outcomes += outcomes(judged)

    def merge(self, other: Self) -> None:
        """Take in what another worker added."""
        self._outcomes += other._outcomes


class Auroc(_OverOutcomes):
    """Area under the ROC curve of the confidence, answerable against to be declined.

    It is the chance that a random answerable question gets more confidence than a random question
    to be declined, ties counted half (Fawcett 2006, section 7): 0.5 is guessing, 1 is perfect.
    """

    def figures(self) -> dict[str, float | None]:
        """Return `auroc`, 0..1; None unless there are questions of both kinds."""
        answerable = [one.confidence for one in self._outcomes if one.answerable]
        others = [one.confidence for one in self._outcomes if not one.answerable]
        return {"auroc": area_under_roc(answerable, others)}


class AurocRight(_OverOutcomes):
    """Area under the ROC curve of the confidence, right best guesses against all others."""

    def figures(self) -> dict[str, float | None]:
        """Return `auroc_right`, 0..1; None unless some are right and some are not."""
        right = [one.confidence for one in self._outcomes if one.right]
        wrong = [one.confidence for one in self._outcomes if not one.right]
        return {"auroc_right": area_under_roc(right, wrong)}


class Aurc(_OverOutcomes):
    """Area under the risk-coverage curve (Geifman and El-Yaniv 2017, section 2): low is good."""

    def figures(self) -> dict[str, float | None]:
        """Return `aurc`, 0..1; None when no question has an answer."""
        return {"aurc": area_under_risk(self._outcomes)}


class Calibration(_OverOutcomes):
    """Whether of the replies with confidence 0.8 eight in ten are right (Guo et al. 2017)."""

    def figures(self) -> dict[str, float | None]:
        """Return `expected_calibration_error` and `brier`, 0..1; None without replies."""
        return {
            "expected_calibration_error": calibration_error(self._outcomes),
            "brier": brier_score(self._outcomes),
        }
