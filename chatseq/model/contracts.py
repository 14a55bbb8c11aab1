"""What an encoder, an attention, a decoder and an output layer must offer (torch).

Axes, batch first everywhere: batch, source, target, beam, hidden, memory, query, vocab.
Masks are bool and True on real tokens. A state is a NamedTuple of tensors whose first axis is rows,
so that `take` can reorder it; nothing is stored on a module during forward.

While searching, one source may have k adjacent rows: rows = batch x k. What belongs to the source
(`Prepared`) is never replicated; an attention folds the k rows into its query axis.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, TypeVar

from torch import Tensor

Tensors = TypeVar("Tensors", bound=tuple[Any, ...])


class Memory(NamedTuple):
    """What an encoder makes of a question."""

    states: Tensor  # (batch, source, memory), zeros at padding
    mask: Tensor  # (batch, source)
    summary: Tensor  # (batch, memory), the fixed-size context vector of the plain model


class Attended(NamedTuple):
    """What an attention found for each query."""

    context: Tensor  # (rows, target, memory)
    weights: Tensor  # (rows, target, source), zeros at padding, else summing to 1
    state: tuple[Tensor, ...]  # history for scores that need it; mostly empty


class Decoded(NamedTuple):
    """What a decoder made of the tokens it was given."""

    hidden: Tensor  # (rows, target, output)
    weights: Tensor  # (rows, target, source)
    state: tuple[Tensor, ...]


class Encoder(Protocol):
    """Turns an embedded question into a memory; padding must not change the result."""

    output_size: int  # the width of the memory

    def __call__(self, embedded: Tensor, mask: Tensor, turns: Tensor) -> Memory:
        """Encode.

        Args:
            embedded: (batch, source, input)
            mask: (batch, source), padding on the right
            turns: (batch, source), how many turns back each token was said: 0 for the question
                itself and for padding, 1 for the turn before it; falling along a row
        """


class Attention(Protocol):
    """Scores every memory vector against each query.

    `Prepared` is a NamedTuple of tensors, (batch, ...) each, that starts with `states` and `mask`.
    """

    output_size: int  # the width of a context

    def prepare(self, memory: Memory) -> tuple[Tensor, ...]:
        """Compute once a source what does not depend on the query."""

    def start(self, memory: Memory) -> tuple[Tensor, ...]:
        """Return the state before the first query; `()` where no history is needed."""

    def __call__(
        self, query: Tensor, prepared: tuple[Tensor, ...], state: tuple[Tensor, ...]
    ) -> Attended:
        """Attend with any number of target steps at once.

        Args:
            query: (rows, target, query), rows = batch x k with the k rows of a source adjacent
        """


MakeAttention = Callable[[int], Attention]  # from the width of the query


class Decoder(Protocol):
    """Turns a memory and embedded tokens into hidden vectors for the output layer.

    The same call trains (the whole target at once) and generates (one token). `prepare` and
    `start` run once a question and are exported together with the encoder.
    """

    output_size: int  # the width of `hidden`

    def prepare(self, memory: Memory) -> tuple[Tensor, ...]:
        """Return what belongs to the source: (batch, ...) tensors, never replicated for beams."""

    def start(self, memory: Memory) -> tuple[Tensor, ...]:
        """Return the state before the first token, one row a source."""

    def __call__(
        self, embedded: Tensor, state: tuple[Tensor, ...], prepared: tuple[Tensor, ...]
    ) -> Decoded:
        """Decode.

        Args:
            embedded: (rows, target, input), the tokens before each wanted position
        """


class Vocabulary(NamedTuple):
    """The tokens that an output layer chooses among: the model's embedding, used again."""

    vectors: Tensor  # (vocab, embedding)
    bias: Tensor  # (vocab,)
    allowed: Tensor  # (vocab,) bool; padding and the start mark are never generated


class Readout(NamedTuple):
    """What an output layer sees of each position of an answer."""

    hidden: Tensor  # (positions, output), what the decoder made
    embedded: Tensor  # (positions, input), the token before
    weights: Tensor  # (positions, source), the decoder's attention
    source: Tensor | None  # (positions, source), ids of the question; None unless it `copies`


class Output(Protocol):
    """Turns what a decoder made into log-probabilities of the next token.

    The model owns the embedding and hands it over at each call, so that both can be one matrix.
    """

    copies: bool  # whether `Readout.source` is needed

    def __call__(self, readout: Readout, vocabulary: Vocabulary) -> Tensor:
        """Return log-probabilities, (positions, vocab), near -1e9 where not allowed."""

    def loss(
        self, readout: Readout, targets: Tensor, vocabulary: Vocabulary, *, label_smoothing: float
    ) -> Tensor:
        """Return the summed cross entropy in nats, a scalar.

        Args:
            targets: (positions,), allowed ones only
        """


def take(state: Tensors, rows: Tensor) -> Tensors:
    """Return the state with its rows chosen and reordered; works for plain and named tuples."""
    chosen = [tensor.index_select(0, rows) for tensor in state]
    return type(state)(*chosen) if hasattr(state, "_fields") else type(state)(chosen)
