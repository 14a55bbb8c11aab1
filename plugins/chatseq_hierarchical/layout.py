"""Where the tokens of each turn stand: rows of tokens as rows of turns, and back.

Only sums and comparisons, so that the numbers of turns and of tokens stay free in a graph.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812


class Layout(NamedTuple):
    """The turns of each row side by side, the oldest first, as long as the longest of all.

    Rows with fewer turns end with empty ones.
    """

    tokens: Tensor  # (batch, turn, token), places in (batch x source); any where the mask is False
    mask: Tensor  # (batch, turn, token)
    turns: Tensor  # (batch, source), the turn of each token as a place in (batch x turn)
    places: Tensor  # (batch, source), each token as a place in (batch x turn x token)


def layout_of(mask: Tensor, turns: Tensor) -> Layout:
    """Find the turns of each row.

    Args:
        mask: (batch, source), padding on the right
        turns: (batch, source), how many turns back, falling along a row
    """
    batch, source = mask.shape
    rows = torch.arange(batch, device=mask.device).unsqueeze(1)  # (batch, 1)
    steps = torch.arange(source, device=mask.device)
    number = turns[:, :1] - turns  # (batch, source), 0 for the oldest; padding follows the last
    counted = _up_to(number.max() + 1).view(1, -1, 1)  # (1, turn, 1)
    within = (number.unsqueeze(1) == counted) & mask.unsqueeze(1)  # (batch, turn, source)
    lengths = within.sum(2)  # (batch, turn)
    starts = lengths.cumsum(1) - lengths
    columns = _up_to(lengths.max().clamp(min=1))  # (token,)
    tokens = (rows * source + starts).unsqueeze(2) + columns  # (batch, turn, token)
    real = columns < lengths.unsqueeze(2)
    of_turn = rows * real.shape[1] + number  # (batch, source)
    column = (steps - starts.gather(1, number)).clamp(max=real.shape[2] - 1)
    places = of_turn * real.shape[2] + column
    return Layout(tokens.clamp(max=batch * source - 1), real, of_turn, places)


def _up_to(end: Tensor) -> Tensor:
    """Return 0, 1, ... below a number that stays a number of the graph."""
    return torch.arange(end, device=end.device)  # type: ignore[call-overload,no-any-return]


def picked(vectors: Tensor, places: Tensor) -> Tensor:
    """Return the vectors at places of any shape: (places, width) to (..., width)."""
    return F.embedding(places, vectors)
