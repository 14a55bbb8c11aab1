"""Fit what joins the scorers; loaded at the end of training only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chatseq.bots.contracts import NO_CANDIDATE
from chatseq_qa.calibration import Calibration
from chatseq_qa.scorer_group import ScoredCandidates

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_OUT_OF_SCOPE_PRIOR = 0.2  # share of questions without an answer that a bot is reckoned to be asked
# Share of the questions with an answer that may lose a right one by declining; what would have been
# answered wrongly is no loss. What is asked later is less like the corpus than what was held out of
# it, so that more will: this leaves a margin to one in twenty that are declined at all.
_MAX_LOST_SHARE = 0.0125
_MAX_LOST_SHARE_UNASKED = 0.004  # of a corpus that has no question to be declined
_EVEN = 0.5  # confidence: right as likely as wrong
_PULL = 0.02  # towards weights that are worth something on any corpus
_SMALLEST = 1e-6  # spread of a feature; a smaller one is none
_FEWEST = 5  # right and wrong replies; of fewer nothing can be fitted


@dataclass(frozen=True, slots=True)
class CalibrationSet:
    """What came of the questions on which a calibration is fitted."""

    names: tuple[str, ...]  # of the confidence features
    features: Floats  # (questions, features)
    right: Flags  # (questions,) the best answer is one of those wanted
    answerable: Flags  # (questions,) the bot knows an answer to it

    @property
    def importance(self) -> Floats:
        """How much each question counts, so that those to be declined have their share."""
        strays = ~self.answerable
        found = np.ones(len(strays))
        if strays.any() and self.answerable.any():
            found[strays] = (
                _OUT_OF_SCOPE_PRIOR
                / (1 - _OUT_OF_SCOPE_PRIOR)
                * self.answerable.sum()
                / strays.sum()
            )
        return found


def fit_weights(
    scored: ScoredCandidates, right: Flags, priors: Mapping[str, float]
) -> dict[str, float]:
    """Return the weight of each scorer that makes the right answers likeliest.

    Args:
        right: which candidates are right, (questions, candidates)
        priors: the weights to begin with, and to stay near to without a reason
    """
    from scipy.optimize import minimize

    start = np.log(list(priors.values()))
    fits = right.any(axis=1)
    if not fits.any():
        return dict(priors)
    scores = np.stack([scored.scores[name][fits] for name in priors])  # (scorers, questions, ...)
    absent = scored.candidates[fits] == NO_CANDIDATE
    wanted = right[fits]

    def loss(logs: Floats) -> float:
        sums = np.tensordot(np.exp(logs), scores, axes=1)
        nats = float(_nats(np.where(absent, -np.inf, sums), wanted).mean())
        return nats + float(_PULL * ((logs - start) ** 2).sum())

    corners = np.vstack([start, start + np.eye(len(start))])
    options = {"maxiter": 200, "xatol": 0.02, "fatol": 1e-5, "initial_simplex": corners}
    best = minimize(loss, start, method="Nelder-Mead", options=options)
    return dict(zip(priors, np.exp(best.x).tolist(), strict=True))


def fit_calibration(examples: CalibrationSet) -> Calibration:
    """Return what turns confidence features into the probability that the reply is right.

    Logistic regression in which no feature may count against a reply: each of them speaks for it,
    and a fit on few questions that says otherwise has only seen chance.
    """
    from scipy.optimize import minimize

    right = examples.right
    if min(right.sum(), (~right).sum()) < _FEWEST:
        return Calibration.unfitted(examples.names)
    means, spreads = examples.features.mean(0), examples.features.std(0)
    spreads[spreads < _SMALLEST] = 1.0
    inputs = np.column_stack([(examples.features - means) / spreads, np.ones(len(right))])
    wanted, importance = right.astype(float), examples.importance

    def loss(slopes: Floats) -> tuple[float, Floats]:
        logits = inputs @ slopes
        nats = np.logaddexp(0.0, logits) - wanted * logits
        slack = importance * (_sigmoid(logits) - wanted)
        pulled = np.append(slopes[:-1], 0.0)
        return float(importance @ nats + 0.5 * (pulled @ pulled)), slack @ inputs + pulled

    bounds = [(0.0, None)] * len(examples.names) + [(None, None)]
    found = minimize(
        loss, np.zeros(len(examples.names) + 1), jac=True, method="L-BFGS-B", bounds=bounds
    )
    *slopes, intercept = map(float, found.x)
    return Calibration(
        examples.names,
        tuple(map(float, means)),
        tuple(map(float, spreads)),
        tuple(slopes),
        intercept,
    )


def threshold(confidences: Floats, examples: CalibrationSet, *, declines: bool) -> float:
    """Return the confidence below which a question is declined.

    As high as it can be while few right answers are lost, and never so high that an answer is
    declined which is more likely right than wrong.

    Args:
        declines: whether the corpus itself has questions to be declined; else few are lost for it
    """
    asked = int(examples.answerable.sum())
    right = np.sort(confidences[examples.right])
    if not len(right) or asked == len(confidences):
        return 0.0
    lost = int((_MAX_LOST_SHARE if declines else _MAX_LOST_SHARE_UNASKED) * asked)
    return min(float(right[min(lost, len(right) - 1)]), _EVEN)


def _nats(sums: Floats, right: Flags) -> Floats:
    """Return how unlikely the right candidates are to each question, (questions,)."""
    shifted = np.exp(sums - sums.max(axis=1, keepdims=True))
    likely = np.where(right, shifted, 0.0).sum(axis=1)
    nats: Floats = np.log(shifted.sum(axis=1)) - np.log(np.maximum(likely, 1e-300))
    return nats


def _sigmoid(logits: Floats) -> Floats:
    found: Floats = np.exp(-np.logaddexp(0.0, -logits))
    return found
