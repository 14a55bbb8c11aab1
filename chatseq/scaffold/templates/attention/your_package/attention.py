"""The attention `your-part`."""

from __future__ import annotations

from math import isfinite
from typing import NamedTuple

import torch
from torch import Tensor, nn

from chatseq.model.contracts import Attended, Memory


class Prepared(NamedTuple):
    """What is computed once a question; states and mask come first."""

    states: Tensor  # (batch, source, memory)
    mask: Tensor  # (batch, source)
    keys: Tensor  # (batch, source, query)


class YourPart(nn.Module):
    """Score each memory vector by query · W · memory / √width (Luong et al. 2015, "general").

    The root of the width keeps scores near 1 however wide the query is (Vaswani et al. 2017,
    section 3.2.1).
    """

    def __init__(self, query_size: int, memory_size: int, *, temperature: float = 1.0) -> None:
        """Build.

        Args:
            temperature: above 1 looks at more tokens, below 1 at fewer
        """
        super().__init__()
        if not (isfinite(temperature) and temperature > 0):
            raise ValueError(f"temperature ({temperature}) must be above 0. Set it to 1.")
        self.output_size = memory_size
        self.project = nn.Linear(memory_size, query_size, bias=False)
        self.scale = query_size**-0.5 / temperature

    def prepare(self, memory: Memory) -> tuple[Tensor, ...]:
        """Make the keys, once a question."""
        return Prepared(memory.states, memory.mask, self.project(memory.states) * self.scale)

    def start(self, memory: Memory) -> tuple[Tensor, ...]:  # noqa: ARG002
        """Return no state: the score of a step needs none of the steps before."""
        return ()

    def forward(
        self, query: Tensor, prepared: tuple[Tensor, ...], state: tuple[Tensor, ...]
    ) -> Attended:
        """Attend.

        Args:
            query: (rows, target, query); the rows of one question are adjacent
            prepared: as `prepare` gave it, or the same tensors in a plain tuple
        """
        states, mask, keys = prepared
        rows, target, width = query.shape
        # All rows of a question look at the one memory it has: they become further queries.
        queries = query.reshape(states.shape[0], -1, width)  # (batch, k x target, query)
        scores = queries @ keys.transpose(1, 2)  # (batch, k x target, source)
        padding = ~mask.unsqueeze(1)
        lowest = torch.finfo(scores.dtype).min
        weights = scores.masked_fill(padding, lowest).softmax(-1).masked_fill(padding, 0.0)
        context = (weights @ states).reshape(rows, target, self.output_size)
        return Attended(context, weights.reshape(rows, target, states.shape[1]), state)
