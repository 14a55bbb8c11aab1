"""What the attentions share: no history, and beams folded into the query axis.

A forward reads as a paper does: score, mask, normalise, sum.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn

from chatseq.model.contracts import Attended, Memory
from chatseq_attention.normalise import Normaliser, normaliser_named


class Plain(NamedTuple):
    """A source whose states are their own keys."""

    states: Tensor  # (batch, source, memory)
    mask: Tensor  # (batch, source)


class Keyed(NamedTuple):
    """A source with its keys, made once."""

    states: Tensor  # (batch, source, memory)
    mask: Tensor  # (batch, source)
    keys: Tensor  # (batch, source, key)


class HistoryFreeAttention(nn.Module):
    """Weigh the memory by scores that need no history, all target steps at once."""

    def __init__(self, memory_size: int, normaliser: Normaliser) -> None:
        super().__init__()
        self.output_size = memory_size
        self.normalise = normaliser_named(normaliser)

    def prepare(self, memory: Memory) -> tuple[Tensor, ...]:
        """Return what the scores read of a source: its states, which are their own keys."""
        return Plain(memory.states, memory.mask)

    def start(self, memory: Memory) -> tuple[Tensor, ...]:  # noqa: ARG002
        """Return no state: scores need no history."""
        return ()

    def forward(
        self, query: Tensor, prepared: tuple[Tensor, ...], state: tuple[Tensor, ...]
    ) -> Attended:
        """Attend.

        Args:
            query: (rows, target, query)
            prepared: as `prepare` gave it, or the same tensors in a plain tuple
        """
        raise NotImplementedError


def weighted_sum(weights: Tensor, states: Tensor) -> Tensor:
    """Return the context vectors, (batch, queries, memory), from weights (batch, queries, source).

    Weights are at least of single precision; the sum is of the states' own.
    """
    alike = weights if weights.dtype is states.dtype else weights.to(states.dtype)
    return alike @ states


def fold(query: Tensor, memory: Tensor) -> Tensor:
    """Return the queries with all rows of one source side by side, so that it is read only once.

    Args:
        query: (batch x k, target, query), the k rows of a source adjacent
        memory: anything with the batch as its first axis

    Returns:
        (batch, k x target, query)
    """
    return query.reshape(memory.shape[0], -1, _width(query))


def unfold(context: Tensor, weights: Tensor, query: Tensor) -> tuple[Tensor, Tensor]:
    """Return what was found for folded queries as rows again: (batch x k, target, ...) each."""
    target = int(query.shape[1])
    return (
        context.reshape(-1, target, _width(context)),
        weights.reshape(-1, target, weights.shape[2]),
    )


def _width(tensor: Tensor) -> int:
    """Return the last size as a constant: a graph need not work it out at every step."""
    return int(tensor.shape[-1])
