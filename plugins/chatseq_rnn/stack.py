"""Recurrent layers on top of each other, for decoders."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from chatseq.model.dropout import dropped
from chatseq_rnn.layers import RecurrentLayer, State

MakeLayer = Callable[[int, int], RecurrentLayer]  # from the widths of input and hidden


class RecurrentStack(nn.Module):
    """Layers of one kind; each reads what the one below gave, with dropout after each.

    A state is (rows, layers, hidden) tensors: one for a GRU, two for an LSTM.
    """

    def __init__(
        self, make_layer: MakeLayer, input_size: int, hidden_size: int, layers: int, dropout: float
    ) -> None:
        super().__init__()
        sizes = [input_size] + [hidden_size] * (layers - 1)
        self.layers = nn.ModuleList(
            make_layer(size, hidden_size)  # type: ignore[misc]  # layers are modules
            for size in sizes
        )
        self.dropout = dropout
        self.hidden_size = hidden_size

    @property
    def state_count(self) -> int:
        """How many tensors a state has."""
        count: int = self.layers[0].state_count  # type: ignore[assignment]
        return count

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Run over whole targets, or over one step when there is one and nothing is learnt.

        Args:
            inputs: (rows, target, input)
            state: (rows, layers, hidden) each
        """
        if not self.training and int(inputs.shape[1]) == 1:
            return self._step(inputs[:, 0], state)
        after = []
        for number, layer in enumerate(self.layers):
            outputs, last = layer(inputs, tuple(tensor[:, number] for tensor in state))
            inputs = dropped(outputs, self.dropout, learning=self.training)
            after.append(last)
        return inputs, _stacked(after)

    def _step(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        after: list[State] = []
        for number, layer in enumerate(self.layers):
            last: State = layer.step(inputs, tuple(tensor[:, number] for tensor in state))  # type: ignore[operator]
            inputs = last[0]
            after.append(last)
        return inputs.unsqueeze(1), _stacked(after)


def _stacked(states: list[State]) -> State:
    """Join the states of all layers: (rows, layers, hidden) each."""
    return tuple(torch.stack(tensors, dim=1) for tensors in zip(*states, strict=True))
