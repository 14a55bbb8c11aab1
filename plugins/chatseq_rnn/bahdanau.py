"""Decoders that attend before the recurrent step (Bahdanau et al. 2015, section 3.1 and A.2.2)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from chatseq.model.contracts import Decoded
from chatseq_rnn.decoder import AttendingDecoder, Widths
from chatseq_rnn.layers import GruLayer, LstmLayer, State
from chatseq_rnn.stack import joined, steps


class BeforeDecoder(AttendingDecoder):
    """Attend with the hidden state before the step; what is found enters step and output.

    The output is their maxout layer: the larger one of two sums of hidden state, context and
    embedded token.
    """

    def build(self, widths: Widths) -> None:
        """Make what the context gives to the step, and the output layer."""
        self.feed = nn.Linear(widths.context, self.stack.lowest.gate_inputs_size, bias=False)
        self.join = nn.Linear(widths.hidden + widths.context + widths.embedded, 2 * widths.output)

    def forward(self, embedded: Tensor, state: State, prepared: State) -> Decoded:
        """Decode step by step, since each query is the state before.

        Args:
            embedded: (rows, target, input)
        """
        count = self.stack.state_count
        states, history = self.stack.parted(state[:count]), state[count:]
        masks = self.stack.dropout_masks(embedded)
        found = []
        for gate_inputs in steps(self.stack.lowest.gate_inputs(embedded)):
            query = states[-1][0].unsqueeze(1)  # (rows, 1, hidden)
            context, weights, history = self.attention(query, prepared, history)
            inputs = gate_inputs + self.feed(context[:, 0])  # (rows, gates)
            hidden, states = self.stack.advance(inputs, states, masks)
            found.append((hidden.unsqueeze(1), context, weights))
        hidden, context, weights = (torch.cat(parts, dim=1) for parts in zip(*found, strict=True))
        sums = self.join(torch.cat([hidden, context, embedded], dim=2))
        vectors = torch.maximum(*sums.chunk(2, dim=2))  # (rows, target, output)
        return Decoded(vectors, weights, (*joined(states), *history))


class GruBahdanauDecoder(BeforeDecoder):
    """Answer with gated recurrent units that attend before each step."""

    make_layer = GruLayer


class LstmBahdanauDecoder(BeforeDecoder):
    """Answer with long short-term memories that attend before each step."""

    make_layer = LstmLayer
