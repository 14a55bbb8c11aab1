"""The encoder: layers of self-attention over the whole question."""

from __future__ import annotations

from torch import Tensor, nn

from chatseq.model.contracts import Memory
from chatseq_transformer.attention import SelfAttention, unseen_padding
from chatseq_transformer.entry import Entry
from chatseq_transformer.layers import FeedForward, NormPlace, make_end, make_joint
from chatseq_transformer.positions import Kind, Rotation
from chatseq_transformer.sizes import check_dropout, check_sizes


class TransformerEncoder(nn.Module):
    """Read a question with self-attention (Vaswani et al. 2017).

    The summary is the mean of the states.
    """

    def __init__(
        self,
        input_size: int,
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
            hidden_size: width of the memory, a multiple of `heads`
            layers: self-attention with a feed-forward network, on top of each other
            heads: of the self-attention
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
        self.output_size = hidden_size
        self.enter = Entry(input_size, hidden_size, heads, positions, max_positions)
        self.layers = nn.ModuleList(
            EncoderLayer(hidden_size, heads, inner_size, norm, dropout) for _ in range(layers)
        )
        self.end = make_end(norm, hidden_size)

    def forward(self, embedded: Tensor, mask: Tensor, turns: Tensor) -> Memory:  # noqa: ARG002
        """Encode.

        Args:
            embedded: (batch, source, input)
            mask: (batch, source)
        """
        states, rotation = self.enter(embedded, 0)  # (batch, source, hidden)
        unseen = unseen_padding(states, mask)
        for layer in self.layers:
            states = layer(states, rotation, unseen)
        states = self.end(states).masked_fill(~mask.unsqueeze(2), 0.0)
        lengths = mask.sum(1, keepdim=True).clamp(min=1)  # (batch, 1)
        return Memory(states, mask, states.sum(1) / lengths)


class EncoderLayer(nn.Module):
    """Self-attention, then a feed-forward network."""

    def __init__(
        self, hidden_size: int, heads: int, inner_size: int, norm: NormPlace, dropout: float
    ) -> None:
        super().__init__()
        self.attention = SelfAttention(hidden_size, heads)
        self.feed_forward = FeedForward(hidden_size, inner_size)
        self.attention_joint = make_joint(norm, hidden_size, dropout)
        self.feed_forward_joint = make_joint(norm, hidden_size, dropout)

    def forward(self, states: Tensor, rotation: Rotation | None, unseen: Tensor) -> Tensor:
        """Change the states: (batch, source, hidden) to the same.

        Args:
            unseen: see `unseen_padding`
        """
        joint = self.attention_joint
        found, _ = self.attention(joint.before(states), None, rotation, unseen, states.shape[1])
        states = joint.after(states, found)
        joint = self.feed_forward_joint
        return joint.after(states, self.feed_forward(joint.before(states)))
