"""From confidence features to a confidence, and how all that was fitted is kept."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from chatseq_qa.calibration import FORMAT, Calibration, FittedEnsemble, read_ensemble
from chatseq_qa.scorer_group import LEAD, OVER_DECLINING, SHARE

NAMES = (SHARE, LEAD, OVER_DECLINING, "loud: volume", "near: by")


def test_the_confidence_is_a_logistic_function_of_standard_features() -> None:
    fit = Calibration(
        NAMES,
        means=(1.0, 0.0, 0.0, 0.0, 0.0),
        spreads=(2.0, 1.0, 1.0, 1.0, 1.0),
        slopes=(3.0, 0.5, 0.0, 0.0, 0.0),
        intercept=-1.0,
    )
    logit = 3 * (5 - 1) / 2 + 0.5 * 2 - 1
    found = fit.confidence(np.array([5.0, 2.0, 9.0, 9.0, 9.0]))
    assert found == pytest.approx(1 / (1 + math.exp(-logit)))


@pytest.mark.parametrize("extreme", [-1e9, 1e9])
def test_a_confidence_is_never_quite_certain(extreme: float) -> None:
    fit = Calibration.unfitted(NAMES)
    assert 0 < fit.confidence(np.full(len(NAMES), extreme)) < 1


@pytest.mark.parametrize("name", ["means", "spreads", "slopes"])
def test_a_calibration_has_a_number_for_each_feature(name: str) -> None:
    with pytest.raises(ValueError, match=f"there must be {len(NAMES)} of each"):
        replace(Calibration.unfitted(NAMES), **{name: (1.0,)})  # type: ignore[arg-type]


def fitted() -> FittedEnsemble:
    fit = Calibration(
        NAMES,
        (0.1, 0.2, 0.3, 0.4, 0.5),
        (1.5, 1.6, 1.7, 1.8, 1.9),
        (0.3, 0.0, 2.0, 0.4, 0.1),
        -0.7,
    )
    return FittedEnsemble({"near": 1.25, "loud": 2.5}, fit, 0.375, declines=True)


def test_features_may_come_in_another_order() -> None:
    fit, order = fitted().calibration, [3, 0, 4, 2, 1]
    other = fit.in_order([NAMES[at] for at in order])
    values = np.array([0.4, -1.0, 2.0, 0.0, 3.0])
    assert other.confidence(values[order]) == pytest.approx(fit.confidence(values))


def test_other_features_than_those_it_was_fitted_to_are_refused() -> None:
    with pytest.raises(ValueError, match="other confidence features: far: off, near: by"):
        fitted().calibration.in_order([*NAMES[:-1], "far: off"])


def test_what_was_fitted_is_read_as_it_was_written() -> None:
    for ensemble in (fitted(), FittedEnsemble({"loud": 1.0}, Calibration.unfitted(NAMES))):
        assert read_ensemble(ensemble.to_json()) == ensemble
        assert list(read_ensemble(ensemble.to_json()).weights) == list(ensemble.weights)


def test_it_carries_the_number_of_its_format_and_a_newer_one_is_refused() -> None:
    told = json.loads(fitted().to_json())
    assert told["format"] == FORMAT
    told["format"] = FORMAT + 1
    with pytest.raises(ValueError, match=f"is of format {FORMAT + 1}; this chatseq reads up to"):
        read_ensemble(json.dumps(told))


def first_format(*, linear: bool) -> dict[str, Any]:
    """Return a fit as it was kept when the three scorers were the only ones."""
    return {
        "weights": {"network": 1.0, "linear": 2.0, "likeness": 3.0},
        "calibration": {
            "means": [0.0] * 9,
            "spreads": [1.0] * 9,
            "slopes": [float(at) for at in range(9)],
            "intercept": -1.0,
        },
        "decline_below": 0.25,
        "declines": True,
        "linear": linear,
    }


def test_the_first_format_is_read() -> None:
    found = read_ensemble(json.dumps(first_format(linear=True)))
    assert found.weights == {"network": 1.0, "linear": 2.0, "nearest": 3.0}
    slopes = dict(zip(found.calibration.names, found.calibration.slopes, strict=True))
    assert slopes["nearest: best similarity"] == 6.0
    assert slopes[OVER_DECLINING] == 7.0
    assert (found.decline_below, found.declines) == (0.25, True)


def test_of_the_first_format_a_classifier_that_was_none_is_left_out() -> None:
    found = read_ensemble(json.dumps(first_format(linear=False)))
    assert list(found.weights) == ["network", "nearest"]
    assert len(found.calibration.names) == 7
    assert not any(name.startswith("linear") for name in found.calibration.names)


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
        {"format": 2},
        without("weights"),
        without("calibration", "features"),
        without("calibration", "features", SHARE, "mean"),
        without("decline_below"),
        changed(("weights", "loud"), "1"),
        changed(("weights", "loud"), True),
        changed(("weights", "loud"), float("nan")),
        changed(("weights",), [1.0]),
        changed(("calibration", "features"), [1.0]),
        changed(("calibration", "features", SHARE), 1.0),
        changed(("calibration", "features", SHARE, "slope"), None),
        changed(("decline_below",), float("inf")),
        {**first_format(linear=True), "weights": {"network": 1.0}},
    ],
)
def test_anything_else_is_refused(told: Any) -> None:
    with pytest.raises(ValueError, match=r"^ensemble\.json does not hold what was fitted$"):
        read_ensemble(json.dumps(told))


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^ensemble\.json does not hold what was fitted$"):
        read_ensemble(text)
