"""Attentions whose score is a small network (Bahdanau et al. 2015; Luong et al. 2015, "concat")."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import linear
from torch.utils.checkpoint import checkpoint

from chatseq.model.contracts import Attended, Memory
from chatseq_attention.base import HistoryFreeAttention, Keyed, fold, unfold, weighted_sum
from chatseq_attention.normalise import Normaliser

CHUNK_NUMBERS = 1 << 22  # of the (queries x source x attention) tensor held at once: 16 MB


class AdditiveAttention(HistoryFreeAttention):
    """Score each memory vector by v · tanh(W query + U memory) (Bahdanau et al. 2015, A.1.2).

    U is applied once a source. Where a batch is large, scores are made for a few queries at a time
    and made again for the gradient, because all of them at once would fill the memory.
    """

    def __init__(
        self,
        query_size: int,
        memory_size: int,
        *,
        hidden_size: int | None = None,
        normaliser: Normaliser = "softmax",
    ) -> None:
        """Build.

        Args:
            hidden_size: width of the small network; as wide as the query if not given
            normaliser: softmax, or sparsemax or entmax15, which leave tokens out
        """
        super().__init__(memory_size, normaliser)
        width = network_width(hidden_size, query_size)
        self.project_query = nn.Linear(query_size, width, bias=False)
        self.project_memory = nn.Linear(memory_size, width)
        self.score = nn.Linear(width, 1, bias=False)

    def prepare(self, memory: Memory) -> tuple[Tensor, ...]:
        """Make the keys U · memory, (batch, source, attention)."""
        return Keyed(memory.states, memory.mask, self.project_memory(memory.states))

    def forward(
        self, query: Tensor, prepared: tuple[Tensor, ...], state: tuple[Tensor, ...]
    ) -> Attended:
        """Attend.

        Args:
            query: (rows, target, query)
            prepared: as `prepare` gave it, or the same tensors in a plain tuple
        """
        states, mask, keys = prepared
        queries = self.project_query(fold(query, states))  # (batch, k x target, attention)
        scores = network_scores(self.score, queries, keys)  # (batch, k x target, source)
        real = mask.unsqueeze(1)  # (batch, 1, source), True where a token is
        weights = self.normalise(scores, real)  # (batch, k x target, source)
        context = weighted_sum(weights, states)  # (batch, k x target, memory)
        return Attended(*unfold(context, weights, query), state)


class ConcatAttention(HistoryFreeAttention):
    """Score each memory vector by v · tanh(W [query; memory]) (Luong et al. 2015, "concat").

    The halves of W are applied apart, the memory's once a source: the same sum.
    """

    def __init__(
        self,
        query_size: int,
        memory_size: int,
        *,
        hidden_size: int | None = None,
        normaliser: Normaliser = "softmax",
    ) -> None:
        """Build.

        Args:
            hidden_size: width of the small network; as wide as the query if not given
            normaliser: softmax, or sparsemax or entmax15, which leave tokens out
        """
        super().__init__(memory_size, normaliser)
        self.query_size = query_size
        width = network_width(hidden_size, query_size)
        self.project = nn.Linear(query_size + memory_size, width, bias=False)
        self.score = nn.Linear(width, 1, bias=False)

    def prepare(self, memory: Memory) -> tuple[Tensor, ...]:
        """Make the keys, the memory's half of W [query; memory], (batch, source, attention)."""
        keys = linear(memory.states, self.project.weight[:, self.query_size :])
        return Keyed(memory.states, memory.mask, keys)

    def forward(
        self, query: Tensor, prepared: tuple[Tensor, ...], state: tuple[Tensor, ...]
    ) -> Attended:
        """Attend.

        Args:
            query: (rows, target, query)
            prepared: as `prepare` gave it, or the same tensors in a plain tuple
        """
        states, mask, keys = prepared
        half = self.project.weight[:, : self.query_size]
        queries = linear(fold(query, states), half)  # (batch, k x target, attention)
        scores = network_scores(self.score, queries, keys)  # (batch, k x target, source)
        real = mask.unsqueeze(1)  # (batch, 1, source), True where a token is
        weights = self.normalise(scores, real)  # (batch, k x target, source)
        context = weighted_sum(weights, states)  # (batch, k x target, memory)
        return Attended(*unfold(context, weights, query), state)


def network_width(hidden_size: int | None, query_size: int) -> int:
    """Return the width of the small network.

    Raises:
        ValueError: it is not positive.
    """
    width = query_size if hidden_size is None else hidden_size
    if width < 1:
        raise ValueError(f"hidden_size ({width}) must be at least 1. Set it to {query_size}.")
    return width


def network_scores(score: Callable[[Tensor], Tensor], queries: Tensor, keys: Tensor) -> Tensor:
    """Return score(tanh(query + key)) for all pairs, a chunk of the queries at a time.

    Args:
        score: from (..., attention) to (..., 1)
        queries: (batch, queries, attention)
        keys: (batch, source, attention)

    Returns:
        (batch, queries, source)
    """

    def of(some: Tensor, keys: Tensor) -> Tensor:
        mixed = torch.tanh(some.unsqueeze(2) + keys.unsqueeze(1))  # (batch, queries, source, _)
        return score(mixed).squeeze(3)  # (batch, queries, source)

    if torch.onnx.is_in_onnx_export():  # a graph takes any size, so its number is not known
        return of(queries, keys)
    size = max(1, CHUNK_NUMBERS // max(1, keys.numel()))
    if queries.shape[1] <= size:
        return of(queries, keys)
    parts = torch.split(queries, size, dim=1)
    return torch.cat([_checkpointed(of, part, keys) for part in parts], dim=1)


def recomputed(make: Callable[..., Tensor], *inputs: Tensor, numbers: int) -> Tensor:
    """Return make(*inputs), made again for the gradient where that saves much memory.

    Args:
        numbers: how many would be held, those of all target steps together
    """
    if torch.onnx.is_in_onnx_export() or numbers <= CHUNK_NUMBERS:
        return make(*inputs)
    return _checkpointed(make, *inputs)


def _checkpointed(make: Callable[..., Tensor], *inputs: Tensor) -> Tensor:
    made: Tensor = checkpoint(make, *inputs, use_reentrant=False, preserve_rng_state=False)
    return made
