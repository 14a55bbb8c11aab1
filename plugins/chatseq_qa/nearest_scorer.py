"""The scorer `nearest`: how alike the most alike question of the corpus with each answer is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from chatseq.bots.bot import Bot
from chatseq.bots.contracts import AnswerScores, FitData, Ints, Query
from chatseq_qa.answered_corpus import AnsweredCorpus

_MATCHES = 32  # questions that are looked at
_MOST_PROPOSED = 16


class NearestScorer:
    """The similarity of the nearest question with each answer (BM25 over n-grams).

    The index belongs to the responder, which shows the nearest questions; nothing is learnt beside.
    """

    def fit(self, data: FitData, folder: Path) -> None:
        """Do nothing: the index is written already."""

    def open(self, bot: Bot) -> FittedNearestScorer | None:
        """Open the index."""
        corpus = AnsweredCorpus.of(bot)
        return None if corpus is None else FittedNearestScorer(corpus)


class FittedNearestScorer:
    """Asks the index of the corpus."""

    features = ("similarity", "best similarity", "vocabulary coverage")
    prior_weight = 8.0

    def __init__(self, corpus: AnsweredCorpus) -> None:
        self._corpus = corpus

    def propose(self, queries: Sequence[Query], most: int) -> Sequence[Sequence[int]]:
        """Name the answers of the nearest questions."""
        most = min(most, _MOST_PROPOSED)
        nearest = (self._corpus.answers_near(query.text, _MATCHES) for query in queries)
        return [[answer for answer in near if answer >= 0][:most] for near in nearest]

    def score(self, queries: Sequence[Query], candidates: Ints) -> AnswerScores:
        """Return similarities, 0..1; 0 where no near question has an answer."""
        scores = np.zeros(candidates.shape)
        best = np.zeros(len(queries))
        for row, query in enumerate(queries):
            near = self._corpus.answers_near(query.text, _MATCHES)
            for answer, similarity in near.items():
                scores[row, candidates[row] == answer] = similarity
            best[row] = max(near.values(), default=0.0)
        coverage = np.array([self._corpus.coverage(query.text) for query in queries])
        every = np.ones(candidates.shape)
        return AnswerScores(
            scores,
            {
                "similarity": scores,
                "best similarity": best[:, None] * every,
                "vocabulary coverage": coverage[:, None] * every,
            },
        )
