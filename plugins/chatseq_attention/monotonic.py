"""Attention that only moves forward through the source (Raffel et al. 2017)."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, normalize, softplus

from chatseq.model.contracts import Attended, Memory
from chatseq_attention.additive import AdditiveAttention, network_scores, recomputed
from chatseq_attention.base import fold, unfold, weighted_sum
from chatseq_attention.normalise import exact


class Passage(NamedTuple):
    """A source with its projected keys and its end, made once."""

    states: Tensor  # (batch, source, memory)
    mask: Tensor  # (batch, source)
    keys: Tensor  # (batch, source, attention)
    last: Tensor  # (batch, source), True at the last real token


class MonotonicAttention(AdditiveAttention):
    """Move forward from token to token and stop at one, in expectation (Raffel et al. 2017).

    Each step starts where the one before stopped, first at the first token, and stops at a token
    with probability sigmoid(energy). The weights are the probabilities of stopping (eq. 9), while
    learning and while answering: the paper's hard choices would need another graph and would not
    be what was learnt, and what they save, reading a source before its end, is of no use here.
    The noise that makes hard choices safe (section 2.5) is left out for the same reason.

    In the paper, who stops nowhere finds nothing. Here whoever reaches the last token stops there,
    so that the weights always sum to 1.
    """

    def __init__(
        self,
        query_size: int,
        memory_size: int,
        *,
        hidden_size: int | None = None,
        offset: float = 0.0,
    ) -> None:
        """Build.

        Args:
            hidden_size: width of the small network; as wide as the query if not given
            offset: first value of the learnt offset of energies: at 0 a step goes on by about one
                token at first, at -1 by three, at -4 by fifty
        """
        super().__init__(query_size, memory_size, hidden_size=hidden_size)
        if not math.isfinite(offset):
            raise ValueError(f"offset ({offset}) must be a number. Set it to 0.")
        self.gain = nn.Parameter(torch.tensor(self.score.in_features**-0.5))
        self.offset = nn.Parameter(torch.tensor(float(offset)))

    def prepare(self, memory: Memory) -> tuple[Tensor, ...]:
        """Make the keys, and find the end."""
        counted = memory.mask.long().cumsum(1)
        last = memory.mask & (counted == counted[:, -1:])
        return Passage(memory.states, memory.mask, self.project_memory(memory.states), last)

    def start(self, memory: Memory) -> tuple[Tensor, ...]:
        """Return all weight at the first token."""
        first = memory.mask & (memory.mask.long().cumsum(1) == 1)
        return (first.to(exact(memory.states).dtype),)

    def forward(
        self, query: Tensor, prepared: tuple[Tensor, ...], state: tuple[Tensor, ...]
    ) -> Attended:
        """Attend.

        Args:
            query: (rows, target, query)
            prepared: as `prepare` gave it, or the same tensors in a plain tuple
            state: the weights of the step before, (rows, source)
        """
        states, mask, keys, last = prepared
        (now,) = state
        energies = self.energies(fold(query, states), keys)  # (batch, k x target, source)
        ends = torch.where(last.unsqueeze(1), 1.0, energies.sigmoid())
        stops = _as_rows(torch.where(mask.unsqueeze(1), ends, 0.0), query)
        passes = _as_rows(-softplus(energies), query)  # log(1 - sigmoid), (rows, target, source)
        numbers = stops.numel() * states.shape[1]
        steps = []
        for stop, passed in zip(stops.unbind(1), passes.unbind(1), strict=True):
            now = stop * recomputed(arriving, now, passed, numbers=numbers)  # sums to 1
            steps.append(now)
        weights = torch.stack(steps, 1).view(states.shape[0], -1, states.shape[1])
        context = weighted_sum(weights, states)  # (batch, k x target, memory)
        return Attended(*unfold(context, weights, query), (now,))

    def energies(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Return the energies of all pairs, (batch, queries, source)."""
        return exact(network_scores(self._energy, self.project_query(queries), keys))

    def _energy(self, mixed: Tensor) -> Tensor:
        """Return gain · v / ‖v‖ · mixed + offset (eq. 16), (..., 1)."""
        return self.gain * linear(mixed, normalize(self.score.weight, dim=1)) + self.offset


def arriving(weights: Tensor, passes: Tensor) -> Tensor:
    """Return the probability of coming to each token, stopping there or not.

    From a token l to j it is the product of passing all from l to j - 1. Products are sums of
    logarithms, made for each pair by itself: nothing is divided, as eq. 11 does, or taken from a
    larger sum, so nothing overflows or cancels.

    Args:
        weights: where the last step stopped, (rows, source)
        passes: logarithms of the probability of not stopping, (rows, source)
    """
    source = passes.shape[1]
    onward = passes.new_ones(source, source).triu()  # (from, to)
    before = torch.cat([torch.zeros_like(passes[:, :1]), passes[:, :-1]], dim=1).unsqueeze(1)
    paths = (before * onward.triu(1)).cumsum(2).exp() * onward  # (rows, from, to)
    return (weights.unsqueeze(2) * paths).sum(1)  # no product of matrices: autocast would round it


def _as_rows(folded: Tensor, query: Tensor) -> Tensor:
    """Return (rows, target, source) from (batch, k x target, source)."""
    return folded.reshape(-1, int(query.shape[1]), folded.shape[2])
