"""What speaks for each answer: the network, the linear classifier and the nearest questions.

Each witness has a score of its own for every answer that comes into question. What they are worth
together is decided elsewhere (chatseq_qa.ensemble).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from chatseq.bots.bot import Bot
from chatseq.bots.bundle.arrays import load_array
from chatseq.decoding.score_answers import AnswerTrie, score_answers
from chatseq.text.question_encoder import Question, pad_questions
from chatseq_qa.linear_classifier import LinearClassifier
from chatseq_qa.postings import Match
from chatseq_qa.question_index import QuestionIndex

DECLINE = -1  # the number of the answer that says nothing; others count through Answers.texts
PAIR_ANSWERS = "qa-answers.npy"  # for each pair the number of its answer

ALL_WEIGHED = 256  # answers at most, of which every one comes into question
MOST_LINEAR = 2000  # answers that the linear classifier tells apart, the most frequent
FROM_LINEAR, FROM_INDEX = 48, 16  # answers that come into question where there are more
_MATCHES = 32  # questions that are looked at
_LONGEST = 32  # tokens of an answer that the network weighs
_ROWS = 4096  # answers weighed at once, of all questions
_ABSENT = -1.0  # the margin of an answer that the linear classifier does not know

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class AnswerScores:
    """What is known about one question."""

    answers: NDArray[np.int64]  # (answers,) those that come into question
    network: Floats  # (answers,) log-probabilities
    linear: Floats  # (answers,) margins; all alike where nothing was learnt
    likeness: Floats  # (answers,) 0..1, of the most alike question with that answer
    matches: tuple[Match, ...]  # most alike first
    vocabulary_coverage: float  # 0..1, how much of the question's n-grams the corpus holds


def mean_scores(one: AnswerScores, other: AnswerScores) -> AnswerScores:
    """Return what is known about two questions that have the same answer.

    The means of what speaks for each answer that comes into question for both. What is near is near
    the first.
    """
    answers, here, there = np.intersect1d(one.answers, other.answers, return_indices=True)
    return AnswerScores(
        answers,
        (one.network[here] + other.network[there]) / 2,
        (one.linear[here] + other.linear[there]) / 2,
        (one.likeness[here] + other.likeness[there]) / 2,
        one.matches,
        min(one.vocabulary_coverage, other.vocabulary_coverage),
    )


class AnswerScorers:
    """Asks all of them; what they need is opened once, most of it read from the disk in place."""

    def __init__(
        self, bot: Bot, folder: Path, linear: LinearClassifier | None, *, declines: bool
    ) -> None:
        """Open what was learnt from the corpus.

        Args:
            declines: whether the network has learnt to say nothing

        Raises:
            OSError, ValueError: the files cannot be read.
        """
        assert bot.answers is not None  # noqa: S101  (a trained bot has them)
        self.bot = bot
        self.texts = bot.answers.texts
        self._index = QuestionIndex(folder)
        self._linear = linear
        self.has_linear = linear is not None
        self.declines = declines
        self._pair_answers = load_array(folder / PAIR_ANSWERS)
        if self._pair_answers.shape != (len(self._index),):
            raise ValueError(f"{PAIR_ANSWERS} does not belong to the index")
        self._tokens = lru_cache(maxsize=1 << 12)(self._encoded)
        # Where the answers are few, one tree serves all questions ever.
        self._tree = lru_cache(maxsize=1)(self._grown)

    def score(self, texts: Sequence[str], questions: Sequence[Question]) -> list[AnswerScores]:
        """Return what is known about some questions.

        Args:
            texts: of the questions, without their context
            questions: the same as the network reads them
        """
        known = zip(map(self._cheap, texts), questions, strict=True)
        heard: list[AnswerScores] = []
        for answers, alike in groupby(known, lambda one: tuple(one[0].answers.tolist())):
            some = list(alike)
            together = max(1, _ROWS // max(1, len(answers)))
            for start in range(0, len(some), together):
                heard += self._with_network(answers, some[start : start + together])
        return heard

    def answers_of(self, matches: Sequence[Match]) -> NDArray[np.int64]:
        """Return the numbers of the answers of some pairs."""
        found: NDArray[np.int64] = self._pair_answers[[m.number for m in matches]].astype(np.int64)
        return found

    def first_pair(self, answer: int) -> int | None:
        """Return the number of the first pair with an answer."""
        found = np.flatnonzero(self._pair_answers == answer)
        return int(found[0]) if len(found) else None

    def _cheap(self, text: str) -> AnswerScores:
        """Ask those who need no network."""
        matches, vocabulary_coverage = (
            self._index.search(text, _MATCHES),
            self._index.vocabulary_coverage(text),
        )
        numbers = self.answers_of(matches)
        margins = self._margins(text)
        answers = self._in_question(margins, numbers)
        likeness = np.zeros(len(answers))
        places = {int(answer): place for place, answer in enumerate(answers)}
        for match, number in zip(reversed(matches), numbers[::-1].tolist(), strict=True):
            if number in places:
                likeness[places[number]] = match.similarity  # the most alike comes last
        return AnswerScores(
            answers,
            likeness[:0],
            _of(margins, answers),
            likeness,
            tuple(matches),
            vocabulary_coverage,
        )

    def _margins(self, text: str) -> Floats:
        """Return the margin of every answer that the classifier knows, that of declining last."""
        if self._linear is None:
            return np.zeros(0)
        return self._linear.scores(text).astype(np.float64)

    def _in_question(self, margins: Floats, near: NDArray[np.int64]) -> NDArray[np.int64]:
        silent = [DECLINE] if self.declines else []
        if len(self.texts) <= ALL_WEIGHED:
            return np.array([*range(len(self.texts)), *silent], np.int64)
        best = np.argsort(-margins[:-1], kind="stable")[:FROM_LINEAR].tolist()
        nearest = list(dict.fromkeys(near[near >= 0].tolist()))[:FROM_INDEX]
        # Where nothing points at any, those that the corpus gives most often.
        speaking = [*best, *nearest] or range(FROM_INDEX)
        return np.array([*dict.fromkeys(speaking), *silent], np.int64)

    def _with_network(
        self, answers: tuple[int, ...], some: Sequence[tuple[AnswerScores, Question]]
    ) -> list[AnswerScores]:
        """Ask the network about questions with the same answers."""
        if not answers:
            return [told for told, _ in some]
        padded = pad_questions([question for _, question in some], self.bot.reader.features)
        scores = score_answers(self.bot.engine, padded, self._tree(answers))
        return [replace(told, network=row) for (told, _), row in zip(some, scores, strict=True)]

    def _grown(self, answers: tuple[int, ...]) -> AnswerTrie:
        return AnswerTrie(list(map(self._tokens, answers)), longest=_LONGEST)

    def _encoded(self, answer: int) -> list[int]:
        if answer == DECLINE:
            return []
        return self.bot.tokenizer.encode_answer(self.texts[answer])[:_LONGEST]


def _of(margins: Floats, answers: NDArray[np.int64]) -> Floats:
    """Return the margins of some answers."""
    if not len(margins):
        return np.zeros(len(answers))
    padded = np.append(margins, _ABSENT)  # declining is the last but one
    last = len(margins) - 1
    places = np.where(answers == DECLINE, last, np.where(answers < last, answers, last + 1))
    found: Floats = padded[places]
    return found
