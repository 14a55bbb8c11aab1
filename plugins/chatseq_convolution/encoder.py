"""The convolutional encoder: each layer sees a few more neighbours of a token, all at once."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from chatseq.model.contracts import Memory
from chatseq.model.dropout import variational_dropout

_HALF = math.sqrt(0.5)  # a sum of two numbers times this varies as much as each of them


class ConvolutionalEncoder(nn.Module):
    """Read a question with gated convolutions (Gehring et al. 2017, section 3).

    The states are what the last layer gives plus the tokens' own vectors, so that an attention sees
    what stands around a token and the token itself. In the paper that sum is only weighted, and
    scored without the tokens; here one memory serves every attention for both. The summary is the
    mean of the states. Weights are not normalised, as they are in the paper.
    """

    def __init__(
        self,
        input_size: int,
        *,
        hidden_size: int = 256,
        layers: int = 4,
        kernel_size: int = 3,
        dropout: float = 0.0,
        max_positions: int = 512,
    ) -> None:
        """Build.

        Args:
            hidden_size: width of the memory
            layers: convolutions on top of each other; a state sees `layers` x (`kernel_size` - 1)
                neighbours
            kernel_size: tokens that a convolution sees at once, an odd number
            dropout: share of each convolution's input left out while learning, 0 to below 1
            max_positions: of the learnt positions; tokens beyond them share the last
        """
        super().__init__()
        _check(hidden_size, layers, kernel_size, dropout, max_positions)
        self.output_size = hidden_size
        self.positions = nn.Embedding(max_positions, input_size)
        self.enter = nn.Linear(input_size, hidden_size)
        self.layers = nn.ModuleList(
            GatedConvolution(hidden_size, kernel_size, dropout) for _ in range(layers)
        )

    def forward(self, embedded: Tensor, mask: Tensor, turns: Tensor) -> Memory:  # noqa: ARG002
        """Encode.

        Args:
            embedded: (batch, source, input)
            mask: (batch, source)
        """
        padding = ~mask.unsqueeze(2)  # (batch, source, 1)
        last = self.positions.num_embeddings - 1
        places = torch.arange(embedded.shape[1], device=embedded.device).clamp(max=last)
        tokens = self.enter(embedded + self.positions(places))  # (batch, source, hidden)
        states = tokens
        for layer in self.layers:
            states = layer(states, padding)
        states = ((states + tokens) * _HALF).masked_fill(padding, 0.0)
        lengths = mask.sum(1, keepdim=True).clamp(min=1)  # (batch, 1)
        return Memory(states, mask, states.sum(1) / lengths)


class GatedConvolution(nn.Module):
    """A convolution whose one half is gated by the other (Dauphin et al. 2017), and a shortcut."""

    def __init__(self, hidden_size: int, kernel_size: int, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.convolve = nn.Conv1d(hidden_size, 2 * hidden_size, kernel_size, padding="same")

    def initialise(self) -> None:
        """Keep the variance through gate and dropout (Gehring et al. 2017, section 3.5)."""
        inputs = self.convolve.in_channels * self.convolve.kernel_size[0]
        nn.init.normal_(self.convolve.weight, std=math.sqrt(4 * (1 - self.dropout) / inputs))
        nn.init.zeros_(self.convolve.bias)  # type: ignore[arg-type]

    def forward(self, states: Tensor, padding: Tensor) -> Tensor:
        """Convolve.

        Args:
            states: (batch, source, hidden)
            padding: (batch, source, 1), read as zeros, as beyond the ends of a row
        """
        given = variational_dropout(states, self.dropout, training=self.training).masked_fill(
            padding, 0.0
        )
        convolved = self.convolve(given.transpose(1, 2))  # (batch, 2 x hidden, source)
        return (F.glu(convolved, dim=1).transpose(1, 2) + states) * _HALF


def _check(
    hidden_size: int, layers: int, kernel_size: int, dropout: float, max_positions: int
) -> None:
    """Refuse what no network can be built from.

    Raises:
        ValueError: a size is not positive, the kernel has no middle, dropout is no share below 1.
    """
    if hidden_size < 1:
        raise ValueError(f"hidden_size ({hidden_size}) must be at least 1. Set it to 128 or more.")
    if layers < 1:
        raise ValueError(f"layers ({layers}) must be at least 1. Set it to 4.")
    if kernel_size < 1 or kernel_size % 2 == 0:
        raise ValueError(f"kernel_size ({kernel_size}) must be an odd number. Set it to 3 or 5.")
    if not 0 <= dropout < 1:
        raise ValueError(f"dropout ({dropout}) must be from 0 to below 1. Set it to 0.1.")
    if max_positions < 1:
        raise ValueError(f"max_positions ({max_positions}) must be at least 1. Set it to 512.")
