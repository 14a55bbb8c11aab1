"""What the attentions share: folding beams into the query axis, and attending without history."""

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


class ScoringAttention(nn.Module):
    """Weigh the memory by scores that need no history, all target steps at once.

    What is built on it gives `scores`, and `keys` unless the states are their own keys.
    """

    def __init__(self, memory_size: int, normaliser: Normaliser) -> None:
        super().__init__()
        self.output_size = memory_size
        self.normalise = normaliser_named(normaliser)

    def keys(self, states: Tensor) -> Tensor:
        """Return (batch, source, key) from states (batch, source, memory)."""
        return states

    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Return (batch, queries, source) from queries (batch, queries, query)."""
        raise NotImplementedError

    def weigh(self, scores: Tensor, mask: Tensor, queries: Tensor) -> Tensor:  # noqa: ARG002
        """Return weights (batch, queries, source) that sum to 1 over real tokens."""
        return self.normalise(scores, mask.unsqueeze(1))

    def prepare(self, memory: Memory) -> tuple[Tensor, ...]:
        """Make the keys."""
        keys = self.keys(memory.states)
        if keys is memory.states:
            return Plain(memory.states, memory.mask)
        return Keyed(memory.states, memory.mask, keys)

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
        states, mask, *keys = prepared
        queries = fold(query, states)  # (batch, k x target, query)
        weights = self.weigh(self.scores(queries, keys[0] if keys else states), mask, queries)
        return attended(query, states, weights, state)


def attended(query: Tensor, states: Tensor, weights: Tensor, state: tuple[Tensor, ...]) -> Attended:
    """Return what weights (batch, k x target, source) find in the states, as rows."""
    alike = weights if weights.dtype is states.dtype else weights.to(states.dtype)
    return Attended(*unfold(alike @ states, weights, query), state)


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
