"""Attentions whose score is a product of query and memory (Luong et al. 2015, section 3.1)."""

from __future__ import annotations

from torch import Tensor, nn

from chatseq_attention.base import ScoringAttention
from chatseq_attention.normalise import Normaliser


class DotAttention(ScoringAttention):
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

    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Return the products of all pairs."""
        return queries @ keys.transpose(1, 2)


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

    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Return the scaled products of all pairs."""
        return super().scores(queries * self.scale, keys)


class GeneralAttention(ScoringAttention):
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

    def keys(self, states: Tensor) -> Tensor:
        """Return W · memory, (batch, source, query)."""
        keys: Tensor = self.project(states)
        return keys

    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Return the products of all pairs."""
        return queries @ keys.transpose(1, 2)
