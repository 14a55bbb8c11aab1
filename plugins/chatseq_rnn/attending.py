"""Decoders that attend after the recurrent step (Luong et al. 2015, section 3)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from chatseq.model.contracts import Decoded, MakeAttention, Memory
from chatseq_rnn.bridge import Bridge
from chatseq_rnn.layers import GruLayer, LstmLayer, RnnLayer, State
from chatseq_rnn.sizes import check_sizes
from chatseq_rnn.stack import MakeLayer, RecurrentStack


class AttendingDecoder(nn.Module):
    """Run recurrent layers, attend with their output, and join both through one tanh layer."""

    make_layer: MakeLayer

    def __init__(
        self,
        input_size: int,
        memory_size: int,
        make_attention: MakeAttention | None,
        *,
        hidden_size: int = 256,
        layers: int = 1,
        dropout: float = 0.0,
        output_size: int | None = None,
    ) -> None:
        """Build.

        Args:
            dropout: share of what each layer gives left out while learning, 0 to below 1
            output_size: width of the attentional vector; as wide as an embedding if not given, so
                that the output layer can be the embedding itself
        """
        super().__init__()
        check_sizes(hidden_size, layers, dropout)
        if make_attention is None:
            raise ValueError(
                "it attends to the question, and no attention is named. Set "
                "model.attention.name=general, or take a decoder whose name ends in '-context'."
            )
        self.stack = RecurrentStack(type(self).make_layer, input_size, hidden_size, layers, dropout)
        self.bridge = Bridge(memory_size, self.stack.state_count, layers, hidden_size)
        self.attention = make_attention(hidden_size)
        self.output_size = input_size if output_size is None else output_size
        self.join = nn.Linear(hidden_size + self.attention.output_size, self.output_size)

    def prepare(self, memory: Memory) -> State:
        """Prepare the attention's view of the question."""
        return self.attention.prepare(memory)

    def start(self, memory: Memory) -> State:
        """Start from the summary: the layers' state, then the attention's."""
        return (*self.bridge(memory.summary), *self.attention.start(memory))

    def forward(self, embedded: Tensor, state: State, prepared: State) -> Decoded:
        """Decode any number of steps at once.

        Args:
            embedded: (rows, target, input)
        """
        count = self.stack.state_count
        hidden, recurrent = self.stack(embedded, state[:count])  # (rows, target, hidden)
        context, weights, history = self.attention(hidden, prepared, state[count:])
        joined = torch.tanh(self.join(torch.cat([hidden, context], dim=2)))
        return Decoded(joined, weights, (*recurrent, *history))


class RnnDecoder(AttendingDecoder):
    """Answer with a simple recurrent network that attends after each step."""

    make_layer = RnnLayer


class GruDecoder(AttendingDecoder):
    """Answer with gated recurrent units that attend after each step."""

    make_layer = GruLayer


class LstmDecoder(AttendingDecoder):
    """Answer with long short-term memories that attend after each step."""

    make_layer = LstmLayer
