"""The decoding strategy `your-part`."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from chatseq.decoding.contracts import Choice, Ended, Hypothesis, SearchRequest, SearchState
from chatseq.engines.contracts import Array
from chatseq.text.tokenizer import END_ID


class YourPart:
    """Take the likeliest token, but end the reply as soon as the end is nearly as likely.

    Replies become shorter the larger the margin is; with none it is greedy.
    """

    draws = False  # replies do not depend on the seed

    def __init__(self, *, margin: float = 0.5) -> None:
        """Set the options.

        Args:
            margin: how far below the likeliest token the end may lie, in nats
        """
        if not (isfinite(margin) and margin >= 0):
            raise ValueError(f"margin ({margin}) must be 0 or more. Set it to 0.5.")
        self.margin = margin

    def begin(self, task: SearchRequest) -> Chooser:
        """Return what chooses for one search; the strategy itself holds options only."""
        return Chooser(task, self.margin)


class Chooser:
    """Chooses one token a row; every question has one row."""

    def __init__(self, task: SearchRequest, margin: float) -> None:
        self.xp = task.xp
        self.margin = margin

    def choose(self, scores: Array, search: SearchState) -> Choice:
        """Choose the next token of every row.

        Args:
            scores: log-probabilities, (rows, vocab); not to be written
        """
        xp = self.xp
        best = xp.argmax(scores, axis=-1)  # (rows,)
        ends = scores[:, END_ID] + self.margin >= scores[search.rows, best]
        tokens = xp.where(ends, xp.full_like(best, END_ID), best)
        sums = search.scores + scores[search.rows, tokens]
        rows = [row for row, end in enumerate(ends.tolist()) if end]
        return Choice(None, tokens, sums, [Ended(row, float(sums[row])) for row in rows], rows)

    def rank(self, hypotheses: Sequence[Hypothesis]) -> list[Hypothesis]:
        """Return the only reply there is."""
        return list(hypotheses)
