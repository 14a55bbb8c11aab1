"""What a confidence is worth, as curves, bins and areas; for metrics, tables and plots alike.

All of it is over outcomes: the confidence of a reply, and whether its best guess is right. A reply
that was declined counts by its best guess, since none of this knows a threshold. Replies of equal
confidence count together, so the order in which they came changes nothing.
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from chatseq.evaluation.contracts import JudgedReply

BINS = 15  # of equal width; Guo et al. 2017, table 1
_POINTS = 200  # of a curve, at most: more cannot be seen
_EDGES = [at / BINS for at in range(1, BINS + 1)]

# Thresholds that a table shows: those that wrongly decline so much at most, decline so much at
# least. They are rounded to what people copy.
_WRONGLY_DECLINED = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2)
_DECLINED = (0.5, 0.8, 0.9, 0.95, 0.99)
_STEPS = 10_000

Point = TypeVar("Point")


class ConfidenceOutcome(NamedTuple):
    """What one reply tells about the confidence."""

    confidence: float  # 0..1
    right: bool  # its best guess; never where the question was to be declined
    answerable: bool


@dataclass(frozen=True, slots=True)
class Bin:
    """Replies whose confidence is above `low` and at most `high`; the first bin holds 0 too."""

    low: float
    high: float
    confidence: float  # mean
    right: int  # best guesses
    wrong: int  # of questions with an answer
    to_decline: int  # questions that have none

    @property
    def count(self) -> int:
        """All replies of the bin."""
        return self.right + self.wrong + self.to_decline

    @property
    def share_right(self) -> float:
        """The share of right ones; a question to be declined has no right answer."""
        return self.right / self.count


@dataclass(frozen=True, slots=True)
class RiskPoint:
    """What happens when replies below a confidence are declined."""

    threshold: float
    coverage: float  # share of all replies that are said
    risk: float  # share of the said ones that are wrong


@dataclass(frozen=True, slots=True)
class RocPoint:
    """The same, by the two kinds of questions."""

    threshold: float
    wrongly_answered: float  # share of the questions to be declined (false positives)
    answered: float  # share of the questions with an answer (true positives)


@dataclass(frozen=True, slots=True)
class Threshold:
    """What declining below a confidence would do; None without such questions."""

    threshold: float
    wrongly_declined: float | None  # share of the questions with an answer
    declined: float | None  # share of the questions to be declined
    exact_match: float | None  # share of the questions with an answer


def outcomes(judged: Iterable[JudgedReply]) -> list[ConfidenceOutcome]:
    """Return what replies tell about the confidence."""
    return [ConfidenceOutcome(one.confidence, one.guessed_right, one.answerable) for one in judged]


def area_under_roc(wanted: Iterable[float], others: Iterable[float]) -> float | None:
    """Return how often a wanted confidence is above another one, ties counted half.

    None unless there are both (Fawcett 2006, section 7).
    """
    above, below = list(wanted), sorted(others)
    if not above or not below:
        return None
    # Below counts twice, a tie once: whole numbers, so any order of adding gives one figure.
    twice = sum(bisect.bisect_left(below, one) + bisect.bisect_right(below, one) for one in above)
    return twice / (2 * len(above) * len(below))


def area_under_risk(found: Sequence[ConfidenceOutcome]) -> float | None:
    """Return the mean risk over all coverages 1/n, 2/n … 1; None where nothing has an answer.

    Replies of equal confidence count as the mean over their orders (Geifman, Uziel and El-Yaniv
    2019).
    """
    if not any(one.answerable for one in found):
        return None
    risks, covered, wrong = [], 0, 0
    for _, group in _falling(found):
        errors = sum(not one.right for one in group)
        some = range(1, len(group) + 1)
        risks += [(wrong + errors * more / len(group)) / (covered + more) for more in some]
        covered, wrong = covered + len(group), wrong + errors
    return math.fsum(risks) / len(found)


def calibration_error(found: Sequence[ConfidenceOutcome]) -> float | None:
    """Return the expected calibration error over 15 bins (Guo et al. 2017, section 2)."""
    if not found:
        return None
    gaps = [each.count * abs(each.share_right - each.confidence) for each in reliability(found)]
    return math.fsum(gaps) / len(found)


def brier_score(found: Sequence[ConfidenceOutcome]) -> float | None:
    """Return the mean square of confidence minus right (Brier 1950)."""
    if not found:
        return None
    return math.fsum((one.confidence - one.right) ** 2 for one in found) / len(found)


def reliability(found: Iterable[ConfidenceOutcome]) -> tuple[Bin, ...]:
    """Return the bins that hold a reply, from the lowest confidence."""
    binned: dict[int, list[ConfidenceOutcome]] = {}
    for one in found:
        binned.setdefault(bisect.bisect_left(_EDGES, one.confidence), []).append(one)
    return tuple(_bin(at, binned[at]) for at in sorted(binned))


def _bin(at: int, some: Sequence[ConfidenceOutcome]) -> Bin:
    right = sum(one.right for one in some)
    to_decline = sum(not one.answerable for one in some)
    return Bin(
        low=at / BINS,
        high=_EDGES[at],
        confidence=math.fsum(one.confidence for one in some) / len(some),
        right=right,
        wrong=len(some) - right - to_decline,
        to_decline=to_decline,
    )


def risk_coverage(found: Sequence[ConfidenceOutcome]) -> tuple[RiskPoint, ...]:
    """Return the risk at every coverage that a threshold can give, from the smallest coverage.

    Geifman and El-Yaniv 2017, section 2.
    """
    points, covered, wrong = [], 0, 0
    for threshold, group in _falling(found):
        covered += len(group)
        wrong += sum(not one.right for one in group)
        points.append(RiskPoint(threshold, covered / len(found), wrong / covered))
    return _word_dropout(points)


def roc(found: Sequence[ConfidenceOutcome]) -> tuple[RocPoint, ...]:
    """Return the ROC curve, questions with an answer against those to be declined.

    There is none without questions of both kinds (Fawcett 2006, section 4).
    """
    wanted = sum(one.answerable for one in found)
    others = len(found) - wanted
    if not wanted or not others:
        return ()
    points, kept, answered = [RocPoint(1.0, 0.0, 0.0)], 0, 0
    for threshold, group in _falling(found):
        kept += sum(one.answerable for one in group)
        answered += sum(not one.answerable for one in group)
        points.append(RocPoint(threshold, answered / others, kept / wanted))
    return _word_dropout(points)


def thresholds(found: Sequence[ConfidenceOutcome]) -> tuple[Threshold, ...]:
    """Return thresholds to choose from, the lowest first, with what each would decline."""
    wanted = sorted(one.confidence for one in found if one.answerable)
    others = sorted(one.confidence for one in found if not one.answerable)
    chosen = {_declines_at_most(wanted, share) for share in _WRONGLY_DECLINED if wanted}
    chosen |= {_declines_at_least(others, share) for share in _DECLINED if others}
    rights = sorted(one.confidence for one in found if one.right)
    return tuple(_threshold(at, wanted, others, rights) for at in sorted(chosen) if at <= 1)


def _threshold(
    at: float, wanted: Sequence[float], others: Sequence[float], rights: Sequence[float]
) -> Threshold:
    """Return what becomes of three sorted lists of confidences."""
    said_right = len(rights) - bisect.bisect_left(rights, at)
    return Threshold(
        threshold=at,
        wrongly_declined=bisect.bisect_left(wanted, at) / len(wanted) if wanted else None,
        declined=bisect.bisect_left(others, at) / len(others) if others else None,
        exact_match=said_right / len(wanted) if wanted else None,
    )


def _declines_at_most(ordered: Sequence[float], share: float) -> float:
    """Return the highest threshold that has no more than a share below it."""
    return _steps(ordered[int(share * len(ordered))]) / _STEPS


def _declines_at_least(ordered: Sequence[float], share: float) -> float:
    """Return the lowest threshold that has a share below it."""
    return (_steps(ordered[math.ceil(share * len(ordered)) - 1]) + 1) / _STEPS


def _steps(confidence: float) -> int:
    """Return the confidence in whole steps, rounded down; a hair's breadth is none."""
    return math.floor(round(confidence * _STEPS, 6))


def _falling(found: Iterable[ConfidenceOutcome]) -> Iterator[tuple[float, list[ConfidenceOutcome]]]:
    """Yield the replies of each confidence, the highest first."""
    ordered = sorted(found, key=lambda one: -one.confidence)
    for confidence, group in itertools.groupby(ordered, lambda one: one.confidence):
        yield confidence, list(group)


def _word_dropout(points: Sequence[Point]) -> tuple[Point, ...]:
    """Return at most so many points as can be seen, the first and the last among them."""
    if len(points) <= _POINTS:
        return tuple(points)
    last = len(points) - 1
    return tuple(points[at * last // (_POINTS - 1)] for at in range(_POINTS))
