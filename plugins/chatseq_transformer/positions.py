"""Three ways to tell self-attention the order of the tokens.

Each is asked once a call. Waves and learnt vectors are added to the tokens; a rotation is handed on
to the self-attention of every layer.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple, Protocol

import torch
from torch import Tensor, nn

Kind = Literal["sinusoidal", "learned", "rotary"]

_BASE = 10_000.0  # the longest wave is this times 2 pi tokens long


class Rotation(NamedTuple):
    """The angle of each position and each pair of numbers, by its cosine and its sine."""

    cosines: Tensor  # (steps, 1, head / 2)
    sines: Tensor  # (steps, 1, head / 2)


class Placed(NamedTuple):
    """Tokens that know their places, or the rotation that will tell."""

    states: Tensor  # (rows, steps, hidden)
    rotation: Rotation | None


class Positions(Protocol):
    """Tells tokens where they stand."""

    def __call__(self, states: Tensor, first: int) -> Placed:
        """Place.

        Args:
            states: (rows, steps, hidden)
            first: the position of the first of these steps
        """


def make_positions(kind: Kind, hidden_size: int, heads: int, maximum: int) -> Positions:
    """Return what places tokens.

    Raises:
        ValueError: there is no pair of numbers to rotate, or no learnt position.
    """
    if kind == "rotary":
        return RotaryPositions(hidden_size // heads)
    if kind == "learned":
        return LearnedPositions(hidden_size, maximum)
    return SinusoidalPositions(hidden_size)


class SinusoidalPositions(nn.Module):
    """Add waves of growing length (Vaswani et al. 2017, section 3.5).

    The sines come first and then the cosines, which is theirs with the columns in another order.
    """

    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        self.hidden_size = hidden_size

    def forward(self, states: Tensor, first: int) -> Placed:
        """Add the waves of each position."""
        angles = _angles(states, first, (self.hidden_size + 1) // 2)  # (steps, hidden / 2)
        waves = torch.cat([angles.sin(), angles.cos()], dim=1)[:, : self.hidden_size]
        return Placed(states + waves.to(states.dtype), None)


class LearnedPositions(nn.Module):
    """Add a learnt vector a position (Gehring et al. 2017, section 3.1).

    Tokens beyond the last learnt position all get its vector.
    """

    def __init__(self, hidden_size: int, maximum: int) -> None:
        super().__init__()
        if maximum < 1:
            raise ValueError(f"max_positions ({maximum}) must be at least 1. Set it to 512.")
        self.vectors = nn.Embedding(maximum, hidden_size)

    def forward(self, states: Tensor, first: int) -> Placed:
        """Add the vectors of the positions."""
        last = self.vectors.num_embeddings - 1
        vectors = self.vectors(_places(states, first).clamp(max=last))  # (steps, hidden)
        return Placed(states + vectors, None)


class RotaryPositions(nn.Module):
    """Rotate queries and keys, so that their products see distances (Su et al. 2021, section 3)."""

    def __init__(self, head_size: int) -> None:
        super().__init__()
        if head_size % 2:
            raise ValueError(
                f"rotary positions rotate pairs of numbers, and a head is {head_size} wide. "
                f"Set hidden_size / heads to an even number, such as {head_size + 1}, "
                "or positions=sinusoidal."
            )
        self.pairs = head_size // 2

    def forward(self, states: Tensor, first: int) -> Placed:
        """Return the tokens as they are, and the angles of their positions."""
        angles = _angles(states, first, self.pairs).unsqueeze(1)  # (steps, 1, head / 2)
        dtype = states.dtype
        return Placed(states, Rotation(angles.cos().to(dtype), angles.sin().to(dtype)))


def rotated(vectors: Tensor, rotation: Rotation) -> Tensor:
    """Rotate each pair that a number of the first half makes with its fellow in the second.

    Args:
        vectors: (rows, steps, heads, head)
    """
    half = int(vectors.shape[3]) // 2
    one, other = vectors[..., :half], vectors[..., half:]
    cosines, sines = rotation
    return torch.cat([one * cosines - other * sines, other * cosines + one * sines], dim=3)


def _places(states: Tensor, first: int) -> Tensor:
    return torch.arange(first, first + states.shape[1], device=states.device)


def _angles(states: Tensor, first: int, count: int) -> Tensor:
    """Return the angle of each position for each of `count` frequencies, (steps, count)."""
    # In 32 bits whatever the network computes in: a sine of 300.5 needs them.
    numbers = torch.arange(count, device=states.device, dtype=torch.float32)
    frequencies = torch.exp(numbers * (-math.log(_BASE) / count))
    return _places(states, first).to(torch.float32).unsqueeze(1) * frequencies
