"""Small functions over (questions, candidates) that scorers share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from chatseq.bots.contracts import Floats, Ints

FURTHEST = 30.0  # nats; beyond it a lead or a logit says no more


def lead_over_others(scores: Floats, candidates: Ints) -> Floats:
    """Return how far each candidate is ahead of the best other that says something.

    0 where there is no other. Both are (questions, candidates).
    """
    speaking = np.where(candidates >= 0, scores, -np.inf)
    if scores.shape[1] < 2:
        return np.zeros(scores.shape)
    best = speaking.argmax(axis=1)[:, None]
    top = np.take_along_axis(speaking, best, axis=1)
    rest = speaking.copy()
    np.put_along_axis(rest, best, -np.inf, axis=1)
    second = rest.max(axis=1, keepdims=True)
    others = np.where(np.arange(scores.shape[1]) == best, second, top)
    known: NDArray[np.bool_] = np.isfinite(others)
    return np.where(known, scores - np.where(known, others, 0.0), 0.0)


def bounded(values: Floats) -> Floats:
    """Return values cut to where they still say something."""
    cut: Floats = np.clip(values, -FURTHEST, FURTHEST)
    return cut
