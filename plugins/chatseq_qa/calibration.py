"""How sure a reply is, and the file that keeps all that was fitted to join scorers.

How likely the best answer is right, when the question may also be one that the corpus has no answer
to, is a logistic function of the confidence features (Platt 1999). Weights, calibration and
threshold are fitted on questions that were not learnt from, see chatseq_qa.responder_fit.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from chatseq.bots.contracts import Floats
from chatseq_qa.scorer_group import LEAD, OVER_DECLINING, SHARE

FILE = "ensemble.json"
FILE_1 = "qa.json"  # its name in bundles of format 1
FORMAT = 2
_FURTHEST = 30.0  # a logit beyond it says no more
# The features of format 1, in which the three scorers were the only ones, in their order there.
_FEATURES_1 = (
    SHARE,
    LEAD,
    "network: log-probability",
    "linear: margin",
    "linear: lead of the margin",
    "nearest: similarity",
    "nearest: best similarity",
    OVER_DECLINING,
    "nearest: vocabulary coverage",
)


@dataclass(frozen=True, slots=True)
class Calibration:
    """Turns confidence features into a probability."""

    names: tuple[str, ...]  # of the features
    means: tuple[float, ...]
    spreads: tuple[float, ...]
    slopes: tuple[float, ...]
    intercept: float = 0.0

    def __post_init__(self) -> None:
        if any(len(each) != len(self.names) for each in (self.means, self.spreads, self.slopes)):
            raise ValueError(f"there must be {len(self.names)} of each")

    @classmethod
    def unfitted(cls, names: Sequence[str]) -> Calibration:
        """Return the one for which the confidence is the share of the best answer."""
        slopes = (float(name == SHARE) for name in names)
        zeros, ones = (0.0,) * len(names), (1.0,) * len(names)
        return cls(tuple(names), zeros, ones, tuple(slopes))

    def in_order(self, names: Sequence[str]) -> Calibration:
        """Return the same for features in another order.

        Raises:
            ValueError: they are not those that it was fitted to.
        """
        if set(names) != set(self.names):
            differing = ", ".join(sorted(set(names) ^ set(self.names)))
            raise ValueError(f"it was fitted to other confidence features: {differing}")
        return self._picked([self.names.index(name) for name in names])

    def _picked(self, at: Sequence[int]) -> Calibration:
        return Calibration(
            tuple(self.names[each] for each in at),
            tuple(self.means[each] for each in at),
            tuple(self.spreads[each] for each in at),
            tuple(self.slopes[each] for each in at),
            self.intercept,
        )

    def without(self, scorer: str) -> Calibration:
        """Leave out the features of a scorer that was none."""
        names = enumerate(self.names)
        return self._picked([at for at, name in names if not name.startswith(f"{scorer}: ")])

    def confidence(self, features: Floats) -> float:
        """Return how likely the best answer is right, 0..1.

        Args:
            features: in the order of `names`
        """
        standard = (features - np.array(self.means)) / np.array(self.spreads)
        log_odds = float(standard @ np.array(self.slopes)) + self.intercept
        return 1 / (1 + math.exp(-min(max(log_odds, -_FURTHEST), _FURTHEST)))


@dataclass(frozen=True, slots=True)
class FittedEnsemble:
    """All that was fitted, as it is kept in the bundle."""

    weights: Mapping[str, float]  # of the scorers by name, in the order of the recipe
    calibration: Calibration
    decline_below: float = 0.0  # confidence
    declines: bool = False  # whether the corpus has questions to be declined

    def to_json(self) -> str:
        """Return what `read_ensemble` reads."""
        fit = self.calibration
        told = {
            "format": FORMAT,
            "weights": dict(self.weights),
            "calibration": {
                "features": {
                    name: {"mean": mean, "spread": spread, "slope": slope}
                    for name, mean, spread, slope in zip(
                        fit.names, fit.means, fit.spreads, fit.slopes, strict=True
                    )
                },
                "intercept": fit.intercept,
            },
            "decline_below": self.decline_below,
            "declines": self.declines,
        }
        return json.dumps(told, indent=1) + "\n"


def ensemble_file(folder: Path) -> Path | None:
    """Return the file in which a fitted ensemble is kept; None where there is none."""
    return next((folder / name for name in (FILE, FILE_1) if (folder / name).is_file()), None)


def read_ensemble(text: str) -> FittedEnsemble:
    """Read what `FittedEnsemble.to_json` wrote, of this format or an older one.

    Raises:
        ValueError: it is something else, or of a newer format.
    """
    try:
        told = json.loads(text)
        written = told.get("format", 1)
    except (AttributeError, ValueError, RecursionError) as fault:
        raise ValueError(f"{FILE} does not hold what was fitted") from fault
    if written not in (1, FORMAT):
        raise ValueError(f"{FILE} is of format {written}; this chatseq reads up to {FORMAT}")
    try:
        return _ensemble_1(told) if written == 1 else _ensemble(told)
    except (KeyError, TypeError, ValueError, AttributeError) as fault:
        raise ValueError(f"{FILE} does not hold what was fitted") from fault


def _ensemble(told: Mapping[str, Any]) -> FittedEnsemble:
    fit = told["calibration"]
    features = fit["features"]
    means, spreads, slopes = (
        _numbers(one[key] for one in features.values()) for key in ("mean", "spread", "slope")
    )
    return FittedEnsemble(
        {str(name): _number(weight) for name, weight in told["weights"].items()},
        Calibration(tuple(features), means, spreads, slopes, _number(fit["intercept"])),
        _number(told["decline_below"]),
        declines=told["declines"] is True,
    )


def _ensemble_1(told: Mapping[str, Any]) -> FittedEnsemble:
    weights, fit = told["weights"], told["calibration"]
    means, spreads, slopes = (_numbers(fit[key]) for key in ("means", "spreads", "slopes"))
    named = {
        "network": _number(weights["network"]),
        "linear": _number(weights["linear"]),
        "nearest": _number(weights["likeness"]),
    }
    calibration = Calibration(_FEATURES_1, means, spreads, slopes, _number(fit["intercept"]))
    if told["linear"] is not True:  # there was none; its features were all alike
        del named["linear"]
        calibration = calibration.without("linear")
    return FittedEnsemble(
        named, calibration, _number(told["decline_below"]), declines=told["declines"] is True
    )


def _numbers(values: Iterable[Any]) -> tuple[float, ...]:
    return tuple(map(_number, values))


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError("no number")
    return float(value)
