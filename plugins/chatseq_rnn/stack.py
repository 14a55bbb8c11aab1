"""Recurrent layers on top of each other, for decoders."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from chatseq.model.dropout import variational_dropout
from chatseq_rnn.layers import RecurrentLayer, State

MakeLayer = Callable[[int, int], RecurrentLayer]  # from the widths of input and hidden


class RecurrentStack(nn.Module):
    """Layers of one kind; each reads what the one below gave, with dropout after each.

    A state is (rows, layers, hidden) tensors: one for a GRU, two for an LSTM. Who must look at each
    output before the next step takes `parted` states from step to step with `advance`.
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
    def lowest(self) -> RecurrentLayer:
        """The layer that reads the inputs."""
        return self.layers[0]  # type: ignore[return-value]

    @property
    def state_count(self) -> int:
        """How many tensors a state has."""
        return self.lowest.state_count

    def forward(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Run over whole targets, or over one step when there is one and nothing is learnt.

        Args:
            inputs: (rows, target, input)
            state: (rows, layers, hidden) each
        """
        states = self.parted(state)
        if not self.training and int(inputs.shape[1]) == 1:
            output, after = self.advance(self.lowest.gate_inputs(inputs[:, 0]), states)
            return output.unsqueeze(1), joined(after)
        after = []
        for layer, before in zip(self.layers, states, strict=True):
            outputs, last = layer(inputs, before)
            inputs = variational_dropout(outputs, self.dropout, training=self.training)
            after.append(last)
        return inputs, joined(after)

    def parted(self, state: State) -> list[State]:
        """Return the state of each layer: (rows, hidden) each."""
        layers = range(len(self.layers))
        return [tuple(tensor[:, number] for tensor in state) for number in layers]

    def dropout_masks(self, like: Tensor) -> list[Tensor]:
        """Draw what is left of each layer's output in all steps of a target, (rows, hidden) each.

        Returns:
            nothing, where nothing is left out
        """
        if not self.training or not self.dropout:
            return []
        ones = like.new_ones(like.shape[0], self.hidden_size)
        return [variational_dropout(ones, self.dropout, training=True) for _ in self.layers]

    def advance(
        self, gate_inputs: Tensor, states: Sequence[State], dropout_masks: Sequence[Tensor] = ()
    ) -> tuple[Tensor, list[State]]:
        """Run one step.

        Args:
            gate_inputs: of the lowest layer, (rows, gates)
            states: of each layer
            dropout_masks: as it was drawn for this target

        Returns:
            the output, (rows, hidden), and the states after it
        """
        after: list[State] = []
        output = gate_inputs
        for number, layer in enumerate(self.layers):
            inputs = layer.gate_inputs(output) if number else gate_inputs  # type: ignore[operator]
            output, state = layer.advance(inputs, states[number])  # type: ignore[operator]
            output = output * dropout_masks[number] if dropout_masks else output
            after.append(state)
        return output, after


def joined(states: Sequence[State]) -> State:
    """Join the states of all layers: (rows, layers, hidden) each."""
    return tuple(torch.stack(tensors, dim=1) for tensors in zip(*states, strict=True))


def steps(numbers: Tensor) -> tuple[Tensor, ...]:
    """Return the numbers of each step: (rows, target, width) to (rows, width) each."""
    if int(numbers.shape[1]) == 1:
        return (numbers[:, 0],)  # a graph cannot unbind an axis whose size it was not told
    return numbers.unbind(1)
