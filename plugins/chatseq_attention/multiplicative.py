"""Attentions whose score is a product of query and memory (Luong et al. 2015, section 3.1)."""

from __future__ import annotations

from torch import Tensor, nn

from chatseq.model.contracts import Attended, Memory
from chatseq_attention.base import HistoryFreeAttention, Keyed, fold, unfold, weighted_sum
from chatseq_attention.normalise import Normaliser


class DotAttention(HistoryFreeAttention):
    """Score each memory vector by query · memory (Luong et al. 2015, "dot"); nothing is learnt."""

    def __init__(
        self, query_size: int, memory_size: int, *, normaliser: Normaliser = "softmax"
    ) -> None:
        """Build.

        Args:
            normaliser: softmax, or sparsemax or entmax15, which leave tokens out
        """
        super().__init__(memory_size, normaliser)
        if query_size != memory_size:
            raise ValueError(
                f"the query is {query_size} wide and the memory {memory_size}, but a dot product "
                f"needs equal widths. Set model.decoder.hidden_size={memory_size}, "
                "or take the attention 'general'."
            )

    def forward(
        self, query: Tensor, prepared: tuple[Tensor, ...], state: tuple[Tensor, ...]
    ) -> Attended:
        """Attend.

        Args:
            query: (rows, target, query)
            prepared: as `prepare` gave it, or the same tensors in a plain tuple
        """
        states, mask, *_ = prepared
        queries = fold(query, states)  # (batch, k x target, query)
        scores = queries @ states.transpose(1, 2)  # (batch, k x target, source)
        real = mask.unsqueeze(1)  # (batch, 1, source), True where a token is
        weights = self.normalise(scores, real)  # (batch, k x target, source)
        context = weighted_sum(weights, states)  # (batch, k x target, memory)
        return Attended(*unfold(context, weights, query), state)


class ScaledDotAttention(DotAttention):
    """Score by query · memory / √width, which stays near 1 (Vaswani et al. 2017, section 3.2.1)."""

    def __init__(
        self, query_size: int, memory_size: int, *, normaliser: Normaliser = "softmax"
    ) -> None:
        """Build.

        Args:
            normaliser: softmax, or sparsemax or entmax15, which leave tokens out
        """
        super().__init__(query_size, memory_size, normaliser=normaliser)
        self.scale = query_size**-0.5

    def forward(
        self, query: Tensor, prepared: tuple[Tensor, ...], state: tuple[Tensor, ...]
    ) -> Attended:
        """Attend; the arguments are those of `DotAttention`."""
        states, mask, *_ = prepared
        queries = fold(query, states) * self.scale  # (batch, k x target, query)
        scores = queries @ states.transpose(1, 2)  # (batch, k x target, source)
        real = mask.unsqueeze(1)  # (batch, 1, source), True where a token is
        weights = self.normalise(scores, real)  # (batch, k x target, source)
        context = weighted_sum(weights, states)  # (batch, k x target, memory)
        return Attended(*unfold(context, weights, query), state)


class GeneralAttention(HistoryFreeAttention):
    """Score each memory vector by query · W · memory (Luong et al. 2015, "general").

    W is applied to the memory, once a source, instead of to every query.
    """

    def __init__(
        self, query_size: int, memory_size: int, *, normaliser: Normaliser = "softmax"
    ) -> None:
        """Build.

        Args:
            normaliser: softmax, or sparsemax or entmax15, which leave tokens out
        """
        super().__init__(memory_size, normaliser)
        self.project = nn.Linear(memory_size, query_size, bias=False)

    def prepare(self, memory: Memory) -> tuple[Tensor, ...]:
        """Make the keys W · memory, (batch, source, query)."""
        return Keyed(memory.states, memory.mask, self.project(memory.states))

    def forward(
        self, query: Tensor, prepared: tuple[Tensor, ...], state: tuple[Tensor, ...]
    ) -> Attended:
        """Attend.

        Args:
            query: (rows, target, query)
            prepared: as `prepare` gave it, or the same tensors in a plain tuple
        """
        states, mask, keys = prepared
        queries = fold(query, states)  # (batch, k x target, query)
        scores = queries @ keys.transpose(1, 2)  # (batch, k x target, source)
        real = mask.unsqueeze(1)  # (batch, 1, source), True where a token is
        weights = self.normalise(scores, real)  # (batch, k x target, source)
        context = weighted_sum(weights, states)  # (batch, k x target, memory)
        return Attended(*unfold(context, weights, query), state)
