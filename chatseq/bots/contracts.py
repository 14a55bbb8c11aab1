"""What may be learnt once the network is trained, and from what: responders and scorers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from chatseq.bots.bot import Bot
from chatseq.bots.responder import Responder
from chatseq.core.exchange import Exchange
from chatseq.text.question_encoder import Question

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

DECLINE = -1  # the number of the answer that says nothing; others count through Answers.texts
NO_CANDIDATE = -2  # fills up a row of candidates


@dataclass(frozen=True)
class FitData:
    """What a responder may learn from when the network has been trained.

    Rows with an empty answer are questions to be declined.
    """

    bot: Bot  # runs the trained network; its responder is not there yet
    train: Sequence[Exchange]  # what is learnt from; it lies in the folder, too
    held_out: Sequence[Exchange]  # what is not; empty: nothing could be spared
    closed: bool  # whether answers recur, as in a FAQ
    seed: int
    fitted: Path | None = None  # where the same was learnt before, while questions were held out

    @cached_property
    def number_of(self) -> Mapping[str, int]:
        """The number of each answer that the bot knows, as `bot.answers.texts` counts them."""
        texts = self.bot.answers.texts if self.bot.answers is not None else ()
        return {text: number for number, text in enumerate(texts)}

    @cached_property
    def answer_numbers(self) -> Ints:
        """The number of the answer of each row of `train`, (rows,).

        DECLINE for a row without an answer, or whose answer the bot does not know.
        """
        return np.array([self.number_of.get(row.answer, DECLINE) for row in self.train], np.int64)


class Query(NamedTuple):
    """A question to a scorer."""

    text: str  # without its context
    encoded: Question  # as the network reads it, its context included


class AnswerScores(NamedTuple):
    """What one scorer says of the candidate answers to some questions."""

    scores: Floats  # (questions, candidates), the higher the likelier right; finite
    features: Mapping[str, Floats]  # name: (questions, candidates), how sure it is of each, finite


class FittedScorer(Protocol):
    """A scorer with what it has learnt; safe to be asked by several threads."""

    features: tuple[str, ...]  # names of its confidence features; each speaks for an answer
    prior_weight: float  # of its scores among others, before any is fitted; nats a unit of them

    def propose(self, queries: Sequence[Query], most: int) -> Sequence[Sequence[int]]:
        """Name the answers to each question that are worth a look, best first, at most so many.

        Asked where there are too many answers to score all of them. A scorer that cannot tell
        without looking at all of them names none.
        """

    def score(self, queries: Sequence[Query], candidates: Ints) -> AnswerScores:
        """Score the candidate answers to each question.

        A question is scored alike alone and among others.

        Args:
            candidates: numbers of answers among `bot.answers.texts`, (questions, candidates);
                DECLINE stands for saying nothing. What is said of NO_CANDIDATE does not matter.
        """


class Scorer(Protocol):
    """Part of what decides an answer; what the hook `chatseq_scorers` names.

    It is built from its options alone. `fit` is called where a bot is trained, `open` where it is
    loaded, by whatever responder joins scorers.
    """

    def fit(self, data: FitData, folder: Path) -> None:
        """Learn from the corpus, and write what `open` needs into a folder.

        Names of files begin with the name under which the scorer is listed and a hyphen or a dot,
        so that scorers never write the same: letters, digits, dots and hyphens. As `fit` of a
        responder it is called twice where questions were held out.
        """

    def open(self, bot: Bot) -> FittedScorer | None:
        """Open what `fit` wrote into `bot.folder`; None where there is nothing to say.

        Raises:
            OSError, ValueError: it cannot be read.
        """


class TrainableResponder(Responder, Protocol):
    """A responder that learns more from the corpus once the network is trained."""

    @classmethod
    def fit(
        cls, data: FitData, folder: Path, options: Mapping[str, object]
    ) -> Mapping[str, float | None]:
        """Write what is learnt into a folder, which the bot will have as `bot.folder`.

        The corpus lies there already (chatseq.bots.bundle.pairs). Names of files are letters,
        digits, dots and hyphens; no folders.

        Where questions were held out it is called twice. First it learns what the network learnt,
        and the bot is judged on the others, which nothing in it has seen. Then it learns from all
        of them, into another folder; what it had fitted on those held out it finds in
        `data.fitted`.

        Args:
            options: what the recipe says of the responder, its name left out

        Returns:
            Figures about what was learnt, for the bot's manifest.
        """
