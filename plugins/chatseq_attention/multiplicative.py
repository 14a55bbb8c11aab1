"""Attentions whose score is a product of query and memory (Luong et al. 2015, section 3.1)."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn

from chatseq.model.contracts import Attended, Memory
from chatseq_attention.weighting import fold, masked_softmax, unfold


class Keyed(NamedTuple):
    """A source with its keys, made once."""

    states: Tensor  # (batch, source, memory)
    mask: Tensor  # (batch, source)
    keys: Tensor  # (batch, source, query)


class Plain(NamedTuple):
    """A source whose states are their own keys."""

    states: Tensor  # (batch, source, memory)
    mask: Tensor  # (batch, source)


class GeneralAttention(nn.Module):
    """Score each memory vector by query · W · memory (Luong et al. 2015, "general").

    W is applied to the memory, once a source, instead of to every query.
    """

    def __init__(self, query_size: int, memory_size: int) -> None:
        super().__init__()
        self.output_size = memory_size
        self.project = nn.Linear(memory_size, query_size, bias=False)

    def prepare(self, memory: Memory) -> Keyed:
        """Project the memory to keys."""
        return Keyed(memory.states, memory.mask, self.project(memory.states))

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
        states, mask, keys = prepared
        return attend(query, keys, states, mask, state)


class DotAttention(nn.Module):
    """Score each memory vector by query · memory (Luong et al. 2015, "dot"); nothing is learnt."""

    def __init__(self, query_size: int, memory_size: int) -> None:
        super().__init__()
        if query_size != memory_size:
            raise ValueError(
                f"the query is {query_size} wide and the memory {memory_size}, but a dot product "
                f"needs equal widths. Set model.decoder.hidden_size={memory_size}, "
                "or take the attention 'general'."
            )
        self.output_size = memory_size

    def prepare(self, memory: Memory) -> Plain:
        """Keep the memory as it is."""
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
        states, mask = prepared
        return attend(query, states, states, mask, state)


def attend(
    query: Tensor, keys: Tensor, states: Tensor, mask: Tensor, state: tuple[Tensor, ...]
) -> Attended:
    """Attend by products of queries and keys."""
    scores = fold(query, keys) @ keys.transpose(1, 2)  # (batch, k x target, source)
    weights = masked_softmax(scores, mask)
    context = weights @ states  # (batch, k x target, memory)
    return Attended(*unfold(context, weights, query), state)
