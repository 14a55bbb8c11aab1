"""Bins, curves and thresholds, against numbers worked out by hand."""

from __future__ import annotations

import itertools
import math
import random

import pytest
from evaluation_fakes import judged

from chatseq.evaluation.curves import (
    Bin,
    ConfidenceOutcome,
    RiskPoint,
    RocPoint,
    Threshold,
    area_under_risk,
    area_under_roc,
    brier_score,
    calibration_error,
    outcomes,
    reliability,
    risk_coverage,
    roc,
    thresholds,
)

RIGHT, WRONG, NEITHER = (True, True), (False, True), (False, False)


def some(*found: tuple[float, tuple[bool, bool]]) -> list[ConfidenceOutcome]:
    return [ConfidenceOutcome(confidence, *kind) for confidence, kind in found]


def drawn(count: int, *, steps: int = 50) -> list[ConfidenceOutcome]:
    """Return outcomes by chance, many of equal confidence."""
    dice = random.Random(3)  # noqa: S311  (no secret)
    return some(
        *(
            (dice.randrange(steps) / steps, dice.choice([RIGHT, WRONG, NEITHER]))
            for _ in range(count)
        )
    )


def test_an_outcome_is_about_the_best_guess() -> None:
    found = outcomes(
        [
            judged("x", "x", confidence=0.9),
            judged(None, "x", others=["x"], confidence=0.2),
            judged(None, "x", others=["y"], confidence=0.1),
            judged("x", confidence=0.3),
        ]
    )
    assert found == some((0.9, RIGHT), (0.2, RIGHT), (0.1, WRONG), (0.3, NEITHER))


def test_bins_hold_their_upper_edge_and_the_first_one_holds_0() -> None:
    found = reliability(
        some((0, RIGHT), (1 / 15, WRONG), (0.07, RIGHT), (1, NEITHER), (0.99, RIGHT))
    )
    assert [(one.low, one.high) for one in found] == [(0, 1 / 15), (1 / 15, 2 / 15), (14 / 15, 1)]
    assert found[0] == Bin(0, 1 / 15, 1 / 30, 1, 1, 0)
    assert (found[2].confidence, found[2].right, found[2].to_decline) == (0.995, 1, 1)
    assert (found[2].count, found[2].share_right) == (2, 0.5)


def test_the_risk_falls_and_rises_as_more_is_said() -> None:
    found = risk_coverage(some((0.4, WRONG), (0.9, RIGHT), (0.6, RIGHT), (0.6, NEITHER)))
    assert found == (
        RiskPoint(0.9, 0.25, 0),
        RiskPoint(0.6, 0.75, pytest.approx(1 / 3)),
        RiskPoint(0.4, 1, 0.5),
    )


def test_the_area_is_the_mean_over_all_orders_of_tied_replies() -> None:
    # After 0.9 (right), three tied: 1 wrong of 3. In the mean 1/3, 2/3, 1 are wrong by then.
    found = some((0.9, RIGHT), (0.5, RIGHT), (0.5, WRONG), (0.5, RIGHT))
    wanted = (0 + (1 / 3) / 2 + (2 / 3) / 3 + 1 / 4) / 4
    assert area_under_risk(found) == pytest.approx(wanted)
    assert area_under_risk(found[::-1]) == area_under_risk(found)


def test_a_confidence_that_tells_nothing_has_its_share_of_errors_as_area() -> None:
    assert area_under_risk(some(*[(0.7, RIGHT)] * 3, (0.7, WRONG))) == pytest.approx(0.25)


def test_the_roc_curve_begins_with_nothing_answered_and_ends_with_all() -> None:
    found = roc(some((0.9, RIGHT), (0.5, WRONG), (0.5, NEITHER), (0.1, NEITHER)))
    assert found == (
        RocPoint(1, 0, 0),
        RocPoint(0.9, 0, 0.5),
        RocPoint(0.5, 0.5, 1),
        RocPoint(0.1, 1, 1),
    )


def test_the_area_under_the_drawn_roc_curve_is_the_auroc() -> None:
    found = drawn(300)
    pairs = itertools.pairwise(roc(found))
    area = sum(
        (b.wrongly_answered - a.wrongly_answered) * (a.answered + b.answered) / 2 for a, b in pairs
    )
    wanted = [one.confidence for one in found if one.answerable]
    others = [one.confidence for one in found if not one.answerable]
    assert area == pytest.approx(area_under_roc(wanted, others))


def test_there_is_no_roc_curve_without_questions_of_both_kinds() -> None:
    assert roc(some((0.5, RIGHT), (0.4, WRONG))) == roc(some((0.5, NEITHER))) == roc([]) == ()


def test_thresholds_wrongly_decline_at_most_or_decline_at_least_a_share() -> None:
    # 10 questions with an answer at 0.05, 0.15 … 0.95, every second wrong; 2 to be declined.
    wanted = [(at / 10 + 0.05, RIGHT if at % 2 else WRONG) for at in range(10)]
    found = thresholds(some(*wanted, (0.12, NEITHER), (0.61, NEITHER)))
    assert found == (
        Threshold(0.05, 0, 0, 0.5),  # at most 0 to 5 %: none
        Threshold(0.1201, 0.1, 0.5, 0.5),  # at least half of the others
        Threshold(0.15, 0.1, 0.5, 0.5),  # at most 10 %
        Threshold(0.25, 0.2, 0.5, 0.4),  # at most 20 %
        Threshold(0.6101, 0.6, 1, 0.2),  # at least 80 to 99 %
    )


def test_a_threshold_is_rounded_so_that_it_keeps_its_word() -> None:
    low, high = thresholds(some((0.123456, RIGHT), (0.98765, NEITHER)))
    assert (low.threshold, low.wrongly_declined) == (0.1234, 0)
    assert (high.threshold, high.declined) == (0.9877, 1)


def test_thresholds_of_one_kind_of_question_say_nothing_of_the_other() -> None:
    assert thresholds(some((0.5, RIGHT))) == (Threshold(0.5, 0, None, 1),)
    assert thresholds(some((0.5, NEITHER))) == (Threshold(0.5001, None, 1, None),)


def test_no_threshold_is_above_1() -> None:
    found = thresholds(some((1.0, RIGHT), (1.0, NEITHER)))
    assert found == (Threshold(1, 0, 0, 1),)


def test_long_curves_are_thinned_and_keep_their_ends() -> None:
    found = drawn(3000, steps=3000)
    risks, curve = risk_coverage(found), roc(found)
    assert len(risks) == len(curve) == 200
    assert risks[0].coverage < 0.001 * 3
    assert risks[-1].coverage == 1
    assert (curve[0].answered, curve[-1].answered) == (0, 1)
    assert list(risks) == sorted(risks, key=lambda point: point.coverage)


def test_the_order_of_replies_changes_nothing() -> None:
    found = drawn(400)
    shuffled = random.Random(9).sample(found, len(found))  # noqa: S311  (no secret)
    for of in (
        *(area_under_risk, calibration_error, brier_score),
        *(reliability, risk_coverage, roc, thresholds),
    ):
        assert of(found) == of(shuffled)


def test_without_replies_there_are_no_curves_and_no_areas() -> None:
    assert reliability([]) == risk_coverage([]) == thresholds([]) == ()
    assert (area_under_risk([]), calibration_error([]), brier_score([])) == (None, None, None)


def test_the_calibration_error_of_honest_confidences_is_small() -> None:
    # Of ten with 0.9 nine are right, of ten with 0.3 three.
    honest = [(0.9, RIGHT)] * 9 + [(0.9, WRONG)] + [(0.3, RIGHT)] * 3 + [(0.3, WRONG)] * 7
    error = calibration_error(some(*honest))
    assert error is not None
    assert math.isclose(error, 0, abs_tol=1e-12)
