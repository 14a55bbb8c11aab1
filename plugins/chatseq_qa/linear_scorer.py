"""The scorer `linear`: the margins of a linear classifier over words and pieces of words."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from chatseq.bots.bot import Bot
from chatseq.bots.bundle.pairs import Pairs
from chatseq.bots.contracts import DECLINE, AnswerScores, FitData, Floats, Ints, Query
from chatseq_qa.linear_classifier import FILES, LinearClassifier, copy_classifier, save_classifier
from chatseq_qa.score_arrays import lead_over_others

MOST_ANSWERS = 2000  # that are told apart, the most frequent
_MOST_WORK = 12_000_000  # questions times answers; some 4 s a million
_LITTLE_MORE = 1.04  # times the questions; for so few more the classifier is not learnt again
_ABSENT = -1.0  # the margin of an answer that the classifier does not know
_REMEMBERED = 512  # questions whose margins are kept


class LinearScorer:
    """Linear support vectors over n-grams, one answer against all others (Fan et al. 2008).

    Fitted where answers recur, up to 12 million questions times answers: of single examples it
    learns nothing.
    """

    def fit(self, data: FitData, folder: Path) -> None:
        """Learn the classifier, or copy it where it was learnt from almost the same rows."""
        told, before = _count_told(data), data.fitted
        if before is not None:
            if not (before / FILES.format("weights")).is_file():
                return
            if len(data.train) <= _LITTLE_MORE * len(Pairs(before)):
                copy_classifier(before, folder)
                return
        elif not data.closed or len(data.train) * (told + 1) > _MOST_WORK:
            return
        _fit(data, told, folder)

    def open(self, bot: Bot) -> FittedLinearScorer | None:
        """Open the classifier, if there is one."""
        if bot.folder is None or not (bot.folder / FILES.format("weights")).is_file():
            return None
        return FittedLinearScorer(LinearClassifier(bot.folder))


class FittedLinearScorer:
    """Asks the classifier; each question once, however often it is scored."""

    features = ("margin", "lead of the margin")
    prior_weight = 8.0

    def __init__(self, classifier: LinearClassifier) -> None:
        self._margins = lru_cache(maxsize=_REMEMBERED)(classifier.scores)

    def propose(self, queries: Sequence[Query], most: int) -> Sequence[Sequence[int]]:
        """Name the answers with the highest margins."""
        return [_highest(self._margins(query.text)[:-1], most) for query in queries]

    def score(self, queries: Sequence[Query], candidates: Ints) -> AnswerScores:
        """Return margins: above 0 where an answer fits, below elsewhere."""
        margins = np.stack([self._margins(query.text) for query in queries]).astype(np.float64)
        scores = _picked(margins, candidates)
        lead = lead_over_others(scores, candidates)
        return AnswerScores(scores, {"margin": scores, "lead of the margin": lead})


def _count_told(data: FitData) -> int:
    """Return how many answers are told apart."""
    assert data.bot.answers is not None  # noqa: S101  (a trained bot has them)
    return min(len(data.bot.answers.texts), MOST_ANSWERS)


def _fit(data: FitData, told: int, folder: Path) -> None:
    from chatseq_qa.linear_classifier_fit import fit_classifier, known_grams

    answers = data.answer_numbers
    questions = [exchange.question for exchange in data.train]
    known = known_grams(questions, told + 1)
    rows = np.flatnonzero(answers < told)
    classes = np.where(answers == DECLINE, told, answers)[rows].tolist()
    asked = [questions[row] for row in rows.tolist()]
    save_classifier(folder, known, *fit_classifier(known, asked, classes, told + 1, data.seed))


def _highest(margins: NDArray[np.float32], most: int) -> list[int]:
    best: list[int] = np.argsort(-margins, kind="stable")[:most].tolist()
    return best


def _picked(margins: Floats, candidates: Ints) -> Floats:
    """Return the margins of candidates; that of declining stands last in a row of margins."""
    last = margins.shape[1] - 1
    padded = np.pad(margins, ((0, 0), (0, 1)), constant_values=_ABSENT)
    known = (candidates >= 0) & (candidates < last)
    places = np.where(candidates == DECLINE, last, np.where(known, candidates, last + 1))
    picked: Floats = np.take_along_axis(padded, places, axis=1)
    return picked
