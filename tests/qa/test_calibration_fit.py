"""What is fitted to questions that were practised: weights, a calibration and a threshold."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest
from numpy.typing import NDArray

from chatseq_qa import joining_fit
from chatseq_qa.calibration_fit import CalibrationSet, fit_calibration, fit_weights, threshold
from chatseq_qa.ensemble import CONFIDENCE_FEATURES, Calibration, EnsembleWeights, ranked
from chatseq_qa.scorers import AnswerScores as Heard

Floats = NDArray[np.float64]

COUNT = 60


def told(network: list[float], linear: list[float], likeness: list[float]) -> Heard:
    answers = np.arange(len(network))
    return Heard(answers, np.array(network), np.array(linear), np.array(likeness), (), 1.0)


def practice(right: list[bool], answerable: list[bool], *columns: Floats) -> CalibrationSet:
    signs = np.zeros((len(right), len(CONFIDENCE_FEATURES)))
    for at, column in enumerate(columns):
        signs[:, at] = column
    return CalibrationSet(signs, np.array(right, np.bool_), np.array(answerable, np.bool_))


def noisy(seed: int) -> Floats:
    return np.random.default_rng(seed).standard_normal(COUNT)


def test_a_witness_that_is_right_is_worth_more_than_one_that_is_wrong() -> None:
    # Of two answers the first is wanted; the network says so, the nearest questions do not.
    heard = [told([-1.0, -2.0], [0.0, 0.0], [0.5, 0.75])] * 20
    usual, weights = EnsembleWeights(), fit_weights(heard, [frozenset({0})] * 20)
    assert weights.network > usual.network
    assert weights.likeness < usual.likeness
    assert ranked(heard[0], weights).answers[0] == 0


def test_weights_are_never_negative_and_stay_near_the_usual_without_a_reason() -> None:
    heard = [told([-1.0, -1.0], [0.2, 0.2], [0.5, 0.5])] * 5
    weights = fit_weights(heard, [frozenset({0})] * 5)
    assert astuple(weights) == pytest.approx(astuple(EnsembleWeights()), rel=0.1)
    against = [told([-2.0, -1.0], [-1.0, 1.0], [0.0, 1.0])] * 20  # all of them are wrong
    assert min(astuple(fit_weights(against, [frozenset({0})] * 20))) > 0


def test_any_of_several_wanted_answers_counts() -> None:
    heard = [told([-5.0, -1.0, -9.0], [0.0] * 3, [0.5, 0.5, 0.9])] * 20
    weights = fit_weights(heard, [frozenset({0, 1})] * 20)
    assert ranked(heard[0], weights).answers[0] in (0, 1)


@pytest.mark.parametrize("wanted", [frozenset[int](), frozenset({9})])
def test_questions_without_a_known_answer_fit_no_weights(wanted: frozenset[int]) -> None:
    heard = [told([-1.0, -2.0], [0.0, 0.0], [0.0, 1.0])] * 5
    assert fit_weights(heard, [wanted] * 5) == EnsembleWeights()
    assert fit_weights([], []) == EnsembleWeights()


def test_the_confidence_follows_the_sign_that_tells_right_from_wrong() -> None:
    sign = noisy(1)
    fit = fit_calibration(practice((sign > 0).tolist(), [True] * COUNT, sign, noisy(2)))
    assert fit.slopes[0] > fit.slopes[1] >= 0
    high, low = (
        fit.confidence(np.array([v, *[0.0] * (len(CONFIDENCE_FEATURES) - 1)])) for v in (2, -2)
    )
    assert high > 0.85
    assert low < 0.15


def test_confidences_are_right_on_average() -> None:
    chance = np.random.default_rng(3)
    sign = noisy(3)
    right = chance.random(COUNT) < 1 / (1 + np.exp(-sign))
    given = practice(right.tolist(), [True] * COUNT, sign)
    fit = fit_calibration(given)
    mean = np.mean([fit.confidence(signs) for signs in given.signs])
    assert mean == pytest.approx(right.mean(), abs=0.01)


def test_no_sign_counts_against_a_reply() -> None:
    sign = noisy(4)
    fit = fit_calibration(practice((sign < 0).tolist(), [True] * COUNT, sign))
    assert min(fit.slopes) >= 0
    assert fit.slopes[0] == pytest.approx(0.0, abs=1e-6)


def test_a_sign_that_is_always_the_same_changes_nothing() -> None:
    sign = noisy(5)
    fit = fit_calibration(practice((sign > 0).tolist(), [True] * COUNT, sign, np.full(COUNT, 7.0)))
    assert fit.spreads[1] == 1.0
    one, other = (np.array([0.5, v, *[0.0] * (len(CONFIDENCE_FEATURES) - 2)]) for v in (7.0, 7.0))
    assert fit.confidence(one) == fit.confidence(other)
    assert np.isfinite(fit.slopes).all()


@pytest.mark.parametrize("right", [[True] * COUNT, [False] * COUNT, [True, *[False] * 59], []])
def test_too_few_replies_of_one_sort_fit_nothing(right: list[bool]) -> None:
    assert fit_calibration(practice(right, right)) == Calibration()


def test_questions_to_decline_count_as_often_as_they_are_asked() -> None:
    for asked, strays in ((8, 4), (10, 90), (90, 10)):
        given = practice([False] * (asked + strays), [True] * asked + [False] * strays)
        importance = given.importance
        assert importance[:asked].tolist() == [1.0] * asked
        share = importance[asked:].sum() / importance.sum()
        assert share == pytest.approx(joining_fit._OUT_OF_SCOPE_PRIOR)


@pytest.mark.parametrize("answerable", [True, False])
def test_questions_of_one_sort_alone_all_count_the_same(answerable: bool) -> None:
    assert practice([False] * 3, [answerable] * 3).importance.tolist() == [1.0] * 3


def limit(asked: Floats, strays: Floats, *, declines: bool = True) -> float:
    answerable = [True] * len(asked) + [False] * len(strays)
    confidences = np.concatenate([asked, strays])
    given = practice(answerable, answerable)  # all that can be right is
    return threshold(confidences, given, declines=declines)


def test_hardly_any_question_with_an_answer_is_below_the_threshold() -> None:
    asked = np.arange(1000) / 2000
    share = (asked < limit(asked, np.full(10, 0.4))).mean()
    assert share == pytest.approx(joining_fit._MAX_LOST_SHARE, abs=0.001)


def test_what_would_be_answered_wrongly_is_no_loss() -> None:
    confidences = np.concatenate([np.full(100, 0.1), np.arange(100) / 400 + 0.2, [0.05]])
    right = [False] * 100 + [True] * 100 + [False]
    given = practice(right, [True] * 200 + [False])
    assert threshold(confidences, given, declines=True) >= 0.2


def test_a_corpus_without_questions_to_be_declined_loses_fewer_answers() -> None:
    asked = np.arange(1000) / 2000
    assert limit(asked, np.full(10, 0.4), declines=False) < limit(asked, np.full(10, 0.4)) / 2


def test_of_few_questions_none_is_below_the_threshold() -> None:
    assert limit(np.array([0.45, 0.25, 0.5]), np.array([0.4])) == 0.25


def test_what_is_more_likely_right_than_wrong_is_never_below_the_threshold() -> None:
    assert limit(np.array([0.9, 0.95]), np.array([0.8, 0.85])) <= 0.5


@pytest.mark.parametrize("answerable", [[True] * 3, [False] * 3, []])
def test_with_one_sort_of_questions_nothing_is_declined(answerable: list[bool]) -> None:
    given = practice([False] * len(answerable), answerable)
    assert threshold(np.full(len(answerable), 0.5), given, declines=True) == 0.0
