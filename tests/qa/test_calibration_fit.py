"""What is fitted to calibration examples: weights, a calibration and a threshold."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from chatseq.bots.contracts import NO_CANDIDATE
from chatseq_qa import calibration_fit as module
from chatseq_qa.calibration import Calibration
from chatseq_qa.calibration_fit import CalibrationSet, fit_calibration, fit_weights, threshold
from chatseq_qa.ensemble import rank
from chatseq_qa.scorer_group import LEAD, OVER_DECLINING, SHARE, ScoredCandidates

Floats = NDArray[np.float64]

COUNT = 60
NAMES = (SHARE, LEAD, OVER_DECLINING, "loud: volume")
PRIORS = {"network": 1.0, "nearest": 8.0}


def told(network: list[float], nearest: list[float], times: int = 20) -> ScoredCandidates:
    """Return the same scores of the same candidates for so many questions."""
    candidates = np.repeat(np.arange(len(network))[None], times, axis=0)
    scores = {"network": network, "nearest": nearest}
    repeated = {name: np.repeat([values], times, axis=0) for name, values in scores.items()}
    return ScoredCandidates(candidates, repeated, {})


def right(scored: ScoredCandidates, *wanted: int) -> NDArray[np.bool_]:
    return np.isin(scored.candidates, wanted)


def examples(is_right: list[bool], answerable: list[bool], *columns: Floats) -> CalibrationSet:
    features = np.zeros((len(is_right), len(NAMES)))
    for at, column in enumerate(columns):
        features[:, at] = column
    return CalibrationSet(
        NAMES, features, np.array(is_right, np.bool_), np.array(answerable, np.bool_)
    )


def noisy(seed: int) -> Floats:
    return np.random.default_rng(seed).standard_normal(COUNT)


def test_a_scorer_that_is_right_is_worth_more_than_one_that_is_wrong() -> None:
    # Of two answers the first is wanted; the network says so, the nearest questions do not.
    scored = told([-1.0, -2.0], [0.5, 0.75])
    weights = fit_weights(scored, right(scored, 0), PRIORS)
    assert weights["network"] > PRIORS["network"]
    assert weights["nearest"] < PRIORS["nearest"]
    assert next(rank(scored, weights, (SHARE, LEAD, OVER_DECLINING))).answers[0] == 0


def test_weights_are_never_negative_and_stay_near_the_usual_without_a_reason() -> None:
    scored = told([-1.0, -1.0], [0.5, 0.5])
    assert fit_weights(scored, right(scored, 0), PRIORS) == pytest.approx(PRIORS, rel=0.1)
    against = told([-2.0, -1.0], [0.0, 1.0])  # all of them are wrong
    assert min(fit_weights(against, right(against, 0), PRIORS).values()) > 0


def test_any_of_several_wanted_answers_counts() -> None:
    scored = told([-5.0, -1.0, -9.0], [0.5, 0.5, 0.9])
    weights = fit_weights(scored, right(scored, 0, 1), PRIORS)
    assert next(rank(scored, weights, (SHARE, LEAD, OVER_DECLINING))).answers[0] in (0, 1)


def test_questions_without_a_known_answer_fit_no_weights() -> None:
    scored = told([-1.0, -2.0], [0.0, 1.0])
    assert fit_weights(scored, right(scored, 9), PRIORS) == PRIORS
    none = told([-1.0, -2.0], [0.0, 1.0], times=0)
    assert fit_weights(none, right(none, 0), PRIORS) == PRIORS


def test_what_only_fills_up_a_row_fits_nothing() -> None:
    plain = told([-1.0, -2.0], [0.5, 0.75])
    wider = ScoredCandidates(
        np.pad(plain.candidates, ((0, 0), (0, 1)), constant_values=NO_CANDIDATE),
        {n: np.pad(s, ((0, 0), (0, 1)), constant_values=50.0) for n, s in plain.scores.items()},
        {},
    )
    one, other = (fit_weights(each, right(each, 0), PRIORS) for each in (plain, wider))
    assert one == pytest.approx(other)


def test_the_confidence_follows_the_feature_that_tells_right_from_wrong() -> None:
    feature = noisy(1)
    fit = fit_calibration(examples((feature > 0).tolist(), [True] * COUNT, feature, noisy(2)))
    assert fit.slopes[0] > fit.slopes[1] >= 0
    high, low = (fit.confidence(np.array([v, *[0.0] * (len(NAMES) - 1)])) for v in (2, -2))
    assert high > 0.85
    assert low < 0.15


def test_confidences_are_right_on_average() -> None:
    chance = np.random.default_rng(3)
    feature = noisy(3)
    right = chance.random(COUNT) < 1 / (1 + np.exp(-feature))
    given = examples(right.tolist(), [True] * COUNT, feature)
    fit = fit_calibration(given)
    mean = np.mean([fit.confidence(features) for features in given.features])
    assert mean == pytest.approx(right.mean(), abs=0.01)


def test_no_feature_counts_against_a_reply() -> None:
    feature = noisy(4)
    fit = fit_calibration(examples((feature < 0).tolist(), [True] * COUNT, feature))
    assert min(fit.slopes) >= 0
    assert fit.slopes[0] == pytest.approx(0.0, abs=1e-6)


def test_a_feature_that_is_always_the_same_changes_nothing() -> None:
    feature = noisy(5)
    fit = fit_calibration(
        examples((feature > 0).tolist(), [True] * COUNT, feature, np.full(COUNT, 7.0))
    )
    assert fit.spreads[1] == 1.0
    one, other = (np.array([0.5, v, *[0.0] * (len(NAMES) - 2)]) for v in (7.0, 7.0))
    assert fit.confidence(one) == fit.confidence(other)
    assert np.isfinite(fit.slopes).all()


@pytest.mark.parametrize("right", [[True] * COUNT, [False] * COUNT, [True, *[False] * 59], []])
def test_too_few_replies_of_one_sort_fit_nothing(right: list[bool]) -> None:
    assert fit_calibration(examples(right, right)) == Calibration.unfitted(NAMES)


def test_questions_to_decline_count_as_often_as_they_are_asked() -> None:
    for asked, strays in ((8, 4), (10, 90), (90, 10)):
        given = examples([False] * (asked + strays), [True] * asked + [False] * strays)
        importance = given.importance
        assert importance[:asked].tolist() == [1.0] * asked
        share = importance[asked:].sum() / importance.sum()
        assert share == pytest.approx(module._OUT_OF_SCOPE_PRIOR)


@pytest.mark.parametrize("answerable", [True, False])
def test_questions_of_one_sort_alone_all_count_the_same(answerable: bool) -> None:
    assert examples([False] * 3, [answerable] * 3).importance.tolist() == [1.0] * 3


def limit(asked: Floats, strays: Floats, *, declines: bool = True) -> float:
    answerable = [True] * len(asked) + [False] * len(strays)
    confidences = np.concatenate([asked, strays])
    given = examples(answerable, answerable)  # all that can be right is
    return threshold(confidences, given, declines=declines)


def test_hardly_any_question_with_an_answer_is_below_the_threshold() -> None:
    asked = np.arange(1000) / 2000
    share = (asked < limit(asked, np.full(10, 0.4))).mean()
    assert share == pytest.approx(module._MAX_LOST_SHARE, abs=0.001)


def test_what_would_be_answered_wrongly_is_no_loss() -> None:
    confidences = np.concatenate([np.full(100, 0.1), np.arange(100) / 400 + 0.2, [0.05]])
    right = [False] * 100 + [True] * 100 + [False]
    given = examples(right, [True] * 200 + [False])
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
    given = examples([False] * len(answerable), answerable)
    assert threshold(np.full(len(answerable), 0.5), given, declines=True) == 0.0
