"""Attention whose score is a small network (Bahdanau et al. 2015, section 3.1 and A.1.2)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from chatseq.model.contracts import Attended, Memory
from chatseq_attention.weighting import fold, masked_softmax, unfold

CHUNK_NUMBERS = 1 << 22  # of the (queries x source x attention) tensor held at once: 16 MB


class Projected(NamedTuple):
    """A source with its projected keys, made once."""

    states: Tensor  # (batch, source, memory)
    mask: Tensor  # (batch, source)
    keys: Tensor  # (batch, source, attention)


class AdditiveAttention(nn.Module):
    """Score each memory vector by v · tanh(W query + U memory) (Bahdanau et al. 2015).

    U is applied once a source. Where a batch is large, scores are made for a few queries at a time
    and made again for the gradient, because all of them at once would fill the memory.
    """

    def __init__(
        self, query_size: int, memory_size: int, *, hidden_size: int | None = None
    ) -> None:
        """Build.

        Args:
            hidden_size: width of the small network; as wide as the query if not given
        """
        super().__init__()
        self.output_size = memory_size
        width = query_size if hidden_size is None else hidden_size
        if width < 1:
            raise ValueError(f"hidden_size ({width}) must be at least 1. Set it to {query_size}.")
        self.project_query = nn.Linear(query_size, width, bias=False)
        self.project_memory = nn.Linear(memory_size, width)
        self.score = nn.Linear(width, 1, bias=False)

    def prepare(self, memory: Memory) -> Projected:
        """Project the memory to keys."""
        return Projected(memory.states, memory.mask, self.project_memory(memory.states))

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
        projected = self.project_query(fold(query, keys))  # (batch, k x target, attention)
        scores = self._scores_in_chunks(projected, keys)
        weights = masked_softmax(scores, mask)
        context = weights @ states  # (batch, k x target, memory)
        return Attended(*unfold(context, weights, query), state)

    def _scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        mixed = torch.tanh(queries.unsqueeze(2) + keys.unsqueeze(1))  # (batch, queries, source, _)
        scores: Tensor = self.score(mixed).squeeze(3)  # (batch, queries, source)
        return scores

    def _scores_in_chunks(self, queries: Tensor, keys: Tensor) -> Tensor:
        if torch.onnx.is_in_onnx_export():  # a graph takes any size, so its number is not known
            return self._scores(queries, keys)
        size = max(1, CHUNK_NUMBERS // max(1, keys.numel()))
        if queries.shape[1] <= size:
            return self._scores(queries, keys)
        parts = [
            checkpoint(self._scores, part, keys, use_reentrant=False, preserve_rng_state=False)
            for part in torch.split(queries, size, dim=1)
        ]
        return torch.cat(parts, dim=1)
