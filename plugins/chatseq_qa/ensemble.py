"""From what the witnesses say to one answer, and to how sure it is.

The witnesses' scores are added up with fitted weights, and a softmax over the answers gives each of
them its share (a conditional logit; McFadden 1974). How likely the best one is right, when the
question may also be one that the corpus has no answer to, is a logistic function of a few signs of
that (Platt 1999). Both are fitted on questions that were not learnt from, see
chatseq_qa.responder_fit.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field, fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chatseq_qa.scorers import DECLINE, AnswerScores

Floats = NDArray[np.float64]

FILE = "qa.json"
_FURTHEST = 30.0  # a logit beyond it says no more


@dataclass(frozen=True, slots=True)
class EnsembleWeights:
    """What each witness is worth."""

    network: float = 1.0
    linear: float = 8.0
    likeness: float = 8.0

    def joined(self, heard: AnswerScores) -> Floats:
        """Return the score of each answer, (answers,)."""
        sums: Floats = (
            self.network * heard.network
            + self.linear * heard.linear
            + self.likeness * heard.likeness
        )
        return sums


class RankedAnswers(NamedTuple):
    """The answers to one question that say something, best first."""

    answers: NDArray[np.int64]
    shares: Floats  # of each among all that come into question, declining counted
    signs: Floats  # of the best one being right; see `CONFIDENCE_FEATURES`


CONFIDENCE_FEATURES = (
    "logit of its share",
    "lead over the second",
    "log-probability",
    "margin",
    "lead of its margin",
    "likeness of its question",
    "likeness of the nearest question",
    "lead over declining",
    "familiar n-grams",
)


@dataclass(frozen=True, slots=True)
class Calibration:
    """Turns signs into a probability."""

    means: tuple[float, ...] = (0.0,) * len(CONFIDENCE_FEATURES)
    spreads: tuple[float, ...] = (1.0,) * len(CONFIDENCE_FEATURES)
    slopes: tuple[float, ...] = (1.0, *(0.0,) * (len(CONFIDENCE_FEATURES) - 1))
    intercept: float = 0.0

    def __post_init__(self) -> None:
        if any(
            len(each) != len(CONFIDENCE_FEATURES)
            for each in (self.means, self.spreads, self.slopes)
        ):
            raise ValueError(f"there must be {len(CONFIDENCE_FEATURES)} of each")

    def confidence(self, signs: Floats) -> float:
        """Return how likely the best answer is right, 0..1."""
        standard = (signs - np.array(self.means)) / np.array(self.spreads)
        logit = float(standard @ np.array(self.slopes)) + self.intercept
        return 1 / (1 + math.exp(-min(max(logit, -_FURTHEST), _FURTHEST)))


@dataclass(frozen=True, slots=True)
class FittedEnsemble:
    """All that was fitted, as it is kept in the bundle."""

    weights: EnsembleWeights = field(default_factory=EnsembleWeights)
    calibration: Calibration = field(default_factory=Calibration)
    decline_below: float = 0.0  # confidence
    declines: bool = False  # whether the corpus has questions to be declined
    linear: bool = False  # whether there is a linear classifier

    def to_json(self) -> str:
        """Return what `read_ensemble` reads."""
        return json.dumps(asdict(self), indent=1) + "\n"


def read_ensemble(text: str) -> FittedEnsemble:
    """Read what `Joined.to_json` wrote.

    Raises:
        ValueError: it is something else.
    """
    try:
        told = json.loads(text)
        weights, fit = told["weights"], told["calibration"]
        means, spreads, slopes = (
            tuple(map(_number, fit[name])) for name in ("means", "spreads", "slopes")
        )
        return FittedEnsemble(
            EnsembleWeights(*(_number(weights[each.name]) for each in fields(EnsembleWeights))),
            Calibration(means, spreads, slopes, _number(fit["intercept"])),
            _number(told["decline_below"]),
            declines=told["declines"] is True,
            linear=told["linear"] is True,
        )
    except (KeyError, TypeError, ValueError, RecursionError) as fault:
        raise ValueError(f"{FILE} does not hold what was fitted") from fault


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError("no number")
    return float(value)


def ranked(heard: AnswerScores, weights: EnsembleWeights) -> RankedAnswers:
    """Return the answers to a question, best first; there may be none."""
    sums = weights.joined(heard)
    if not len(sums):
        return RankedAnswers(heard.answers, sums, np.zeros(len(CONFIDENCE_FEATURES)))
    shares = np.exp(sums - sums.max())
    shares /= shares.sum()
    speaking = np.flatnonzero(heard.answers != DECLINE)
    order = speaking[np.argsort(-sums[speaking], kind="stable")]
    return RankedAnswers(heard.answers[order], shares[order], _signs(heard, sums, shares, order))


def _signs(heard: AnswerScores, sums: Floats, shares: Floats, order: NDArray[np.int64]) -> Floats:
    if not len(order):
        return np.zeros(len(CONFIDENCE_FEATURES))
    best, rest = order[0], order[1:]
    silent = sums[heard.answers == DECLINE]
    nearest = heard.matches[0].similarity if heard.matches else 0.0
    return np.array(
        [
            _logit(float(shares[best])),
            _bounded(sums[best] - sums[rest].max()) if len(rest) else _FURTHEST,
            _bounded(heard.network[best]),
            heard.linear[best],
            heard.linear[best] - heard.linear[rest].max() if len(rest) else 0.0,
            heard.likeness[best],
            nearest,
            _bounded(sums[best] - silent[0]) if len(silent) else 0.0,
            heard.vocabulary_coverage,
        ]
    )


def _logit(share: float) -> float:
    share = min(max(share, 1e-12), 1 - 1e-12)
    return _bounded(math.log(share / (1 - share)))


def _bounded(value: float) -> float:
    return float(min(max(value, -_FURTHEST), _FURTHEST))
