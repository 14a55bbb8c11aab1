"""One recurrent layer in one direction: fused over a whole sequence, or plain products for a step.

The two ways give the same numbers. A step is written with plain products because ONNX Runtime can
turn those into int8, but not its recurrent operators.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from chatseq.model.precision import exact, single_precision

State = tuple[Tensor, ...]  # (rows, hidden) each


class RecurrentLayer(Protocol):
    """A layer of one kind and one direction."""

    state_count: int  # tensors in a state
    gate_inputs_size: int  # width of `gate_inputs`

    def __call__(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Run over whole sequences: inputs (rows, target, input) to (rows, target, hidden)."""

    def gate_inputs(self, inputs: Tensor) -> Tensor:
        """Return what an input gives to the gates: (..., input) to (..., gates)."""

    def advance(self, gate_inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Run one step: gate inputs (rows, gates) to an output (rows, hidden) and a state."""


class FusedLayer(nn.Module):
    """What torch's own recurrent modules share; their state begins with their output."""

    state_count = 1
    kind: Callable[..., nn.RNNBase]

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.fused = type(self).kind(input_size, hidden_size, batch_first=True)
        self.gate_inputs_size: int = self.fused.all_weights[0][0].shape[0]

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Run over whole sequences."""
        outputs, last = self.fused(inputs, state[0].unsqueeze(0))
        return outputs, (last.squeeze(0),)

    def gate_inputs(self, inputs: Tensor) -> Tensor:
        """Return what an input gives to the gates."""
        weight, _, bias, _ = self.fused.all_weights[0]
        return F.linear(inputs, weight, bias)

    def _from_hidden(self, hidden: Tensor) -> Tensor:
        _, weight, _, bias = self.fused.all_weights[0]
        return F.linear(hidden, weight, bias)


class RnnLayer(FusedLayer):
    """A simple recurrent network (Elman 1990) with tanh."""

    kind = nn.RNN

    def advance(self, gate_inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Run one step."""
        hidden = torch.tanh(gate_inputs + self._from_hidden(state[0]))
        return hidden, (hidden,)


class GruLayer(FusedLayer):
    """A gated recurrent unit (Cho et al. 2014), in the variant that cuDNN and torch use."""

    kind = nn.GRU

    def advance(self, gate_inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Run one step."""
        (hidden,) = state
        size = self.fused.hidden_size
        from_hidden = self._from_hidden(hidden)  # (rows, 3 x hidden)
        gates = torch.sigmoid(gate_inputs[:, : 2 * size] + from_hidden[:, : 2 * size])
        reset, update = gates[:, :size], gates[:, size:]
        new = torch.tanh(gate_inputs[:, 2 * size :] + reset * from_hidden[:, 2 * size :])
        hidden = new + update * (hidden - new)
        return hidden, (hidden,)


class LstmLayer(FusedLayer):
    """A long short-term memory (Hochreiter and Schmidhuber 1997) with a forget gate."""

    state_count = 2
    kind = nn.LSTM

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Run over whole sequences."""
        if inputs.is_cpu and torch.is_autocast_enabled("cpu"):
            # oneDNN, which runs LSTMs on a processor, learns in bfloat16 on few of them.
            with single_precision(inputs.device):
                return self._run(exact(inputs), tuple(map(exact, state)))
        return self._run(inputs, state)

    def _run(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        outputs, last = self.fused(inputs, tuple(tensor.unsqueeze(0) for tensor in state))
        return outputs, tuple(tensor.squeeze(0) for tensor in last)

    def advance(self, gate_inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Run one step."""
        hidden, cell = state
        size = self.fused.hidden_size
        gates = gate_inputs + self._from_hidden(hidden)  # (rows, 4 x hidden)
        enter, forget = torch.sigmoid(gates[:, : 2 * size]).chunk(2, dim=1)
        leave = torch.sigmoid(gates[:, 3 * size :])
        cell = forget * cell + enter * torch.tanh(gates[:, 2 * size : 3 * size])
        hidden = leave * torch.tanh(cell)
        return hidden, (hidden, cell)


def zero_state(layer: RecurrentLayer, like: Tensor, size: int) -> State:
    """Return a state of zeros with one row for each of `like`, which may be of any batch."""
    zeros = like.new_zeros(like.shape[0], size)
    return (zeros,) * layer.state_count
