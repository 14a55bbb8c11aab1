"""A recurrent encoder of words within each turn, and one of turns above it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from chatseq.model.contracts import Memory
from chatseq_hierarchical.layout import layout_of, picked
from chatseq_rnn.encoder import GruEncoder
from chatseq_rnn.layers import GruLayer, zero_state


class HierarchicalEncoder(nn.Module):
    """Read each turn by itself, and then the turns in their order (Serban et al. 2016, HRED).

    A state is what a word is within its turn, joined with what was said up to that turn. The
    summary is the same of the question as a whole. It pays with `question.context_turns` above 0;
    a question alone is a conversation of one turn.
    """

    def __init__(
        self,
        input_size: int,
        *,
        hidden_size: int = 128,
        layers: int = 1,
        bidirectional: bool = True,
        dropout: float = 0.0,
        turn_size: int = 128,
    ) -> None:
        """Build.

        Args:
            hidden_size: width of one direction over the words
            layers: over the words
            bidirectional: whether words are read backwards as well
            dropout: share of numbers left out between layers while learning, 0 to below 1
            turn_size: width of the layer over the turns, which is added to that of the words
        """
        super().__init__()
        if turn_size < 1:
            raise ValueError(f"turn_size ({turn_size}) must be at least 1. Set it to 128 or more.")
        self.words = GruEncoder(
            input_size,
            hidden_size=hidden_size,
            layers=layers,
            bidirectional=bidirectional,
            dropout=dropout,
        )
        self.turns = GruLayer(self.words.output_size, turn_size)
        self.turn_size = turn_size
        self.output_size = self.words.output_size + turn_size

    def forward(self, embedded: Tensor, mask: Tensor, turns: Tensor) -> Memory:
        """Encode.

        Args:
            embedded: (batch, source, input)
            mask: (batch, source), padding on the right
            turns: (batch, source), how many turns back, falling along a row
        """
        layout = layout_of(mask, turns)
        tokens = picked(embedded.flatten(0, 1), layout.tokens)  # (batch, turn, token, input)
        real = layout.mask.flatten(0, 1)  # (batch x turn, token)
        alone = torch.zeros_like(layout.tokens).flatten(0, 1)  # each turn is read as a question
        words = self.words(tokens.flatten(0, 1), real, alone)
        of_turns = words.summary.unflatten(0, layout.mask.shape[:2])  # (batch, turn, word)
        start = zero_state(self.turns, of_turns, self.turn_size)
        so_far, _ = self.turns(of_turns, start)  # (batch, turn, turn size)
        heard = picked(words.states.flatten(0, 1), layout.places)  # (batch, source, word)
        known = picked(so_far.flatten(0, 1), layout.turns)  # (batch, source, turn size)
        states = torch.cat([heard, known], dim=2) * mask.unsqueeze(2)  # (batch, source, memory)
        both = torch.cat([of_turns, so_far], dim=2)  # (batch, turn, memory)
        return Memory(states, mask, picked(both.flatten(0, 1), layout.turns[:, -1]))
