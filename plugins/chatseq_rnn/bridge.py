"""From a question's summary to a decoder's first state."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from chatseq_rnn.layers import State


class Bridge(nn.Module):
    """Project the summary to the first state of every layer (Bahdanau et al. 2015, A.2.2)."""

    def __init__(self, memory_size: int, state_count: int, layers: int, hidden_size: int) -> None:
        super().__init__()
        self.shape = (state_count, layers, hidden_size)
        self.project = nn.Linear(memory_size, state_count * layers * hidden_size)

    def forward(self, summary: Tensor) -> State:
        """Return (batch, layers, hidden) tensors from a summary (batch, memory)."""
        states = torch.tanh(self.project(summary)).view(-1, *self.shape)
        return states.unbind(1)
