"""What a strategy may draw from: the temperature, and rules that leave out the unlikely.

A rule gets log-probabilities, (rows, vocab) of 64 bits that sum to 1, and tells which tokens stay.
Tokens of equal probability stay or go together, so that the order in which a library sorts them
does not matter. Every rule keeps at least one token.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from chatseq.decoding.arrays import highest, normalised
from chatseq.engines.contracts import Array

Rule = Callable[[Any, Array], Array]  # (namespace, log-probabilities) -> which tokens stay

_USUAL = 256  # tokens that hold nearly all of most distributions; sorting all costs three times it


class TopK:
    """The `count` likeliest tokens (Fan et al. 2018, section 5.4)."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __call__(self, xp: Any, log_probs: Array) -> Array:
        return log_probs >= highest(xp, log_probs, self._count)[:, -1:]


class TopP:
    """The fewest likely tokens that hold the mass (Holtzman et al. 2020, section 3.1)."""

    def __init__(self, mass: float) -> None:
        self._mass = mass

    def __call__(self, xp: Any, log_probs: Array) -> Array:
        falling = xp.exp(highest(xp, log_probs, _USUAL))
        if (xp.sum(falling, axis=-1) < self._mass).any():
            falling = xp.flip(xp.sort(xp.exp(log_probs), axis=-1), axis=-1)
        last = _reached(xp, falling, self._mass)  # (rows,)
        least = falling[xp.arange(last.shape[0], device=last.device), last]
        return xp.exp(log_probs) >= least[:, None]


class MinP:
    """The tokens that have at least this share of the likeliest one's probability
    (Nguyen et al. 2024, section 3).
    """

    def __init__(self, share: float) -> None:
        self._below = math.log(share)

    def __call__(self, xp: Any, log_probs: Array) -> Array:
        return log_probs >= xp.max(log_probs, axis=-1)[:, None] + self._below


class Typical:
    """The tokens that hold the mass and whose surprise is nearest to what is expected
    (Meister et al. 2022, section 4). The likeliest token may go.
    """

    def __init__(self, mass: float) -> None:
        self._mass = mass

    def __call__(self, xp: Any, log_probs: Array) -> Array:
        distance = xp.abs(log_probs + _entropy(xp, log_probs)[:, None])  # inf where impossible
        rows = xp.arange(log_probs.shape[0], device=log_probs.device)
        order = xp.argsort(distance, axis=-1)
        last = _reached(xp, xp.exp(log_probs)[rows[:, None], order], self._mass)  # (rows,)
        return distance <= distance[rows, order[rows, last]][:, None]


class Eta:
    """The tokens above a floor that sinks where the model is unsure (Hewitt et al. 2022,
    section 4.2): min(eta, sqrt(eta) * exp(-entropy)). The likeliest token stays.
    """

    def __init__(self, eta: float) -> None:
        self._eta = eta

    def __call__(self, xp: Any, log_probs: Array) -> Array:
        entropy = _entropy(xp, log_probs)
        floor = math.sqrt(self._eta) * xp.exp(-entropy)
        floor = xp.where(floor > self._eta, xp.full_like(floor, self._eta), floor)
        likeliest = log_probs == xp.max(log_probs, axis=-1)[:, None]
        return likeliest | (xp.exp(log_probs) > floor[:, None])


class Truncation:
    """A temperature and rules, applied one after the other, each to what the one before left.

    Args:
        temperature: log-probabilities are divided by it first
        top_k: see `TopK`; 0: off
        top_p: see `TopP`; 1: off
        min_p: see `MinP`; 0: off
        typical_p: see `Typical`; 1: off
        eta: see `Eta`; 0: off
    """

    def __init__(
        self,
        temperature: float,
        *,
        top_k: int = 0,
        top_p: float = 1.0,
        min_p: float = 0.0,
        typical_p: float = 1.0,
        eta: float = 0.0,
    ) -> None:
        if not 0 < temperature < math.inf:
            raise ValueError(
                f"temperature ({temperature}) must be above 0. For the likeliest token, take the "
                "strategy greedy."
            )
        if top_k < 0:
            raise ValueError(f"top_k ({top_k}) must be 0 or more.")
        for name, mass in (("top_p", top_p), ("typical_p", typical_p)):
            if not 0 < mass <= 1:
                raise ValueError(f"{name} ({mass}) must be above 0 and at most 1.")
        for name, share in (("min_p", min_p), ("eta", eta)):
            if not 0 <= share < 1:
                raise ValueError(f"{name} ({share}) must be 0 or more and below 1.")
        self._temperature = temperature
        rules: list[tuple[bool, Callable[[], Rule]]] = [
            (top_k > 0, lambda: TopK(top_k)),
            (top_p < 1, lambda: TopP(top_p)),
            (min_p > 0, lambda: MinP(min_p)),
            (typical_p < 1, lambda: Typical(typical_p)),
            (eta > 0, lambda: Eta(eta)),
        ]
        self._rules = [make() for wanted, make in rules if wanted]

    def __call__(self, xp: Any, scores: Array) -> Array:
        """Return what is drawn from: log-probabilities of 64 bits, -inf where left out.

        Args:
            scores: (rows, vocab); rows in which nothing is possible stay so
        """
        wide = xp.asarray(scores, dtype=xp.float64)
        log_probs = normalised(xp, wide / self._temperature)
        for rule in self._rules:
            left = xp.where(rule(xp, log_probs), log_probs, xp.full_like(log_probs, -math.inf))
            log_probs = normalised(xp, left)
        return log_probs


def _entropy(xp: Any, log_probs: Array) -> Array:
    """Return the expected surprise of each row in nats, (rows,)."""
    surprise = xp.where(log_probs == -math.inf, xp.zeros_like(log_probs), -log_probs)
    return xp.sum(xp.exp(log_probs) * surprise, axis=-1)


def _reached(xp: Any, shares: Array, mass: float) -> Array:
    """Return the first place of each row at which the shares so far hold the mass, (rows,)."""
    short = xp.sum(shares.cumsum(-1) < mass, axis=-1)
    last = shares.shape[-1] - 1  # sums of many shares may stay a little below 1
    return xp.where(short > last, xp.full_like(short, last), short)
