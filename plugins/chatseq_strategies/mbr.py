"""The strategy `mbr`: of several replies drawn at random, the one that the others agree with."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from chatseq.decoding.contracts import Hypothesis, SearchRequest
from chatseq_strategies.sample import Sampler
from chatseq_strategies.truncation import Truncation

Tokens = tuple[int, ...]


class Mbr:
    """Draw several replies and say the one that is most like all of them (minimum Bayes risk).

    The likeliest reply is often a dull or odd one; the one that loses least whichever of the
    samples is right is safer (Kumar & Byrne 2004; Eikema & Aziz 2022, section 4). Two replies are
    as like as the mean F1 of their runs of 1 to `order` tokens, a simple kin of chrF. A reply's
    score is its mean likeness to all samples, itself included.

    Args:
        samples: replies drawn; they are run side by side
        temperature: below 1 surer than the model, above 1 bolder
        top_p: only the fewest likely tokens with this mass are drawn from; 1: all, as in the paper
        order: tokens of the longest runs that are compared
        n_best: replies returned, the first of them said and the others told as alternatives
    """

    draws = True

    def __init__(
        self,
        *,
        samples: int = 16,
        temperature: float = 1.0,
        top_p: float = 1.0,
        order: int = 4,
        n_best: int = 3,
    ) -> None:
        if samples < 2:
            raise ValueError(f"samples ({samples}) must be at least 2.")
        if order < 1:
            raise ValueError(f"order ({order}) must be at least 1.")
        if not 1 <= n_best <= samples:
            raise ValueError(f"n_best ({n_best}) must be between 1 and samples ({samples}).")
        self._truncation = Truncation(temperature, top_p=top_p)
        self._samples, self._order, self._n_best = samples, order, n_best

    def begin(self, task: SearchRequest) -> Sampler:
        """Return what chooses for one search."""
        rank = partial(by_agreement, order=self._order, n_best=self._n_best)
        return Sampler(task, self._truncation, self._samples, rank)


def by_agreement(hypotheses: Sequence[Hypothesis], *, order: int, n_best: int) -> list[Hypothesis]:
    """Put whole replies before cut ones, and those first that are most like all drawn."""
    drawn = Counter(reply.tokens for reply in hypotheses)
    distinct = {reply.tokens: reply for reply in sorted(hypotheses, key=lambda one: one.ended)}
    runs = {tokens: runs_of(tokens, order) for tokens in distinct}
    ranked = [
        replace(reply, score=_agreement(runs[tokens], drawn, runs))
        for tokens, reply in distinct.items()
    ]
    ranked.sort(key=lambda one: (one.ended, one.score, sum(one.log_probs)), reverse=True)
    return ranked[:n_best]


def runs_of(tokens: Tokens, order: int) -> list[Counter[Tokens]]:
    """Return how often each run of 1, 2, ... `order` tokens stands in a reply."""
    return [
        Counter(tokens[at : at + size] for at in range(len(tokens) - size + 1))
        for size in range(1, order + 1)
    ]


def likeness(one: Sequence[Counter[Tokens]], other: Sequence[Counter[Tokens]]) -> float:
    """Return the mean F1 over the lengths of runs that at least one of two replies has, 0..1."""
    found = []
    for ours, theirs in zip(one, other, strict=True):
        both = ours.total() + theirs.total()
        if both:
            found.append(2 * (ours & theirs).total() / both)
    return math.fsum(found) / len(found) if found else 1.0  # two empty replies are alike


def _agreement(
    ours: Sequence[Counter[Tokens]],
    drawn: Counter[Tokens],
    runs: dict[Tokens, list[Counter[Tokens]]],
) -> float:
    total = math.fsum(times * likeness(ours, runs[tokens]) for tokens, times in drawn.items())
    return total / drawn.total()
