"""The smallest parts that keep the contracts, to put around the one that is checked."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from chatseq.model.contracts import (
    Attended,
    Decoded,
    MakeAttention,
    Memory,
    Readout,
    Vocabulary,
)

IMPOSSIBLE = -1e9


class PlainEncoder(nn.Module):
    """Read each token alone; the summary is the mean."""

    def __init__(self, input_size: int, *, hidden_size: int = 8) -> None:
        """Build.

        Args:
            hidden_size: width of the memory
        """
        super().__init__()
        if hidden_size < 1:
            raise ValueError(f"hidden_size ({hidden_size}) must be at least 1.")
        self.output_size = hidden_size
        self.project = nn.Linear(input_size, hidden_size)

    def forward(self, embedded: Tensor, mask: Tensor, turns: Tensor) -> Memory:  # noqa: ARG002
        """Encode."""
        states = torch.tanh(self.project(embedded)) * mask.unsqueeze(2)
        return Memory(states, mask, states.sum(1) / mask.sum(1, keepdim=True).clamp(min=1))


class PlainAttention(nn.Module):
    """Score each memory vector by a product with the query."""

    def __init__(self, query_size: int, memory_size: int) -> None:
        super().__init__()
        self.output_size = memory_size
        self.project = nn.Linear(query_size, memory_size)

    def prepare(self, memory: Memory) -> tuple[Tensor, ...]:
        """Keep the memory as it is."""
        return memory.states, memory.mask

    def start(self, memory: Memory) -> tuple[Tensor, ...]:  # noqa: ARG002
        """Return no state."""
        return ()

    def forward(
        self, query: Tensor, prepared: tuple[Tensor, ...], state: tuple[Tensor, ...]
    ) -> Attended:
        """Attend."""
        states, mask = prepared
        scores = self.scores(query, states)
        weights, context = weighed(scores, states, mask)
        return Attended(context, weights, state)

    def scores(self, query: Tensor, states: Tensor) -> Tensor:
        """Return (rows, target, source)."""
        rows, target, _ = query.shape
        folded = self.project(query).reshape(states.shape[0], -1, self.output_size)
        scores: Tensor = (folded @ states.transpose(1, 2)).reshape(rows, target, -1)
        return scores


class RememberingAttention(PlainAttention):
    """Score lower what was looked at before; its state is the sum of the weights so far."""

    def start(self, memory: Memory) -> tuple[Tensor, ...]:
        """Return that nothing was looked at."""
        return (memory.mask.to(memory.states.dtype) * 0,)

    def forward(
        self, query: Tensor, prepared: tuple[Tensor, ...], state: tuple[Tensor, ...]
    ) -> Attended:
        """Attend step by step."""
        states, mask = prepared
        scores, seen = self.scores(query, states), state[0]
        found: list[tuple[Tensor, Tensor]] = []
        for step in range(int(query.shape[1])):
            weights, context = weighed(scores[:, step : step + 1] - seen.unsqueeze(1), states, mask)
            seen = seen + weights[:, 0]
            found.append((context, weights))
        contexts, weights_of_steps = zip(*found, strict=True)
        return Attended(torch.cat(contexts, dim=1), torch.cat(weights_of_steps, dim=1), (seen,))


class PlainDecoder(nn.Module):
    """Sum up the tokens so far and attend with that, or look at the summary alone."""

    def __init__(
        self, input_size: int, memory_size: int, make_attention: MakeAttention | None
    ) -> None:
        super().__init__()
        self.output_size = input_size
        self.start_with = nn.Linear(memory_size, input_size)
        self.attention = make_attention(memory_size) if make_attention else None
        self.ask = nn.Linear(input_size, memory_size) if make_attention else nn.Identity()
        width = input_size + (self.attention.output_size if self.attention else 0)
        self.join = nn.Linear(width, input_size)

    def prepare(self, memory: Memory) -> tuple[Tensor, ...]:
        """Return the attention's view, or the mask alone."""
        return self.attention.prepare(memory) if self.attention else (memory.mask,)

    def start(self, memory: Memory) -> tuple[Tensor, ...]:
        """Start from the summary."""
        history = self.attention.start(memory) if self.attention else ()
        return (torch.tanh(self.start_with(memory.summary)), *history)

    def forward(
        self, embedded: Tensor, state: tuple[Tensor, ...], prepared: tuple[Tensor, ...]
    ) -> Decoded:
        """Decode any number of steps."""
        total = embedded.cumsum(1) + state[0].unsqueeze(1)  # (rows, target, input)
        if self.attention is None:
            weights = embedded.new_zeros(*embedded.shape[:2], prepared[0].shape[1])
            return Decoded(torch.tanh(self.join(total)), weights, (total[:, -1],))
        context, weights, history = self.attention(self.ask(torch.tanh(total)), prepared, state[1:])
        hidden = torch.tanh(self.join(torch.cat([total, context], dim=2)))
        return Decoded(hidden, weights, (total[:, -1], *history))


class PlainOutput(nn.Module):
    """Score each token by the product of its embedding and the hidden vector."""

    copies = False

    def __init__(self, hidden_size: int, embedding_size: int, attends: bool) -> None:  # noqa: ARG002
        super().__init__()
        self.project = nn.Linear(hidden_size, embedding_size)

    def forward(self, readout: Readout, vocabulary: Vocabulary) -> Tensor:
        """Return log-probabilities."""
        logits = self.project(readout.hidden) @ vocabulary.vectors.t() + vocabulary.bias
        chances: Tensor = logits.masked_fill(~vocabulary.allowed, float("-inf")).log_softmax(-1)
        return chances.masked_fill(~vocabulary.allowed, IMPOSSIBLE)

    def loss(
        self, readout: Readout, targets: Tensor, vocabulary: Vocabulary, *, label_smoothing: float
    ) -> Tensor:
        """Return the summed cross entropy."""
        log_probs = self(readout, vocabulary)
        chosen = log_probs.gather(1, targets.unsqueeze(1)).sum()
        even = log_probs.masked_fill(~vocabulary.allowed, 0.0).sum() / vocabulary.allowed.sum()
        loss: Tensor = -(1 - label_smoothing) * chosen - label_smoothing * even
        return loss


def weighed(scores: Tensor, states: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Return weights and contexts of rows that share the memory of their source."""
    rows, target, source = scores.shape
    batch = states.shape[0]
    folded = scores.reshape(batch, -1, source)
    padding = ~mask.unsqueeze(1)
    lowest = torch.finfo(scores.dtype).min
    weights = folded.masked_fill(padding, lowest).softmax(-1).masked_fill(padding, 0.0)
    context = (weights @ states).reshape(rows, target, -1)
    return weights.reshape(rows, target, source), context
