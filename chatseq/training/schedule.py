"""How fast is learnt, as a function of how far the run has come."""

from __future__ import annotations

import math

_LAST = 0.01  # of the highest rate, at the end


def learning_rate(progress: float, *, highest: float, warmup_share: float) -> float:
    """Return the rate for a step: up in a line, then down along a half cosine.

    Args:
        progress: 0..1 of the run, by steps or by time, whichever ends it first
        warmup_share: 0..1 of the run
    """
    if progress < warmup_share:
        return highest * max(_LAST, progress / warmup_share)
    rest = (progress - warmup_share) / (1 - warmup_share) if warmup_share < 1 else 1.0
    return highest * (_LAST + (1 - _LAST) * 0.5 * (1 + math.cos(math.pi * min(1.0, rest))))


def epochs_of_run(steps_an_epoch: int, *, max_epochs: int, min_steps: int) -> float:
    """Return how often a run goes through its corpus, unless something ends it earlier."""
    return max(max_epochs, min_steps / steps_an_epoch)
