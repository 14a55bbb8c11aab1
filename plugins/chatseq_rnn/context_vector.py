"""Decoders of the plain encoder-decoder: one fixed-size context vector (Cho et al. 2014)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from chatseq.model.contracts import Decoded, MakeAttention, Memory
from chatseq_rnn.bridge import Bridge
from chatseq_rnn.layers import GruLayer, LstmLayer, RnnLayer, State
from chatseq_rnn.sizes import check_sizes
from chatseq_rnn.stack import MakeLayer, RecurrentStack


class Summarised(NamedTuple):
    """What is left of a question: its context vector, and its mask for the shape of the weights."""

    summary: Tensor  # (batch, memory)
    mask: Tensor  # (batch, source)


class ContextDecoder(nn.Module):
    """Give the context vector to every step and to the output (Cho et al. 2014, section 2.2).

    There is no attention, so the weights that come back are zeros.
    """

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
            hidden_size: width of a layer
            layers: recurrent layers on top of each other
            dropout: share of what each layer gives left out while learning, 0 to below 1
            output_size: width of the vector for the output layer; as wide as an embedding if not
                given, so that the output layer can be the embedding itself
        """
        super().__init__()
        check_sizes(hidden_size, layers, dropout, output_size)
        if make_attention is not None:
            raise ValueError(
                "it only has the context vector and cannot use an attention. Set "
                "model.attention=none, or take the decoder 'gru' or 'lstm'."
            )
        self.stack = RecurrentStack(
            type(self).make_layer, input_size + memory_size, hidden_size, layers, dropout
        )
        self.bridge = Bridge(memory_size, self.stack.state_count, layers, hidden_size)
        self.output_size = input_size if output_size is None else output_size
        self.join = nn.Linear(hidden_size + input_size + memory_size, self.output_size)

    def prepare(self, memory: Memory) -> Summarised:
        """Keep the context vector."""
        return Summarised(memory.summary, memory.mask)

    def start(self, memory: Memory) -> State:
        """Start from the context vector."""
        states: State = self.bridge(memory.summary)
        return states

    def forward(self, embedded: Tensor, state: State, prepared: State) -> Decoded:
        """Decode any number of steps at once.

        Args:
            embedded: (rows, target, input)
            prepared: as `prepare` gave it, or the same tensors in a plain tuple
        """
        summary, mask = prepared
        rows, target = embedded.shape[:2]
        context = _for_rows(summary, rows).unsqueeze(1).expand(-1, target, -1)
        inputs = torch.cat([embedded, context], dim=2)  # (rows, target, input + memory)
        hidden, after = self.stack(inputs, state)  # (rows, target, hidden)
        joined = torch.tanh(self.join(torch.cat([hidden, inputs], dim=2)))
        weights = embedded.new_zeros(rows, target, mask.shape[1])
        return Decoded(joined, weights, after)


class RnnContextDecoder(ContextDecoder):
    """Answer with a simple recurrent network from the context vector alone."""

    make_layer = RnnLayer


class GruContextDecoder(ContextDecoder):
    """Answer with gated recurrent units from the context vector alone."""

    make_layer = GruLayer


class LstmContextDecoder(ContextDecoder):
    """Answer with long short-term memories from the context vector alone."""

    make_layer = LstmLayer


def _for_rows(summary: Tensor, rows: int) -> Tensor:
    """Repeat each source's vector for its adjacent rows: (batch, memory) to (rows, memory)."""
    batch, size = summary.shape
    return summary.unsqueeze(1).expand(-1, rows // batch, -1).reshape(rows, size)
