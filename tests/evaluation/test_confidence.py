"""The metrics of the confidence and of best guesses, against numbers worked out by hand."""

from __future__ import annotations

import math

import pytest
from evaluation_fakes import figures_of, judged

from chatseq.evaluation.contracts import Metric
from chatseq_metrics.confidence import Aurc, Auroc, AurocRight, Calibration
from chatseq_metrics.shares import BestGuess, ExactMatch, SeenExactMatch, Suggested


def test_auroc_counts_the_pairs_in_the_right_order() -> None:
    # Of the 3 x 2 pairs, 0.9 and 0.6 win both, 0.3 wins one: 5 of 6.
    replies = [judged("x", "x", confidence=c) for c in (0.9, 0.6, 0.3)]
    replies += [judged("x", confidence=c) for c in (0.5, 0.1)]
    assert figures_of(Auroc(), *replies) == {"auroc": pytest.approx(5 / 6)}


def test_auroc_counts_a_tie_half() -> None:
    replies = [judged("x", "x", confidence=0.5), judged("x", confidence=0.5)]
    assert figures_of(Auroc(), *replies) == {"auroc": 0.5}


def test_auroc_is_null_unless_both_kinds_of_questions_were_asked() -> None:
    assert figures_of(Auroc(), judged("x", "x")) == {"auroc": None}
    assert figures_of(Auroc(), judged("x")) == {"auroc": None}


def test_auroc_takes_a_confidence_of_nan_for_none_at_all() -> None:
    replies = [judged("x", "x", confidence=math.nan), judged("x", confidence=0.1)]
    assert figures_of(Auroc(), *replies) == {"auroc": 0}


def test_auroc_looks_at_the_confidence_of_declined_replies_too() -> None:
    replies = [judged(None, "x", confidence=0.4), judged(None, confidence=0.3)]
    assert figures_of(Auroc(), *replies) == {"auroc": 1}


def test_auroc_right_sets_right_guesses_against_wrong_ones_and_those_without_an_answer() -> None:
    # Right: 0.9 and, declined, 0.4. Others: 0.6 wrong, 0.2 to be declined. Pairs won: 2 and 1 of 4.
    replies = [
        judged("x", "x", confidence=0.9),
        judged(None, "x", confidence=0.4, others=["x"]),
        judged("y", "x", confidence=0.6),
        judged("x", confidence=0.2),
    ]
    assert figures_of(AurocRight(), *replies) == {"auroc_right": 0.75}
    assert figures_of(AurocRight(), judged("x", "x")) == {"auroc_right": None}
    assert figures_of(AurocRight(), judged("y", "x")) == {"auroc_right": None}


def test_aurc_is_the_mean_risk_over_all_coverages() -> None:
    # By confidence: right, wrong, right, to be declined. Risks 0/1, 1/2, 1/3, 2/4.
    replies = [
        judged("x", "x", confidence=0.9),
        judged("y", "x", confidence=0.8),
        judged(None, "x", confidence=0.7, others=["x"]),
        judged(None, confidence=0.6, others=["x"]),
    ]
    assert figures_of(Aurc(), *replies) == {"aurc": pytest.approx((0 + 1 / 2 + 1 / 3 + 2 / 4) / 4)}


def test_aurc_of_tied_replies_is_the_mean_over_their_orders() -> None:
    # Right first: risks 0, 1/2; wrong first: 1, 1/2. The mean is 1/2.
    replies = [judged("x", "x", confidence=0.5), judged("y", "x", confidence=0.5)]
    assert figures_of(Aurc(), *replies) == {"aurc": 0.5}
    assert figures_of(Aurc(), *reversed(replies)) == {"aurc": 0.5}


def test_aurc_of_perfect_replies_is_nought_and_without_an_answer_there_is_none() -> None:
    assert figures_of(Aurc(), judged("x", "x", confidence=0.1)) == {"aurc": 0}
    assert figures_of(Aurc(), judged("x"), judged(None)) == {"aurc": None}


def test_calibration_weighs_the_gap_of_each_bin_by_its_replies() -> None:
    # Bin (14/15, 1]: confidences 0.96 and 0.98, mean 0.97, one of two right. Bin (7/15, 8/15]:
    # 0.5, right. Bin [0, 1/15]: 0, wrong.
    replies = [
        judged("x", "x", confidence=0.96),
        judged("y", "x", confidence=0.98),
        judged("x", "x", confidence=0.5),
        judged(None, confidence=0),
    ]
    gap = (2 * 0.47 + 0.5 + 0) / 4
    brier = (0.04**2 + 0.98**2 + 0.5**2 + 0) / 4
    assert figures_of(Calibration(), *replies) == {
        "expected_calibration_error": pytest.approx(gap),
        "brier": pytest.approx(brier),
    }


def test_calibration_takes_the_best_guess_of_a_declined_reply() -> None:
    declined = judged(None, "x", confidence=0.25, others=["x", "y"])
    assert figures_of(Calibration(), declined) == {
        "expected_calibration_error": 0.75,
        "brier": 0.75**2,
    }


@pytest.mark.parametrize(("given", "taken"), [(math.nan, 0), (-0.5, 0), (1.5, 1), (math.inf, 1)])
def test_a_confidence_that_is_none_is_taken_for_the_nearest_one(given: float, taken: int) -> None:
    one = judged("y", "x", confidence=given)
    assert one.confidence == taken
    assert figures_of(Calibration(), one) == {"expected_calibration_error": taken, "brier": taken}


def test_a_best_guess_counts_whether_or_not_it_was_declined() -> None:
    replies = [
        judged("x", "x"),
        judged(None, "x", others=["x", "y"]),
        judged(None, "x", others=["y", "x"]),  # the second best is no best guess
        judged(None, "x"),  # a declined reply without a guess
        judged(None, others=["x"]),  # not a question with an answer
    ]
    assert figures_of(BestGuess(), *replies) == {"best_guess": 0.5}
    assert figures_of(ExactMatch(), *replies) == {"exact_match": 0.25}


def test_seen_and_unseen_questions_are_counted_apart() -> None:
    replies = [
        judged("x", "x", seen=True),
        judged("x", "x", seen=False),
        judged("y", "x", seen=False),
        judged(None, "x", seen=False),
        judged("x", "x"),  # nobody knows
        judged("x", seen=True),  # has no answer
    ]
    assert figures_of(SeenExactMatch(), *replies) == {
        "seen_exact_match": 1,
        "unseen_exact_match": pytest.approx(1 / 3),
    }
    assert set(figures_of(SeenExactMatch(), judged("x", "x")).values()) == {None}


def test_suggestions_are_right_when_the_reply_or_an_alternative_is() -> None:
    replies = [
        judged("x", "x", unsure=True, others=["y"]),
        judged("y", "x", unsure=True, others=["z", "x"]),
        judged("y", "x", unsure=True, others=["z"]),
        judged("y", unsure=True, others=["z"]),  # nothing would have been right
        judged("y", "x", others=["x"]),  # a sure reply suggests nothing
    ]
    assert figures_of(Suggested(), *replies) == {
        "suggested": 0.8,
        "suggested_right": pytest.approx(2 / 3),
    }


def test_without_unsure_replies_no_suggestion_is_right_or_wrong() -> None:
    assert figures_of(Suggested(), judged("x", "x")) == {"suggested": 0, "suggested_right": None}


@pytest.mark.parametrize("make", [Auroc, AurocRight, Aurc, Calibration, BestGuess, Suggested])
@pytest.mark.parametrize("reply", [judged("x", "x"), judged("y", "x"), judged("x"), judged(None)])
def test_a_single_reply_gives_figures_from_0_to_1_or_none(
    make: type[Metric], reply: object
) -> None:
    metric = make()
    metric.add([reply])  # type: ignore[list-item]
    assert all(value is None or 0 <= value <= 1 for value in metric.figures().values())
