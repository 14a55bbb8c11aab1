"""What a decoding strategy and an adjuster must offer. Arrays only; a module is never seen.

One search serves a batch of questions. Each question has `width` adjacent rows (1 for greedy, the
beam size for beam search).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from chatseq.engines.contracts import Array


@dataclass(slots=True)
class Search:
    """Where a search stands. The loop writes it; strategies and adjusters read it."""

    batch: int
    width: int  # rows a question
    tokens: Array  # (rows, steps) so far, the start mark left out
    scores: Array  # (rows,) sum of the chosen log-probabilities
    finished: Array  # (rows,) bool: ended with the end mark
    step: int  # how many tokens each row has
    max_length: int  # tokens at most, the end mark counted


class Choice(NamedTuple):
    """What a strategy chose for the next step, row by row."""

    parents: Array  # (rows,) which row each new row goes on from
    tokens: Array  # (rows,)
    scores: Array  # (rows,) after the choice
    finished: Array  # (rows,) bool


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One finished reply in ids."""

    tokens: tuple[int, ...]  # the end mark left out
    log_probs: tuple[float, ...]  # of each token, and of the end mark where it was reached
    score: float  # what the strategy ranks by
    ended: bool  # False when the maximum length or an interruption cut it
    weights: tuple[tuple[float, ...], ...] = ()  # attention of each token over the question


class Adjuster(Protocol):
    """Changes the log-probabilities before the strategy sees them."""

    def adjust(self, log_probs: Array, search: Search) -> Array:
        """Return the changed scores, (rows, vocab); the argument may be written."""


class Strategy(Protocol):
    """Chooses tokens from scores; holds options only, so one object serves many searches."""

    @property
    def width(self) -> int:
        """Rows that each question needs."""

    def choose(self, log_probs: Array, search: Search) -> Choice:
        """Choose the next token of every row, and which row it goes on from."""

    def rank(self, hypotheses: Sequence[Hypothesis]) -> list[Hypothesis]:
        """Return the hypotheses of one question, best first, with the score it ranks by."""

    def done(self, search: Search) -> bool:
        """Tell whether no better reply can come."""
