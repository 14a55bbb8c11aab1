"""Recurrent encoders: one- or two-directional, with the same result however a row is padded.

Rows are padded on the right, so the forward direction reads each row before its padding. The
backward direction reads each row reversed within its own length. No packed sequences are needed,
which export badly.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from chatseq.model.contracts import Memory
from chatseq.model.dropout import variational_dropout
from chatseq_rnn.layers import GruLayer, LstmLayer, RecurrentLayer, RnnLayer, zero_state
from chatseq_rnn.sizes import check_sizes
from chatseq_rnn.stack import MakeLayer


class RecurrentEncoder(nn.Module):
    """Read a question with recurrent layers.

    The summary is what Cho et al. 2014 (section 2.2) make of the last state of each direction,
    tanh(V h), joined here with the mean of all states: a word in the middle of a question is then
    as near to the summary as those at its ends. It is that of the question itself: what was said
    before it is in the states, and in the forward direction.
    """

    make_layer: MakeLayer

    def __init__(
        self,
        input_size: int,
        *,
        hidden_size: int = 128,
        layers: int = 1,
        bidirectional: bool = True,
        dropout: float = 0.0,
    ) -> None:
        """Build.

        Args:
            hidden_size: width of one direction; the memory is twice as wide with two
            layers: recurrent layers on top of each other
            bidirectional: read each row from both ends; else from the first token on
            dropout: share of numbers left out between layers while learning, 0 to below 1
        """
        super().__init__()
        check_sizes(hidden_size, layers, dropout)
        self.hidden_size = hidden_size
        self.dropout = dropout
        self.output_size = hidden_size * (2 if bidirectional else 1)
        sizes = [input_size] + [self.output_size] * (layers - 1)
        self.forwards = self._layers(sizes)
        self.backwards = self._layers(sizes if bidirectional else [])
        self.summarise = nn.Linear(2 * self.output_size, self.output_size)

    def _layers(self, sizes: list[int]) -> nn.ModuleList:
        make = type(self).make_layer
        return nn.ModuleList(make(size, self.hidden_size) for size in sizes)  # type: ignore[misc]

    def forward(self, embedded: Tensor, mask: Tensor, turns: Tensor) -> Memory:
        """Encode.

        Args:
            embedded: (batch, source, input)
            mask: (batch, source), padding on the right
            turns: (batch, source), how many turns back, falling along a row
        """
        backwards = self.backwards
        mirror = mirrored_positions(mask) if len(backwards) else mask
        states = embedded
        for number, layer in enumerate(self.forwards):
            if number:
                states = variational_dropout(states, self.dropout, training=self.training)
            directions = [self._run(layer, states)]
            if len(backwards):
                turned = self._run(backwards[number], reordered(states, mirror))
                directions.append(reordered(turned, mirror))
            states = torch.cat(directions, dim=2) if len(directions) > 1 else directions[0]
        states = states * mask.unsqueeze(2)  # (batch, source, memory)
        return Memory(states, mask, self._summary(states, mask, turns))

    def _run(self, layer: nn.Module, inputs: Tensor) -> Tensor:
        recurrent: RecurrentLayer = layer  # type: ignore[assignment]
        outputs, _ = recurrent(inputs, zero_state(recurrent, inputs, self.hidden_size))
        return outputs

    def _summary(self, states: Tensor, mask: Tensor, turns: Tensor) -> Tensor:
        """Join where each direction ended, backward at the question's first token, with the mean.

        Of a question with three turns before it, the mean of all tokens would be mostly theirs, and
        the backward direction would end with the oldest.
        """
        size = self.hidden_size
        ends = [_at(states[:, :, :size], (mask.sum(1) - 1).clamp(min=0))]  # (batch, hidden)
        if len(self.backwards):
            ends.append(_at(states[:, :, size:], (turns > 0).sum(1)))
        asked = (mask & (turns == 0)).unsqueeze(2)  # (batch, source, 1)
        mean = (states * asked).sum(1) / asked.sum(1).clamp(min=1)  # (batch, memory)
        return torch.tanh(self.summarise(torch.cat([*ends, mean], dim=1)))  # (batch, memory)


class RnnEncoder(RecurrentEncoder):
    """Read a question with a simple recurrent network (Elman 1990)."""

    make_layer = RnnLayer


class GruEncoder(RecurrentEncoder):
    """Read a question with gated recurrent units (Cho et al. 2014)."""

    make_layer = GruLayer


class LstmEncoder(RecurrentEncoder):
    """Read a question with long short-term memories (Hochreiter and Schmidhuber 1997)."""

    make_layer = LstmLayer


def _at(states: Tensor, places: Tensor) -> Tensor:
    """Return the state at one place of each row: (batch, source, width) to (batch, width)."""
    index = places.view(-1, 1, 1).expand(-1, 1, states.shape[2])
    return states.gather(1, index).squeeze(1)


def mirrored_positions(mask: Tensor) -> Tensor:
    """Return where each token lands when its row is reversed within its own length.

    Padding stays where it is. Reversing twice gives the row back.

    Returns:
        places in the flattened (batch x source) axis, (batch x source,)
    """
    batch, source = mask.shape
    places = torch.arange(source, device=mask.device).unsqueeze(0)  # (1, source)
    mirrored = torch.where(mask, mask.sum(1, keepdim=True) - 1 - places, places)
    rows = torch.arange(batch, device=mask.device).unsqueeze(1)
    return (rows * source + mirrored).flatten()


def reordered(states: Tensor, places: Tensor) -> Tensor:
    """Return states in the order of `mirrored_positions`, (batch, source, hidden)."""
    return states.flatten(0, 1).index_select(0, places).view_as(states)
