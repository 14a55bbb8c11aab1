"""What every kind of beam search shares: the score of a whole reply, and the best ones found."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from chatseq.decoding.contracts import Hypothesis

LengthForm = Literal["power", "wu"]

_LEAST_COVERED = 1e-3  # so that a token nobody looked at costs 7 penalties, not an endless one


def _power(length: int, penalty: float) -> float:
    return float(length**penalty)


def _wu(length: int, penalty: float) -> float:
    return float(((5 + length) / 6) ** penalty)


_FORMS: Mapping[LengthForm, Callable[[int, float], float]] = {"power": _power, "wu": _wu}


class Scoring:
    """How the sum of a reply's log-probabilities becomes its score (Wu et al. 2016, equation 14).

    Args:
        length_penalty: the exponent of the length by which the sum is divided
        form: of the divisor; see `Beam`
        coverage_penalty: how much a token of the question costs that was hardly looked at
    """

    def __init__(
        self, length_penalty: float, form: LengthForm = "power", coverage_penalty: float = 0.0
    ) -> None:
        for name, value in (
            ("length_penalty", length_penalty),
            ("coverage_penalty", coverage_penalty),
        ):
            if not 0 <= value < math.inf:
                raise ValueError(f"{name} ({value}) must be 0 or more.")
        self._penalty, self._form = length_penalty, _FORMS[form]
        self.coverage_penalty = coverage_penalty

    def divisor(self, length: int) -> float:
        """Return what a sum is divided by; it never falls with the length."""
        return self._form(length, self._penalty)

    def score(self, total: float, length: int, covered: Sequence[float] = ()) -> float:
        """Return the score of a whole reply.

        Args:
            total: sum of its log-probabilities
            length: its tokens, the end mark counted
            covered: the attention that each token of the question got in all
        """
        found = total / self.divisor(length)
        if self.coverage_penalty:
            logs = sum(math.log(min(1.0, max(_LEAST_COVERED, share))) for share in covered)
            found += self.coverage_penalty * logs
        return found

    def ranked(self, hypotheses: Sequence[Hypothesis]) -> list[Hypothesis]:
        """Put whole replies before cut ones, and the higher score first."""
        scored = [
            replace(reply, score=self.score(reply.score, _length(reply), _covered(reply)))
            for reply in hypotheses
        ]
        return sorted(scored, key=lambda reply: (reply.ended, reply.score), reverse=True)


class Kept:
    """The scores of the best replies that one search of one question has found."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._best: list[float] = []  # falling
        self.count = 0  # replies that ended, also those that are not among the best

    def add(self, score: float) -> None:
        """Take in the score of a reply that ended."""
        self.count += 1
        self._best = sorted([*self._best, score], reverse=True)[: self._most]

    def beats(self, bound: float) -> bool:
        """Tell whether no reply of at most this score could enter any more."""
        return len(self._best) == self._most and bound <= self._best[-1]


def _length(reply: Hypothesis) -> int:
    return max(1, len(reply.log_probs))


def _covered(reply: Hypothesis) -> list[float]:
    return [sum(column) for column in zip(*reply.weights, strict=True)]
