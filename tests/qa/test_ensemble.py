"""From the scores of several scorers to shares and confidence features, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from chatseq.bots.contracts import DECLINE, NO_CANDIDATE
from chatseq_qa.calibration import Calibration
from chatseq_qa.ensemble import RankedAnswers, rank, weighted_sum
from chatseq_qa.score_arrays import lead_over_others
from chatseq_qa.scorer_group import (
    LEAD,
    OVER_DECLINING,
    SHARE,
    ScoredCandidates,
    mean_scores,
)

NAMES = (SHARE, LEAD, OVER_DECLINING, "loud: volume")
ONE_EACH = {"loud": 1.0}


def scored(
    candidates: list[int], loud: list[float], volume: list[float] | None = None, **more: list[float]
) -> ScoredCandidates:
    """Return what scorers say of the candidates of one question."""
    scores = {"loud": loud, **more}
    return ScoredCandidates(
        np.array([candidates], np.int64),
        {name: np.array([values], np.float64) for name, values in scores.items()},
        {"loud: volume": np.array([volume or [0.0] * len(candidates)], np.float64)},
    )


def ranked(one: ScoredCandidates) -> RankedAnswers:
    weights = dict.fromkeys(one.scores, 1.0)
    (found,) = rank(one, weights, NAMES)
    return found


def feature(one: ScoredCandidates, name: str) -> float:
    return float(ranked(one).features[NAMES.index(name)])


def test_scores_are_added_up_with_their_weights() -> None:
    told = scored([0, 1], [-1.0, -2.0], far=[0.5, -0.5], near=[0.25, 1.0])
    sums = weighted_sum(told, {"loud": 2.0, "far": 4.0, "near": 8.0})
    assert sums.tolist() == [[-2 + 2 + 2, -4 - 2 + 8]]


def test_what_only_fills_up_a_row_is_never_ranked() -> None:
    found = ranked(scored([NO_CANDIDATE, 3, NO_CANDIDATE], [9.0, 1.0, 9.0]))
    assert (found.answers.tolist(), found.shares.tolist()) == ([3], [1.0])


def test_shares_are_a_softmax_over_all_candidates() -> None:
    answers, shares, _ = ranked(scored([4, 7, DECLINE], [math.log(1), math.log(3), math.log(6)]))
    assert answers.tolist() == [7, 4]  # best first; declining has its share and says nothing
    assert shares.tolist() == pytest.approx([0.3, 0.1])


def test_of_equal_answers_the_more_frequent_comes_first() -> None:
    assert ranked(scored([0, 1, 2], [-5.0, -1.0, -1.0])).answers.tolist() == [1, 2, 0]


def test_scores_far_apart_are_still_shares() -> None:
    answers, shares, features = ranked(scored([0, 1], [-5000.0, 0.0]))
    assert (answers.tolist(), shares.tolist()) == ([1, 0], [1.0, 0.0])
    assert np.isfinite(features).all()


@pytest.mark.parametrize("told", [scored([], []), scored([DECLINE], [-1.0])])
def test_where_nothing_can_be_said_nothing_is_ranked(told: ScoredCandidates) -> None:
    answers, shares, features = ranked(told)
    assert (len(answers), len(shares)) == (0, 0)
    assert features.tolist() == [0.0] * len(NAMES)


def test_features_are_those_of_the_best_answer() -> None:
    told = scored([0, 1, DECLINE], [-3.5, -0.25, -3.875], [0.1, 0.2, 0.3])
    rest = math.exp(-3.5) + math.exp(-3.875)
    wanted = {
        SHARE: -0.25 - math.log(rest),
        LEAD: 3.25,
        OVER_DECLINING: 3.625,
        "loud: volume": 0.2,
    }
    assert set(wanted) == set(NAMES)
    for name, value in wanted.items():
        assert feature(told, name) == pytest.approx(value), name


def test_a_single_answer_leads_as_far_as_any_can() -> None:
    assert feature(scored([0], [-1.0]), LEAD) == feature(scored([0, 1], [0.0, -5000.0]), LEAD)


def test_without_questions_to_decline_there_is_no_lead_over_them() -> None:
    assert feature(scored([0, 1], [-1.0, -2.0]), OVER_DECLINING) == 0
    assert feature(scored([0, DECLINE], [-3.0, -1.0]), OVER_DECLINING) == -2


def test_a_lead_is_over_the_best_other_that_says_something() -> None:
    scores = np.array([[1.0, 4.0, 2.0, 9.0], [1.0, 1.0, 0.0, 0.0]])
    candidates = np.array([[0, 1, 2, DECLINE], [0, 1, NO_CANDIDATE, DECLINE]])
    assert lead_over_others(scores, candidates).tolist() == [
        [-3.0, 2.0, -2.0, 5.0],
        [0.0, 0.0, -1.0, -1.0],
    ]
    alone = lead_over_others(np.array([[3.0]]), np.array([[0]]))
    assert alone.tolist() == [[0.0]]
    with_declining = lead_over_others(np.array([[3.0, 1.0]]), np.array([[0, DECLINE]]))
    assert with_declining.tolist() == [[0.0, -2.0]]


def test_two_questions_with_one_answer_are_scored_by_the_means() -> None:
    one = scored([0, 1], [-1.0, -3.0], [0.5, 0.0])
    other = scored([0, 1], [-3.0, -1.0], [0.0, 1.0])
    both = mean_scores(one, other)
    assert both.scores["loud"].tolist() == [[-2.0, -2.0]]
    assert both.features["loud: volume"].tolist() == [[0.25, 0.5]]


def test_unfitted_the_confidence_is_the_share() -> None:
    told = scored([0, 1, DECLINE], [math.log(7), math.log(2), math.log(1)])
    assert Calibration.unfitted(NAMES).confidence(ranked(told).features) == pytest.approx(0.7)
