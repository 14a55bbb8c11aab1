"""The decoder: layers of self-attention over the answer so far, and attention to the question."""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from chatseq.model.contracts import Attended, Attention, Decoded, MakeAttention, Memory
from chatseq_transformer.attention import SelfAttention, unseen_future
from chatseq_transformer.entry import Entry
from chatseq_transformer.layers import FeedForward, NormPlace, make_end, make_joint
from chatseq_transformer.positions import Kind, Rotation
from chatseq_transformer.sizes import check_dropout, check_sizes

State = tuple[Tensor, ...]


class TransformerDecoder(nn.Module):
    """Answer with self-attention, and any attention to the question (Vaswani et al. 2017).

    Each layer has an attention of its own. The weights that come back are their mean. The state is
    the keys and values of each layer for the tokens so far, so it grows by one at every step; after
    them comes what the attentions keep.
    """

    def __init__(
        self,
        input_size: int,
        memory_size: int,  # noqa: ARG002  # the makers of attentions know it
        make_attention: MakeAttention | None,
        *,
        hidden_size: int = 256,
        layers: int = 3,
        heads: int = 4,
        inner_size: int | None = None,
        dropout: float = 0.0,
        positions: Kind = "sinusoidal",
        max_positions: int = 512,
        norm: NormPlace = "pre",
    ) -> None:
        """Build.

        Args:
            hidden_size: width of the layers, of the queries and of the output, a multiple of
                `heads`
            layers: self-attention, attention to the question and a feed-forward network each
            heads: of the self-attention; the attention to the question has options of its own
            inner_size: width inside the feed-forward networks; twice `hidden_size` if not given
            dropout: share of what each sublayer gives left out while learning, 0 to below 1
            positions: waves or learnt vectors added to the tokens, or rotated queries and keys
            max_positions: of learned positions; tokens beyond them share the last
            norm: in front of each sublayer, or behind it as in the paper, which needs a long
                warm-up
        """
        super().__init__()
        inner_size = 2 * hidden_size if inner_size is None else inner_size
        check_sizes(hidden_size, layers, heads, inner_size)
        check_dropout(dropout)
        if make_attention is None:
            raise ValueError(
                "it attends to the question, and no attention is named. Set "
                "model.attention.name=multi-head."
            )
        self.output_size = hidden_size
        self.enter = Entry(input_size, hidden_size, heads, positions, max_positions)
        self.layers = nn.ModuleList(
            DecoderLayer(hidden_size, heads, inner_size, norm, dropout, make_attention(hidden_size))
            for _ in range(layers)
        )
        self.end = make_end(norm, hidden_size)

    def prepare(self, memory: Memory) -> State:
        """Prepare each attention's view of the question."""
        return tuple(part for layer in self._stack() for part in layer.attention.prepare(memory))

    def start(self, memory: Memory) -> State:
        """Start with no token: the layers' keys and values, then the attentions' states."""
        keys_values = [layer.self_attention.nothing_yet(memory.states) for layer in self._stack()]
        histories = [part for layer in self._stack() for part in layer.attention.start(memory)]
        return (*keys_values, *histories)

    def forward(self, embedded: Tensor, state: State, prepared: State) -> Decoded:
        """Decode any number of steps at once.

        Args:
            embedded: (rows, target, input)
        """
        count = len(self.layers)
        target, past = int(embedded.shape[1]), state[0].shape[2]
        states, rotation = self.enter(embedded, past)  # (rows, target, hidden)
        unseen = None if target == 1 else unseen_future(states, past, target)
        questions = zip(_dealt(prepared, count), _dealt(state[count:], count), strict=True)
        found = []
        for layer, keys_values, question in zip(
            self._stack(), state[:count], questions, strict=True
        ):
            found.append(layer(states, SelfContext(keys_values, rotation, unseen), *question))
            states = found[-1].states
        weights = torch.stack([layer.attended.weights for layer in found]).mean(0)
        histories = [part for layer in found for part in layer.attended.state]
        return Decoded(
            self.end(states), weights, (*(layer.keys_values for layer in found), *histories)
        )

    def _stack(self) -> list[DecoderLayer]:
        return cast("list[DecoderLayer]", list(self.layers))


class SelfContext(NamedTuple):
    """What the self-attention of a layer may see."""

    keys_values: Tensor  # (rows, 2 x heads, past steps, head)
    rotation: Rotation | None
    unseen: Tensor | None  # (target, past + target); None for one step, which sees all before it


class Layered(NamedTuple):
    """What a layer gave."""

    states: Tensor  # (rows, target, hidden)
    keys_values: Tensor  # (rows, 2 x heads, all steps, head)
    attended: Attended


class DecoderLayer(nn.Module):
    """Self-attention over the answer so far, attention to the question, a feed-forward network."""

    def __init__(
        self,
        hidden_size: int,
        heads: int,
        inner_size: int,
        norm: NormPlace,
        dropout: float,
        attention: Attention,
    ) -> None:
        super().__init__()
        self.self_attention = SelfAttention(hidden_size, heads)
        self.attention = attention
        self.join = nn.Linear(attention.output_size, hidden_size)
        self.feed_forward = FeedForward(hidden_size, inner_size)
        self.own_joint = make_joint(norm, hidden_size, dropout)
        self.question_joint = make_joint(norm, hidden_size, dropout)
        self.inner_joint = make_joint(norm, hidden_size, dropout)

    def forward(
        self, states: Tensor, seen: SelfContext, prepared: State, history: State
    ) -> Layered:
        """Change the states: (rows, target, hidden) to the same."""
        joint = self.own_joint
        found, keys_values = self.self_attention(joint.before(states), *seen, int(states.shape[1]))
        states, joint = joint.after(states, found), self.question_joint
        attended = self.attention(joint.before(states), prepared, history)
        states, joint = joint.after(states, self.join(attended.context)), self.inner_joint
        states = joint.after(states, self.feed_forward(joint.before(states)))
        return Layered(states, keys_values, attended)


def _dealt(tensors: State, count: int) -> list[State]:
    """Return the part of each layer; all have equally many."""
    size = len(tensors) // count
    return [tensors[size * layer : size * (layer + 1)] for layer in range(count)]
