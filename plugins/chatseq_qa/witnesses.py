"""What speaks for each answer: the network, the linear classifier and the nearest questions.

Each witness has a score of its own for every answer that comes into question. What they are worth
together is decided elsewhere (chatseq_qa.joining).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from chatseq.chat.bot import Bot
from chatseq.decoding.scores import ReplyTree, score_replies
from chatseq.text.question import Question, pad_questions
from chatseq_qa.index import QuestionIndex
from chatseq_qa.linear import Linear
from chatseq_qa.postings import Match

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
class Testimony:
    """What is known about one question."""

    answers: NDArray[np.int64]  # (answers,) those that come into question
    network: Floats  # (answers,) log-probabilities
    linear: Floats  # (answers,) margins; all alike where nothing was learnt
    likeness: Floats  # (answers,) 0..1, of the most alike question with that answer
    matches: tuple[Match, ...]  # most alike first
    familiar: float  # 0..1, how much of the question's n-grams the corpus holds


class Witnesses:
    """Asks all of them; what they need is opened once, most of it read from the disk in place."""

    def __init__(self, bot: Bot, folder: Path, linear: Linear | None, *, declines: bool) -> None:
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
        self._declines = declines
        self._pair_answers = np.load(folder / PAIR_ANSWERS, mmap_mode="r", allow_pickle=False)
        # One tree serves a batch of questions, and for few answers all questions ever.
        self._tree = lru_cache(maxsize=4)(self._grown)

    def hear(self, texts: Sequence[str], questions: Sequence[Question]) -> list[Testimony]:
        """Return what is known about some questions.

        Args:
            texts: of the questions, without their context
            questions: the same as the network reads them
        """
        found = list(map(self._cheap, texts))
        together = max(1, _ROWS // max(1, len(found[0].answers))) if found else 1
        heard: list[Testimony] = []
        for start in range(0, len(found), together):
            some = found[start : start + together]
            heard += self._with_network(some, questions[start : start + together])
        return heard

    def answers_of(self, matches: Sequence[Match]) -> NDArray[np.int64]:
        """Return the numbers of the answers of some pairs."""
        found: NDArray[np.int64] = self._pair_answers[[m.number for m in matches]].astype(np.int64)
        return found

    def first_pair(self, answer: int) -> int | None:
        """Return the number of the first pair with an answer."""
        found = np.flatnonzero(self._pair_answers == answer)
        return int(found[0]) if len(found) else None

    def _cheap(self, text: str) -> Testimony:
        """Ask those who need no network."""
        matches, familiar = self._index.search(text, _MATCHES), self._index.familiar(text)
        numbers = self.answers_of(matches)
        margins = self._margins(text)
        answers = self._in_question(margins, numbers)
        likeness = np.zeros(len(answers))
        places = {int(answer): place for place, answer in enumerate(answers)}
        for match, number in zip(reversed(matches), numbers[::-1].tolist(), strict=True):
            if number in places:
                likeness[places[number]] = match.similarity  # the most alike comes last
        return Testimony(
            answers, likeness[:0], _of(margins, answers), likeness, tuple(matches), familiar
        )

    def _margins(self, text: str) -> Floats:
        """Return the margin of every answer that the classifier knows, that of declining last."""
        if self._linear is None:
            return np.zeros(0)
        return self._linear.scores(text).astype(np.float64)

    def _in_question(self, margins: Floats, near: NDArray[np.int64]) -> NDArray[np.int64]:
        silent = [DECLINE] if self._declines else []
        if len(self.texts) <= ALL_WEIGHED:
            return np.array([*range(len(self.texts)), *silent], np.int64)
        known = margins[:-1]
        best = np.argsort(-known, kind="stable")[:FROM_LINEAR]
        nearest = list(dict.fromkeys(near[near >= 0].tolist()))[:FROM_INDEX]
        return np.array([*dict.fromkeys([*best.tolist(), *nearest]), *silent], np.int64)

    def _with_network(
        self, found: Sequence[Testimony], questions: Sequence[Question]
    ) -> list[Testimony]:
        union = tuple(dict.fromkeys(int(a) for each in found for a in each.answers))
        if not union:
            return list(found)
        padded = pad_questions(questions, self.bot.reader.features)
        scores = score_replies(self.bot.engine, padded, self._tree(union))
        places = {answer: place for place, answer in enumerate(union)}
        return [
            Testimony(
                each.answers,
                row[[places[int(answer)] for answer in each.answers]],
                each.linear,
                each.likeness,
                each.matches,
                each.familiar,
            )
            for each, row in zip(found, scores, strict=True)
        ]

    def _grown(self, answers: tuple[int, ...]) -> ReplyTree:
        encode = self.bot.tokenizer.encode_answer
        replies = [[] if a == DECLINE else encode(self.texts[a]) for a in answers]
        return ReplyTree(replies, longest=_LONGEST)


def _of(margins: Floats, answers: NDArray[np.int64]) -> Floats:
    """Return the margins of some answers."""
    if not len(margins):
        return np.zeros(len(answers))
    padded = np.append(margins, _ABSENT)  # declining is the last but one
    last = len(margins) - 1
    places = np.where(answers == DECLINE, last, np.where(answers < last, answers, last + 1))
    found: Floats = padded[places]
    return found
