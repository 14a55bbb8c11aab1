"""From testimonies to shares and a confidence, by hand, and how that is kept."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from chatseq_qa.ensemble import (
    CONFIDENCE_FEATURES,
    Calibration,
    EnsembleWeights,
    FittedEnsemble,
    ranked,
    read_ensemble,
)
from chatseq_qa.postings import Match
from chatseq_qa.scorers import DECLINE
from chatseq_qa.scorers import AnswerScores as Heard

ONE_EACH = EnsembleWeights(network=1.0, linear=1.0, likeness=1.0)


def heard(
    answers: list[int],
    network: list[float],
    linear: list[float] | None = None,
    likeness: list[float] | None = None,
    *,
    matches: tuple[Match, ...] = (),
    vocabulary_coverage: float = 1.0,
) -> Heard:
    none = [0.0] * len(answers)
    return Heard(
        np.array(answers, np.int64),
        np.array(network, np.float64),
        np.array(linear or none, np.float64),
        np.array(likeness or none, np.float64),
        matches,
        vocabulary_coverage,
    )


def sign(told: Heard, name: str, weights: EnsembleWeights = ONE_EACH) -> float:
    return float(ranked(told, weights).signs[CONFIDENCE_FEATURES.index(name)])


def test_scores_are_added_up_with_their_weights() -> None:
    told = heard([0, 1], [-1.0, -2.0], [0.5, -0.5], [0.25, 1.0])
    sums = EnsembleWeights(network=2.0, linear=4.0, likeness=8.0).joined(told)
    assert sums.tolist() == [-2 + 2 + 2, -4 - 2 + 8]


def test_shares_are_a_softmax_over_all_answers() -> None:
    told = heard([4, 7, DECLINE], [math.log(1), math.log(3), math.log(6)])
    answers, shares, _ = ranked(told, ONE_EACH)
    assert answers.tolist() == [7, 4]  # best first; declining has its share and says nothing
    assert shares.tolist() == pytest.approx([0.3, 0.1])


def test_of_equal_answers_the_more_frequent_comes_first() -> None:
    assert ranked(heard([0, 1, 2], [-5.0, -1.0, -1.0]), ONE_EACH).answers.tolist() == [1, 2, 0]


def test_scores_far_apart_are_still_shares() -> None:
    answers, shares, signs = ranked(heard([0, 1], [-5000.0, 0.0]), ONE_EACH)
    assert (answers.tolist(), shares.tolist()) == ([1, 0], [1.0, 0.0])
    assert np.isfinite(signs).all()


@pytest.mark.parametrize("told", [heard([], []), heard([DECLINE], [-1.0])])
def test_where_nothing_can_be_said_nothing_is_ranked(told: Heard) -> None:
    answers, shares, signs = ranked(told, ONE_EACH)
    assert (len(answers), len(shares)) == (0, 0)
    assert signs.tolist() == [0.0] * len(CONFIDENCE_FEATURES)


def test_signs_are_those_of_the_best_answer() -> None:
    told = heard(
        [0, 1, DECLINE],
        [-3.0, -1.0, -4.0],
        [-0.5, 0.25, 0.0],
        [0.0, 0.5, 0.125],
        matches=(Match(9, 0.75), Match(3, 0.5)),
        vocabulary_coverage=0.875,
    )
    # Sums: -3.5, -0.25, -3.875.
    rest = math.exp(-3.5) + math.exp(-3.875)
    wanted = {
        "logit of its share": -0.25 - math.log(rest),
        "lead over the second": 3.25,
        "log-probability": -1.0,
        "margin": 0.25,
        "lead of its margin": 0.75,
        "likeness of its question": 0.5,
        "likeness of the nearest question": 0.75,
        "lead over declining": 3.625,
        "familiar n-grams": 0.875,
    }
    assert set(wanted) == set(CONFIDENCE_FEATURES)
    for name, value in wanted.items():
        assert sign(told, name) == pytest.approx(value), name


def test_a_single_answer_leads_as_far_as_any_can() -> None:
    alone = sign(heard([0], [-1.0]), "lead over the second")
    assert alone == sign(heard([0, 1], [0.0, -5000.0]), "lead over the second")
    assert sign(heard([0], [-1.0]), "lead of its margin") == 0


def test_without_questions_to_decline_there_is_no_lead_over_them() -> None:
    assert sign(heard([0, 1], [-1.0, -2.0]), "lead over declining") == 0
    assert sign(heard([0, DECLINE], [-3.0, -1.0]), "lead over declining") == -2


def test_the_confidence_is_a_logistic_function_of_standard_signs() -> None:
    count = len(CONFIDENCE_FEATURES)
    fit = Calibration(
        means=(1.0, *(0.0,) * (count - 1)),
        spreads=(2.0, *(1.0,) * (count - 1)),
        slopes=(3.0, 0.5, *(0.0,) * (count - 2)),
        intercept=-1.0,
    )
    signs = np.array([5.0, 2.0, *[9.0] * (count - 2)])
    logit = 3 * (5 - 1) / 2 + 0.5 * 2 - 1
    assert fit.confidence(signs) == pytest.approx(1 / (1 + math.exp(-logit)))


def test_unfitted_the_confidence_is_the_share() -> None:
    told = heard([0, 1, DECLINE], [math.log(7), math.log(2), math.log(1)])
    assert Calibration().confidence(ranked(told, ONE_EACH).signs) == pytest.approx(0.7)


@pytest.mark.parametrize("extreme", [-1e9, 1e9])
def test_a_confidence_is_never_quite_certain(extreme: float) -> None:
    signs = np.full(len(CONFIDENCE_FEATURES), extreme)
    assert 0 < Calibration().confidence(signs) < 1


@pytest.mark.parametrize("name", ["means", "spreads", "slopes"])
def test_a_calibration_has_a_number_for_each_sign(name: str) -> None:
    with pytest.raises(ValueError, match=f"there must be {len(CONFIDENCE_FEATURES)} of each"):
        replace(Calibration(), **{name: (1.0,)})  # type: ignore[arg-type]


def fitted() -> FittedEnsemble:
    count = len(CONFIDENCE_FEATURES)
    fit = Calibration((0.1,) * count, (1.5,) * count, (0.3,) * count, -0.7)
    return FittedEnsemble(EnsembleWeights(1.25, 2.5, 3.75), fit, 0.375, declines=True, linear=True)


@pytest.mark.parametrize("joined", [FittedEnsemble(), fitted()])
def test_what_was_fitted_is_read_as_it_was_written(joined: FittedEnsemble) -> None:
    assert read_ensemble(joined.to_json()) == joined


def without(*path: str) -> Any:
    told = json.loads(fitted().to_json())
    at = told
    for name in path[:-1]:
        at = at[name]
    del at[path[-1]]
    return told


def changed(path: tuple[str, ...], value: Any) -> Any:
    told = json.loads(fitted().to_json())
    at = told
    for name in path[:-1]:
        at = at[name]
    at[path[-1]] = value
    return told


@pytest.mark.parametrize(
    "told",
    [
        [],
        None,
        "qa",
        {},
        without("weights"),
        without("weights", "linear"),
        without("calibration", "means"),
        without("decline_below"),
        changed(("weights", "network"), "1"),
        changed(("weights", "network"), True),
        changed(("weights", "network"), float("nan")),
        changed(("calibration", "slopes"), [1.0]),
        changed(("calibration", "slopes"), 1.0),
        changed(("calibration", "means"), [None] * len(CONFIDENCE_FEATURES)),
        changed(("decline_below",), float("inf")),
    ],
)
def test_anything_else_is_refused(told: Any) -> None:
    with pytest.raises(ValueError, match=r"^qa\.json does not hold what was fitted$"):
        read_ensemble(json.dumps(told))


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^qa\.json does not hold what was fitted$"):
        read_ensemble(text)
