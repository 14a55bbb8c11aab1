"""Decoders that attend after the recurrent step (Luong et al. 2015, section 3)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from chatseq.model.contracts import Decoded
from chatseq_rnn.decoder import AttendingDecoder, Widths
from chatseq_rnn.layers import GruLayer, LstmLayer, RnnLayer, State


class AfterDecoder(AttendingDecoder):
    """Run recurrent layers, attend with their output, and join both through one tanh layer."""

    def build(self, widths: Widths) -> None:
        """Make the layer of the attentional vector."""
        self.join = nn.Linear(widths.hidden + widths.context, widths.output)

    def forward(self, embedded: Tensor, state: State, prepared: State) -> Decoded:
        """Decode any number of steps at once.

        Args:
            embedded: (rows, target, input)
        """
        count = self.stack.state_count
        hidden, recurrent = self.stack(embedded, state[:count])  # (rows, target, hidden)
        context, weights, history = self.attention(hidden, prepared, state[count:])
        vectors = torch.tanh(self.join(torch.cat([hidden, context], dim=2)))
        return Decoded(vectors, weights, (*recurrent, *history))


class RnnDecoder(AfterDecoder):
    """Answer with a simple recurrent network that attends after each step."""

    make_layer = RnnLayer


class GruDecoder(AfterDecoder):
    """Answer with gated recurrent units that attend after each step."""

    make_layer = GruLayer


class LstmDecoder(AfterDecoder):
    """Answer with long short-term memories that attend after each step."""

    make_layer = LstmLayer
