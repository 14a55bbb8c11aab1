"""The decoder `your-part`."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from chatseq.model.contracts import Decoded, MakeAttention, Memory


class YourPart(nn.Module):
    """Read the answer so far with gated recurrent units, and attend with what they make of it.

    Without an attention, all that it knows of the question is what it starts from (Cho et al.
    2014). The state is that of the units, then the attention's.
    """

    def __init__(
        self,
        input_size: int,
        memory_size: int,
        make_attention: MakeAttention | None,
        *,
        hidden_size: int = 128,
    ) -> None:
        """Build.

        Args:
            hidden_size: width of the units
        """
        super().__init__()
        if hidden_size < 1:
            raise ValueError(f"hidden_size ({hidden_size}) must be at least 1. Set it to 128.")
        self.begin = nn.Linear(memory_size, hidden_size)
        self.units = nn.GRU(input_size, hidden_size, batch_first=True)
        self.attention = make_attention(hidden_size) if make_attention else None
        found = self.attention.output_size if self.attention else 0
        self.join = nn.Linear(hidden_size + found, input_size)
        self.output_size = input_size

    def prepare(self, memory: Memory) -> tuple[Tensor, ...]:
        """Return what belongs to the question, computed once."""
        return self.attention.prepare(memory) if self.attention else (memory.mask,)

    def start(self, memory: Memory) -> tuple[Tensor, ...]:
        """Return the state before the first token."""
        history = self.attention.start(memory) if self.attention else ()
        return (torch.tanh(self.begin(memory.summary)), *history)

    def forward(
        self, embedded: Tensor, state: tuple[Tensor, ...], prepared: tuple[Tensor, ...]
    ) -> Decoded:
        """Decode a whole target or a single step.

        Args:
            embedded: (rows, target, input), the tokens before each wanted position
            prepared: as `prepare` gave it, or the same tensors in a plain tuple
        """
        hidden, last = self.units(embedded, state[0].unsqueeze(0))  # (rows, target, hidden)
        if self.attention is None:
            nowhere = embedded.new_zeros(*embedded.shape[:2], prepared[0].shape[1])
            return Decoded(torch.tanh(self.join(hidden)), nowhere, (last[0],))
        context, weights, history = self.attention(hidden, prepared, state[1:])
        joined = torch.tanh(self.join(torch.cat([hidden, context], dim=2)))
        return Decoded(joined, weights, (last[0], *history))
