"""Attention to a window around a predicted position (Luong et al. 2015, section 3.2)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from chatseq.model.contracts import Attended
from chatseq_attention.base import fold, unfold, weighted_sum
from chatseq_attention.multiplicative import GeneralAttention
from chatseq_attention.normalise import Normaliser, exact

LEAST = 0.1  # below the Gaussian at a window's edge, exp(-2), which no real row's sum can undercut


class LocalPredictiveAttention(GeneralAttention):
    """Predict where to look, and score like "general" near there (Luong et al. 2015, "local-p").

    The position is length · sigmoid(v · tanh(W query)), tokens counted from 0. Weights are those
    of the window, times a Gaussian around the position. The paper leaves their sum below 1; here
    they are divided by it, so that they say shares like those of every other attention.
    """

    def __init__(
        self,
        query_size: int,
        memory_size: int,
        *,
        window: int = 10,
        normaliser: Normaliser = "softmax",
    ) -> None:
        """Build.

        Args:
            window: tokens on either side of the position, twice the Gaussian's standard deviation
            normaliser: softmax, or sparsemax or entmax15, which leave tokens out
        """
        super().__init__(query_size, memory_size, normaliser=normaliser)
        if window < 1:
            raise ValueError(f"window ({window}) must be at least 1. Set it to 10.")
        self.window = window
        self.project_query = nn.Linear(query_size, query_size, bias=False)
        self.position = nn.Linear(query_size, 1, bias=False)

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
        distance = self._distance(queries, mask)
        near = (distance.abs() <= 1) & mask.unsqueeze(1)  # never empty: a token is within 1
        weights = self.normalise(scores, near) * (-2 * distance.square()).exp()
        weights = weights / weights.sum(-1, keepdim=True).clamp(min=LEAST)
        context = weighted_sum(weights, states)  # (batch, k x target, memory)
        return Attended(*unfold(context, weights, query), state)

    def _distance(self, queries: Tensor, mask: Tensor) -> Tensor:
        """Return how far each token is from the position, in windows, (batch, queries, source)."""
        share = exact(self.position(torch.tanh(self.project_query(queries)))).sigmoid()
        counted = mask.long().cumsum(1).unsqueeze(1)  # (batch, 1, source): 1, 2, ...
        position = share * counted[..., -1:]  # (batch, queries, 1): the last count is the length
        return (counted - 1 - position) / self.window
