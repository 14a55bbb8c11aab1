"""Attention of several heads (Vaswani et al. 2017, section 3.2.2)."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn

from chatseq.model.contracts import Attended, Memory
from chatseq_attention.base import fold, unfold
from chatseq_attention.normalise import Normaliser, normaliser_named, within_half


class Headed(NamedTuple):
    """A source with the keys and values of every head, made once."""

    states: Tensor  # (batch, source, memory)
    mask: Tensor  # (batch, source)
    keys: Tensor  # (batch, head, width, source), scaled
    values: Tensor  # (batch, head, source, width)


class MultiHeadAttention(nn.Module):
    """Attend several times at once by scaled dot products of projections (Vaswani et al. 2017).

    Weights that are returned are the mean over the heads.
    """

    def __init__(
        self,
        query_size: int,
        memory_size: int,
        *,
        heads: int = 4,
        head_size: int | None = None,
        normaliser: Normaliser = "softmax",
    ) -> None:
        """Build.

        Args:
            heads: how many times to attend
            head_size: width of each head; if not given, all heads together are about as wide as
                the memory
            normaliser: of every head: softmax, or sparsemax or entmax15, which leave tokens out
        """
        super().__init__()
        if heads < 1:
            raise ValueError(f"heads ({heads}) must be at least 1. Set it to 4.")
        width = -(-memory_size // heads) if head_size is None else head_size
        if width < 1:
            raise ValueError(f"head_size ({width}) must be at least 1. Set it to 32.")
        self.output_size = memory_size
        self.heads, self.scale = heads, width**-0.5
        self.normalise = normaliser_named(normaliser)
        self.project_query = nn.Linear(query_size, heads * width, bias=False)
        self.project_keys = nn.Linear(memory_size, heads * width, bias=False)
        self.project_values = nn.Linear(memory_size, heads * width, bias=False)
        self.join = nn.Linear(heads * width, memory_size, bias=False)

    def prepare(self, memory: Memory) -> Headed:
        """Make every head's keys and values."""
        keys = self._parted(self.project_keys(memory.states) * self.scale).transpose(2, 3)
        values = self._parted(self.project_values(memory.states))
        return Headed(memory.states, memory.mask, keys, values)

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
        states, mask, keys, values = prepared
        queries = self._parted(within_half(self.project_query(fold(query, states))))
        scores = queries @ keys  # (batch, head, k x target, source)
        real = mask[:, None, None]  # (batch, 1, 1, source), True where a token is
        weights = self.normalise(scores, real)  # (batch, head, k x target, source)
        sums = (weights.to(values.dtype) @ values).transpose(1, 2)  # (batch, _, head, width)
        joined = sums.reshape(states.shape[0], -1, self.join.in_features)
        context = self.join(joined)  # (batch, k x target, memory)
        return Attended(*unfold(context, weights.mean(1), query), state)

    def _parted(self, joined: Tensor) -> Tensor:
        """Return (batch, head, any, width) from (batch, any, head x width)."""
        width = self.join.in_features // self.heads
        return joined.view(joined.shape[0], -1, self.heads, width).transpose(1, 2)
