"""Decoders with input feeding (Luong et al. 2015, section 3.3)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from chatseq.model.contracts import Decoded, Memory
from chatseq_rnn.decoder import AttendingDecoder, Widths
from chatseq_rnn.layers import GruLayer, LstmLayer, State
from chatseq_rnn.stack import joined, steps


class FeedingDecoder(AttendingDecoder):
    """Attend after each step, and give the attentional vector to the next step too.

    So the decoder knows where it looked before. The first step gets zeros.
    """

    def build(self, widths: Widths) -> None:
        """Make what the vector gives to the next step, and the layer that makes it."""
        self.feed = nn.Linear(widths.output, self.stack.lowest.gate_inputs_size, bias=False)
        self.join = nn.Linear(widths.hidden + widths.context, widths.output)

    def extra_state(self, memory: Memory) -> State:
        """Return the vector before the first step, zeros, (batch, output)."""
        return (memory.summary.new_zeros(memory.summary.shape[0], self.output_size),)

    def forward(self, embedded: Tensor, state: State, prepared: State) -> Decoded:
        """Decode step by step, since each step needs the vector before.

        Args:
            embedded: (rows, target, input)
        """
        count = self.stack.state_count
        states, vector, history = self.stack.parted(state[:count]), state[count], state[count + 1 :]
        masks = self.stack.dropout_masks(embedded)
        found = []
        for gate_inputs in steps(self.stack.lowest.gate_inputs(embedded)):
            inputs = gate_inputs + self.feed(vector)  # (rows, gates)
            hidden, states = self.stack.advance(inputs, states, masks)
            context, weights, history = self.attention(hidden.unsqueeze(1), prepared, history)
            vector = torch.tanh(self.join(torch.cat([hidden, context[:, 0]], dim=1)))
            found.append((vector.unsqueeze(1), weights))
        vectors, weights = (torch.cat(parts, dim=1) for parts in zip(*found, strict=True))
        return Decoded(vectors, weights, (*joined(states), vector, *history))


class GruInputFeedingDecoder(FeedingDecoder):
    """Answer with gated recurrent units that are fed what was found before."""

    make_layer = GruLayer


class LstmInputFeedingDecoder(FeedingDecoder):
    """Answer with long short-term memories that are fed what was found before."""

    make_layer = LstmLayer
