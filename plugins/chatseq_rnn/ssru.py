"""The simpler simple recurrent unit: one matrix product a layer and step (Kim et al. 2019).

From step to step goes nothing but the cell, and only elementwise. So the products of a whole target
are made at once, and what remains to be done one by one is hardly felt.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from chatseq_rnn.layers import State
from chatseq_rnn.luong import AfterDecoder
from chatseq_rnn.stack import steps


class SsruLayer(nn.Module):
    """A simpler simple recurrent unit (Kim et al. 2019, section 3.1, "SSRU").

    forget = sigmoid(V x + b), cell = forget cell + (1 - forget) W x, output = relu(cell).
    """

    state_count = 1

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.gate_inputs_size = 2 * hidden_size
        self.project = nn.Linear(input_size, 2 * hidden_size, bias=False)  # V above W
        self.bias = nn.Parameter(torch.zeros(hidden_size))

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Run over whole sequences.

        The cells are found one after the other: a scan in parallel is slower on a processor, and
        sums of logarithms lose what a gate that is almost shut forgets.
        """
        forget, entering = self._gated(self.gate_inputs(inputs))  # (rows, target, hidden) each
        (cell,) = state
        cells = []
        for share, new in zip(steps(forget), steps(entering), strict=True):
            cell = torch.addcmul(new, share, cell)
            cells.append(cell)
        return torch.relu(torch.stack(cells, dim=1)), (cell,)

    def gate_inputs(self, inputs: Tensor) -> Tensor:
        """Return what an input gives to the gate and to the cell."""
        gate_inputs: Tensor = self.project(inputs)
        return gate_inputs

    def advance(self, gate_inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Run one step."""
        forget, entering = self._gated(gate_inputs)
        cell = forget * state[0] + entering
        return torch.relu(cell), (cell,)

    def _gated(self, gate_inputs: Tensor) -> tuple[Tensor, Tensor]:
        to_gate, to_cell = gate_inputs.chunk(2, dim=-1)
        forget = torch.sigmoid(to_gate + self.bias)
        return forget, to_cell - forget * to_cell


class SsruDecoder(AfterDecoder):
    """Answer with simpler simple recurrent units that attend after each step (Kim et al. 2019)."""

    make_layer = SsruLayer
