"""Fit what joins the witnesses; loaded at the end of training only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chatseq_qa.ensemble import CONFIDENCE_FEATURES, Calibration, EnsembleWeights
from chatseq_qa.scorers import AnswerScores

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
_SMALLEST = 1e-6  # spread of a sign; a smaller one is none
_FEWEST = 5  # right and wrong replies; of fewer nothing can be fitted


@dataclass(frozen=True, slots=True)
class CalibrationSet:
    """What came of the questions that were practised."""

    signs: Floats  # (questions, signs)
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


def fit_weights(heard: Sequence[AnswerScores], wanted: Sequence[frozenset[int]]) -> EnsembleWeights:
    """Return the weights that make the wanted answers likeliest."""
    from scipy.optimize import minimize

    told = [
        (np.stack([h.network, h.linear, h.likeness]), np.isin(h.answers, list(w)))
        for h, w in zip(heard, wanted, strict=True)
        if w and np.isin(h.answers, list(w)).any()
    ]
    usual = EnsembleWeights()
    start = np.log([usual.network, usual.linear, usual.likeness])
    if not told:
        return usual

    def loss(logs: Floats) -> float:
        weights = np.exp(logs)
        nats = sum(_nats(weights @ scores, right) for scores, right in told)
        return float(nats / len(told) + _PULL * ((logs - start) ** 2).sum())

    corners = np.vstack([start, start + np.eye(len(start))])
    options = {"maxiter": 200, "xatol": 0.02, "fatol": 1e-5, "initial_simplex": corners}
    found = minimize(loss, start, method="Nelder-Mead", options=options)
    network, linear, likeness = np.exp(found.x)
    return EnsembleWeights(float(network), float(linear), float(likeness))


def fit_calibration(practice: CalibrationSet) -> Calibration:
    """Return what turns signs into the probability that the reply is right.

    Logistic regression in which no sign may count against a reply: each of them speaks for it, and
    a fit on few questions that says otherwise has only seen chance.
    """
    from scipy.optimize import minimize

    right = practice.right
    if min(right.sum(), (~right).sum()) < _FEWEST:
        return Calibration()
    means, spreads = practice.signs.mean(0), practice.signs.std(0)
    spreads[spreads < _SMALLEST] = 1.0
    signs = np.column_stack([(practice.signs - means) / spreads, np.ones(len(right))])
    wanted, importance = right.astype(float), practice.importance

    def loss(slopes: Floats) -> tuple[float, Floats]:
        logits = signs @ slopes
        nats = np.logaddexp(0.0, logits) - wanted * logits
        slack = importance * (_sigmoid(logits) - wanted)
        pulled = np.append(slopes[:-1], 0.0)
        return float(importance @ nats + 0.5 * (pulled @ pulled)), slack @ signs + pulled

    bounds = [(0.0, None)] * len(CONFIDENCE_FEATURES) + [(None, None)]
    found = minimize(
        loss, np.zeros(len(CONFIDENCE_FEATURES) + 1), jac=True, method="L-BFGS-B", bounds=bounds
    )
    *slopes, intercept = map(float, found.x)
    return Calibration(
        tuple(map(float, means)), tuple(map(float, spreads)), tuple(slopes), intercept
    )


def threshold(confidences: Floats, practice: CalibrationSet, *, declines: bool) -> float:
    """Return the confidence below which a question is declined.

    As high as it can be while few right answers are lost, and never so high that an answer is
    declined which is more likely right than wrong.

    Args:
        declines: whether the corpus itself has questions to be declined; else few are lost for it
    """
    asked = int(practice.answerable.sum())
    right = np.sort(confidences[practice.right])
    if not len(right) or asked == len(confidences):
        return 0.0
    lost = int((_MAX_LOST_SHARE if declines else _MAX_LOST_SHARE_UNASKED) * asked)
    return min(float(right[min(lost, len(right) - 1)]), _EVEN)


def _nats(sums: Floats, right: Flags) -> float:
    shifted = sums - sums.max()
    shares = np.exp(shifted)
    return float(np.log(shares.sum()) - np.log(max(shares[right].sum(), 1e-300)))


def _sigmoid(logits: Floats) -> Floats:
    found: Floats = np.exp(-np.logaddexp(0.0, -logits))
    return found
