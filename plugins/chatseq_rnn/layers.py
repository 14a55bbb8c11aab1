"""One recurrent layer in one direction: fused over a whole sequence, or plain products for a step.

The two ways give the same numbers. A step is written with plain products because ONNX Runtime can
turn those into int8, but not its recurrent operators.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

State = tuple[Tensor, ...]  # (rows, hidden) each


class RecurrentLayer(Protocol):
    """A GRU or an LSTM of one layer and one direction."""

    state_count: int  # tensors in a state

    def __call__(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Run over whole sequences: inputs (rows, target, input) to (rows, target, hidden)."""

    def step(self, inputs: Tensor, state: State) -> State:
        """Run one step: inputs (rows, input); the first tensor of the state is the output."""


class GruLayer(nn.Module):
    """A gated recurrent unit (Cho et al. 2014), in the variant that cuDNN and torch use."""

    state_count = 1

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.fused = nn.GRU(input_size, hidden_size, batch_first=True)

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Run over whole sequences."""
        outputs, last = self.fused(inputs, state[0].unsqueeze(0))
        return outputs, (last.squeeze(0),)

    def step(self, inputs: Tensor, state: State) -> State:
        """Run one step."""
        (hidden,) = state
        size = self.fused.hidden_size
        from_input, from_hidden = _products(self.fused, inputs, hidden)  # (rows, 3 x hidden)
        gates = torch.sigmoid(from_input[:, : 2 * size] + from_hidden[:, : 2 * size])
        reset, update = gates[:, :size], gates[:, size:]
        new = torch.tanh(from_input[:, 2 * size :] + reset * from_hidden[:, 2 * size :])
        return (new + update * (hidden - new),)


class LstmLayer(nn.Module):
    """A long short-term memory (Hochreiter and Schmidhuber 1997) with a forget gate."""

    state_count = 2

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.fused = nn.LSTM(input_size, hidden_size, batch_first=True)

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Run over whole sequences."""
        outputs, last = self.fused(inputs, tuple(tensor.unsqueeze(0) for tensor in state))
        return outputs, tuple(tensor.squeeze(0) for tensor in last)

    def step(self, inputs: Tensor, state: State) -> State:
        """Run one step."""
        hidden, cell = state
        size = self.fused.hidden_size
        from_input, from_hidden = _products(self.fused, inputs, hidden)
        gates = from_input + from_hidden  # (rows, 4 x hidden)
        enter, forget = torch.sigmoid(gates[:, : 2 * size]).chunk(2, dim=1)
        leave = torch.sigmoid(gates[:, 3 * size :])
        cell = forget * cell + enter * torch.tanh(gates[:, 2 * size : 3 * size])
        return leave * torch.tanh(cell), cell


def zero_state(layer: RecurrentLayer, like: Tensor, size: int) -> State:
    """Return a state of zeros with one row for each of `like`, which may be of any batch."""
    zeros = like.new_zeros(like.shape[0], size)
    return (zeros,) * layer.state_count


def _products(fused: nn.RNNBase, inputs: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
    """Return what the gates get from the input and from the state before."""
    input_weight, hidden_weight, input_bias, hidden_bias = fused.all_weights[0]
    return F.linear(inputs, input_weight, input_bias), F.linear(hidden, hidden_weight, hidden_bias)
