"""The simplest of all encoders: words as they are, and their mean."""

from __future__ import annotations

from torch import Tensor, nn

from chatseq.model.contracts import Memory


class AverageEncoder(nn.Module):
    """Read a question as a bag of words (Iyyer et al. 2015, section 2.1).

    The states are the vectors of the words, the summary is their mean. The order of the words is
    not seen, but for what the features of a word tell of the word before it.
    """

    def __init__(self, input_size: int, *, hidden_size: int | None = None) -> None:
        """Build.

        Args:
            hidden_size: width of the memory, to which words are mapped by a matrix; if not given,
                they stay as they are
        """
        super().__init__()
        if hidden_size is not None and hidden_size < 1:
            raise ValueError(f"hidden_size ({hidden_size}) must be at least 1. Set it to 128.")
        self.output_size = input_size if hidden_size is None else hidden_size
        self.map = nn.Identity() if hidden_size is None else nn.Linear(input_size, hidden_size)

    def forward(self, embedded: Tensor, mask: Tensor, turns: Tensor) -> Memory:  # noqa: ARG002
        """Encode.

        Args:
            embedded: (batch, source, input)
            mask: (batch, source)
        """
        states = self.map(embedded) * mask.unsqueeze(2)  # (batch, source, memory)
        lengths = mask.sum(1, keepdim=True).clamp(min=1)  # (batch, 1)
        return Memory(states, mask, states.sum(1) / lengths)
