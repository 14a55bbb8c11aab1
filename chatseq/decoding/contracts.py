"""What a decoding strategy and an adjuster must offer. Arrays only; a module is never seen.

A strategy and an adjuster hold options only, so one object serves many searches at once; what
belongs to one search is in the object that `begin` returns.

One search serves a batch of questions. Each question has `width` adjacent rows: 1 before the first
token, then as many as the strategy's choices have, the same number for every question.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from chatseq.decoding.answers import Answers
from chatseq.engines.contracts import Array
from chatseq.text.tokenizer import Tokenizer


class SearchRequest(NamedTuple):
    """What a search is about, handed over once before the first step."""

    xp: Any  # the namespace of the arrays, numpy or array_api_compat's torch
    questions: tuple[tuple[int, ...], ...]  # the ids of each, the end mark included
    max_length: int  # tokens of a reply at most, the end mark counted
    seed: int = 0  # for strategies that draw
    tokenizer: Tokenizer | None = None  # for what needs text: stop strings, known answers
    answers: Answers | None = None  # those that the bot was trained on


@dataclass(slots=True)
class SearchState:
    """Where a search stands. The loop writes it; strategies and adjusters read it."""

    sources: list[int]  # of each group of `width` rows, its question's place in the task
    width: int  # rows a question
    rows: Array  # (rows,) 0, 1, 2, ...; for picking one score a row
    tokens: Array  # (rows, step) so far, the start mark left out
    scores: Array  # (rows,) as the strategy gave them; 0 before the first token
    state: tuple[Array, ...]  # (rows, ...) each, the decoder's after the last token
    weights: Array  # (rows, source), the attention of this step
    step: int = 0  # how many tokens each row has
    row_notes: tuple[Array, ...] = ()  # (rows, ...) each, as the last choice left them


class Ended(NamedTuple):
    """A row whose reply ends here: the end mark follows what it has so far."""

    row: int
    score: float  # with the end mark


class Choice(NamedTuple):
    """What a strategy chose: the rows that go on, and the replies that end.

    Every question has equally many rows. One that is only there for that has the score -inf and is
    never reported. What is chosen for a question that is done does not matter.

    What a strategy wants to know of a row at the next step it leaves in `row_notes`, one entry for
    each new row: the loop drops rows of questions that are done, and a chooser does not hear of it.
    """

    parents: Array | None  # (rows,) which row each new row goes on from; None: each from itself
    tokens: Array  # (rows,)
    scores: Array  # (rows,) after the choice
    ended: Sequence[Ended] = ()
    done: Sequence[int] = ()  # places in `SearchState.sources` for which no better reply can come
    row_notes: tuple[Array, ...] = ()  # (rows, ...) each; come back in `SearchState.row_notes`


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One reply in ids."""

    tokens: tuple[int, ...]  # the end mark left out
    log_probs: tuple[float, ...]  # the model's, of each token, and of the end mark where it ended
    score: float  # the strategy's; `Chooser.rank` may replace it by what it ranks by
    ended: bool  # False when the maximum length or an interruption cut it
    weights: tuple[tuple[float, ...], ...] = ()  # attention of each token over the question
    place: int = 0  # among the question's rows, of the row that it ended or was cut in


class Chooser(Protocol):
    """A strategy at work on one search."""

    def choose(self, scores: Array, search: SearchState) -> Choice:
        """Choose which rows go on, with which token, and which replies end.

        Args:
            scores: log-probabilities after the adjusters, (rows, vocab); padding and start marks
                have -inf. Must not be written.
        """

    def rank(self, hypotheses: Sequence[Hypothesis]) -> list[Hypothesis]:
        """Return the hypotheses of one question that are worth telling, best first.

        Gets every reply that ended, and those that were cut where the search did not come to its
        end.
        """


class Strategy(Protocol):
    """Chooses tokens from scores; what the hook `chatseq_strategies` names."""

    @property
    def draws(self) -> bool:
        """Whether replies depend on the seed."""

    def begin(self, task: SearchRequest) -> Chooser:
        """Return what chooses for one search."""


Adjust = Callable[[Array, SearchState], Array]
"""Return the changed scores, (rows, vocab), or the argument itself, which must not be written."""


class Adjuster(Protocol):
    """Changes the scores before a strategy sees them; what the hook `chatseq_adjusters` names.

    Scores stay log-probabilities or become less: never above 0, else searches that stop early may
    miss the best reply. So an adjuster lowers scores; what it forces may get 0, for what has no
    alternative has the probability 1.

    The end mark may be held back, as a minimum length does. Where adjusters together leave a row
    nothing at all, the loop lets it end there.

    An adjuster that ends replies at certain strings names them in an attribute `stops`, so that
    they and what follows them are left out of the text; see chatseq.decoding.growing_text.
    """

    def begin(self, task: SearchRequest) -> Adjust:
        """Return what adjusts for one search."""
