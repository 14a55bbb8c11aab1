"""What users said was right, found by their questions at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from chatseq.bots.responder import Correction
from chatseq.core.exchange import Neighbour
from chatseq.text.normalise import folded
from chatseq_qa.index_ngrams import Ids
from chatseq_qa.postings import Match, Postings, Weights, norms_of
from chatseq_qa.question_index import ids_of, kind_weights


class CorrectionMatch(NamedTuple):
    """A correction whose question is like the one that was asked."""

    correction: Correction
    similarity: float  # 0..1, as of QuestionIndex.search

    @property
    def neighbour(self) -> Neighbour:
        """The correction as what is near the question that was asked."""
        question, answer = self.correction.question, self.correction.answer
        return Neighbour(question, answer, "correction", self.similarity)


class CorrectionIndex:
    """Looks up corrections, some thousands at most, which may change between two questions."""

    def __init__(
        self,
        corrections: Callable[[], Sequence[Correction]],
        weigh: Callable[[Ids], Weights] = kind_weights,
    ) -> None:
        """Name where corrections come from; they are asked for with every question.

        Args:
            corrections: of equal questions the first counts
            weigh: gives the weights of n-grams: QuestionIndex.weigh for those of a corpus
        """
        self._corrections, self._weigh = corrections, weigh
        self._held: Sequence[Correction] = ()
        self._exact: dict[str, int] = {}
        self._ids: dict[str, Ids] = {}  # of each question
        self._postings = self._indexed()

    def search(self, question: str, most: int = 1) -> list[CorrectionMatch]:
        """Return the corrections whose questions are most like a question, best first.

        One of the very question, case and width set aside, comes before all others.
        """
        self._update()
        if not self._held or not question.strip():
            return []
        asked = ids_of(question)
        found = self._postings.search(asked, self._weigh(asked), most)
        same = self._exact.get(folded(question))
        if same is not None:
            found = [Match(same, 1.0), *(match for match in found if match.number != same)]
        return [CorrectionMatch(self._held[at], similarity) for at, similarity in found[:most]]

    def recall(
        self, question: str, above: float, nearest: Sequence[Neighbour]
    ) -> CorrectionMatch | None:
        """Return the correction of this very question, or of one that is as good as it.

        Args:
            above: similarity that it must have at least
            nearest: the most alike question of the corpus, which must not be more so
        """
        least = max([above, *(one.similarity for one in nearest[:1])])
        found = self.search(question)
        return found[0] if found and found[0].similarity >= least else None

    def _update(self) -> None:
        current = self._corrections()
        if current == self._held:  # which costs nothing for the very same tuple
            return
        self._held = tuple(current)
        questions = [each.question for each in self._held]
        self._exact = {folded(questions[at]): at for at in reversed(range(len(questions)))}
        known = self._ids
        self._ids = {text: known[text] if text in known else ids_of(text) for text in questions}
        self._postings = self._indexed()

    def _indexed(self) -> Postings:
        each = [self._ids[correction.question] for correction in self._held]
        flat = np.concatenate(each) if each else np.empty(0, np.int32)
        owners = np.repeat(np.arange(len(each), dtype=np.int32), [len(ids) for ids in each])
        grams, counts = np.unique(flat, return_counts=True)
        starts = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
        numbers = owners[np.argsort(flat, kind="stable")]
        weights = self._weigh(grams)
        return Postings(
            grams, weights, starts, numbers, norms_of(weights, starts, numbers, len(each))
        )
