"""From embedded tokens to the first layer."""

from __future__ import annotations

from torch import Tensor, nn

from chatseq_transformer.positions import Kind, Placed, make_positions


class Entry(nn.Module):
    """Give tokens the width of the layers, and their places.

    The tokens' numbers are brought near 1, as large as waves are: as they come, a third of that,
    positions would drown the words (tatoeba_fra_eng, 500 steps: a loss of 3.98 in place of 3.40).
    """

    def __init__(
        self, input_size: int, hidden_size: int, heads: int, positions: Kind, max_positions: int
    ) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(input_size)
        self.widen: nn.Module = nn.Identity()
        if input_size != hidden_size:
            self.widen = nn.Linear(input_size, hidden_size)
        self.positions = make_positions(positions, hidden_size, heads, max_positions)

    def forward(self, embedded: Tensor, first: int) -> Placed:
        """Place.

        Args:
            embedded: (rows, steps, input)
            first: the position of the first of these steps
        """
        return self.positions(self.widen(self.norm(embedded)), first)
