"""The encoder `your-part`."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from chatseq.model.contracts import Memory


class YourPart(nn.Module):
    """Read each token together with its neighbours, and all of them as their mean."""

    def __init__(self, input_size: int, *, hidden_size: int = 128, width: int = 3) -> None:
        """Build.

        Args:
            hidden_size: width of the memory
            width: tokens that are read together, an odd number
        """
        super().__init__()
        if hidden_size < 1:
            raise ValueError(f"hidden_size ({hidden_size}) must be at least 1. Set it to 128.")
        if width < 1 or width % 2 == 0:
            raise ValueError(f"width ({width}) must be odd, so that a token has a middle. Set 3.")
        self.output_size = hidden_size
        self.window = nn.Conv1d(input_size, hidden_size, width, padding=width // 2)

    def forward(self, embedded: Tensor, mask: Tensor, turns: Tensor) -> Memory:  # noqa: ARG002
        """Encode.

        Args:
            embedded: (batch, source, input)
            mask: (batch, source), True on real tokens
            turns: (batch, source), how many turns back each token was said
        """
        padding = ~mask.unsqueeze(2)  # (batch, source, 1)
        columns = embedded.masked_fill(padding, 0.0).transpose(1, 2)  # (batch, input, source)
        states = torch.tanh(self.window(columns)).transpose(1, 2)  # (batch, source, hidden)
        states = states.masked_fill(padding, 0.0)
        return Memory(states, mask, states.sum(1) / mask.sum(1, keepdim=True).clamp(min=1))
