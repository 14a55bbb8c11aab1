"""What recurrent decoders with an attention share, whenever they attend."""

from __future__ import annotations

from typing import NamedTuple

from torch import nn

from chatseq.model.contracts import MakeAttention, Memory
from chatseq_rnn.bridge import Bridge
from chatseq_rnn.layers import State
from chatseq_rnn.sizes import check_sizes
from chatseq_rnn.stack import MakeLayer, RecurrentStack


class Widths(NamedTuple):
    """How wide the vectors are that a decoder joins."""

    embedded: int
    hidden: int
    context: int
    output: int


class AttendingDecoder(nn.Module):
    """Recurrent layers and an attention; a subclass says how a step puts them together.

    The state is that of the layers, then a subclass's `extra_state`, then the attention's.
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
            output_size: width of the attentional vector; as wide as an embedding if not given, so
                that the output layer can be the embedding itself
        """
        super().__init__()
        check_sizes(hidden_size, layers, dropout, output_size)
        if make_attention is None:
            raise ValueError(
                "it attends to the question, and no attention is named. Set "
                "model.attention.name=general, or take a decoder whose name ends in '-context'."
            )
        self.stack = RecurrentStack(type(self).make_layer, input_size, hidden_size, layers, dropout)
        self.bridge = Bridge(memory_size, self.stack.state_count, layers, hidden_size)
        self.attention = make_attention(hidden_size)
        self.output_size = input_size if output_size is None else output_size
        context_size = self.attention.output_size
        self.build(Widths(input_size, hidden_size, context_size, self.output_size))

    def build(self, widths: Widths) -> None:
        """Make what joins the vectors of a step."""
        raise NotImplementedError

    def extra_state(self, memory: Memory) -> State:  # noqa: ARG002
        """Return what the first state holds beside the layers' and the attention's; mostly none."""
        return ()

    def prepare(self, memory: Memory) -> State:
        """Prepare the attention's view of the question."""
        return self.attention.prepare(memory)

    def start(self, memory: Memory) -> State:
        """Start from the summary."""
        layers, history = self.bridge(memory.summary), self.attention.start(memory)
        return (*layers, *self.extra_state(memory), *history)
