"""From what the scorers say to one answer.

Their scores are added up with fitted weights, and a softmax over the candidates gives each of them
its share (a conditional logit; McFadden 1974). How sure that makes the best one is a matter of
chatseq_qa.calibration.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from chatseq.bots.contracts import DECLINE, NO_CANDIDATE, Floats, Ints
from chatseq_qa.score_arrays import FURTHEST
from chatseq_qa.scorer_group import ScoredCandidates


class RankedAnswers(NamedTuple):
    """The answers to one question that say something, best first."""

    answers: Ints
    shares: Floats  # of each among all candidates, declining counted
    features: Floats  # confidence features of the best, in the order of `feature_names`


def rank(
    scored: ScoredCandidates, weights: Mapping[str, float], names: Sequence[str]
) -> Iterator[RankedAnswers]:
    """Yield the answers to each question, best first; there may be none.

    Args:
        names: of the confidence features, as ScorerGroup.feature_names
    """
    sums = weighted_sum(scored, weights)
    features = [scored.features[name] for name in names if name in scored.features]
    for row, candidates in enumerate(scored.candidates):
        totals = sums[row]
        speaking = np.flatnonzero(candidates >= 0)
        order = speaking[np.argsort(-totals[speaking], kind="stable")]
        if not len(order):
            yield RankedAnswers(candidates[:0], totals[:0], np.zeros(len(names)))
            continue
        shares = np.exp(totals - totals.max())
        shares /= shares.sum()
        best, declining = order[0], totals[candidates == DECLINE]
        own = [
            logit(float(shares[best])),
            _bounded(totals[best] - totals[order[1]]) if len(order) > 1 else FURTHEST,
            _bounded(totals[best] - declining[0]) if len(declining) else 0.0,
        ]
        told = np.array([*own, *(values[row, best] for values in features)])
        yield RankedAnswers(candidates[order], shares[order], told)


def weighted_sum(scored: ScoredCandidates, weights: Mapping[str, float]) -> Floats:
    """Return the score of each candidate, (questions, candidates); -inf of NO_CANDIDATE."""
    sums = np.zeros(scored.candidates.shape)
    for name, scores in scored.scores.items():
        sums += weights[name] * scores
    sums[scored.candidates == NO_CANDIDATE] = -np.inf
    return sums


def logit(share: float) -> float:
    """Return the log-odds of a share, bounded."""
    share = min(max(share, 1e-12), 1 - 1e-12)
    return _bounded(math.log(share / (1 - share)))


def _bounded(value: float) -> float:
    return float(min(max(value, -FURTHEST), FURTHEST))
