"""How fast is learnt, and how much help is given, as functions of how far the run has come.

Progress is 0..1 of a run, by steps or by time, whichever ends it first. No schedule counts steps,
so all of them work for runs that are limited by time.
"""

from __future__ import annotations

import math
from collections.abc import Callable

Shape = Callable[[float, float], float]  # from 0..1 after the warm-up, and the warm-up's share

_LAST = 0.01  # of the highest rate, at the end
_SOONEST = 0.02  # of the run: an inverse root without any warm-up would begin at infinity


def learning_rate(
    progress: float, *, highest: float, warmup_share: float, schedule: str = "cosine"
) -> float:
    """Return the rate for a step: up in a line, then as the schedule says.

    Args:
        progress: 0..1 of the run
        warmup_share: 0..1 of the run
        schedule: a name in `SCHEDULES`
    """
    if progress < warmup_share:
        return highest * max(_LAST, progress / warmup_share)
    rest = (progress - warmup_share) / (1 - warmup_share) if warmup_share < 1 else 1.0
    return highest * SCHEDULES[schedule](min(1.0, rest), warmup_share)


def _cosine(rest: float, warmup: float) -> float:  # noqa: ARG001
    """Fall along a half cosine, slowly at both ends (Loshchilov and Hutter 2017, section 3)."""
    return _LAST + (1 - _LAST) * 0.5 * (1 + math.cos(math.pi * rest))


def _linear(rest: float, warmup: float) -> float:  # noqa: ARG001
    return 1 - (1 - _LAST) * rest


def _constant(rest: float, warmup: float) -> float:  # noqa: ARG001
    return 1.0


def _inverse_root(rest: float, warmup: float) -> float:
    """Fall with the root of what was done since the start (Vaswani et al. 2017, section 5.3)."""
    begun = max(warmup, _SOONEST)
    return math.sqrt(begun / (begun + rest * (1 - warmup)))


def _exponential(rest: float, warmup: float) -> float:  # noqa: ARG001
    """Fall by the same factor in equal times."""
    return float(_LAST**rest)


def _halved(rest: float, warmup: float) -> float:  # noqa: ARG001
    """Halve in each tenth of the second half (Luong et al. 2015, section 4.1: each epoch of 10)."""
    tenths = min(9, int(10 * rest))
    return float(0.5 ** max(0, tenths - 4))


SCHEDULES: dict[str, Shape] = {
    "cosine": _cosine,
    "linear": _linear,
    "constant": _constant,
    "inverse-sqrt": _inverse_root,
    "exponential": _exponential,
    "step": _halved,
}

_STEEP = 12.0  # of the sigmoid: at both ends it is within 0.3 % of 0 and 1

# How the share of a model's own tokens rises from 0 to 1 (Bengio et al. 2015, section 2.4: there
# it is told how the share of true tokens falls).
RISES: dict[str, Callable[[float], float]] = {
    "linear": lambda progress: progress,
    "exponential": lambda progress: (1 - _LAST**progress) / (1 - _LAST),
    "sigmoid": lambda progress: 1 / (1 + math.exp(_STEEP * (0.5 - progress))),
}


def epochs_of_run(steps_an_epoch: int, *, max_epochs: int, min_steps: int) -> float:
    """Return how often a run goes through its corpus, unless something ends it earlier."""
    return max(max_epochs, min_steps / steps_an_epoch)
