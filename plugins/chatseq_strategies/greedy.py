"""The strategy `greedy`: always the likeliest token."""

from __future__ import annotations

from collections.abc import Sequence

from chatseq.decoding.contracts import Choice, Ended, Hypothesis, SearchRequest, SearchState
from chatseq.engines.contracts import Array
from chatseq.text.tokenizer import END_ID


class Greedy:
    """Take the likeliest token at every step: the fastest, and every token stands at once.

    There is one reply and no alternative. A reply's score is the sum of its log-probabilities.
    """

    draws = False

    def begin(self, task: SearchRequest) -> _Chooser:
        """Return what chooses for one search."""
        return _Chooser(task)


class _Chooser:
    def __init__(self, task: SearchRequest) -> None:
        self._argmax = task.xp.argmax

    def choose(self, scores: Array, search: SearchState) -> Choice:
        tokens = self._argmax(scores, axis=-1)  # (rows,)
        sums = search.scores + scores[search.rows, tokens]
        ends = tokens == END_ID
        if not ends.any():
            return Choice(None, tokens, sums)
        rows = [row for row, end in enumerate(ends.tolist()) if end]
        return Choice(None, tokens, sums, [Ended(row, float(sums[row])) for row in rows], rows)

    def rank(self, hypotheses: Sequence[Hypothesis]) -> list[Hypothesis]:
        return list(hypotheses)
