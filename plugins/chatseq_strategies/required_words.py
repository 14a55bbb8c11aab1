"""The adjuster `required-words`: no reply ends before it holds them."""

from __future__ import annotations

import math
from typing import Any

from chatseq.decoding.contracts import Adjust, SearchRequest, SearchState
from chatseq.decoding.token_bytes import needed_tokenizer
from chatseq.engines.contracts import Array
from chatseq.text.tokenizer import END_ID
from chatseq_strategies.words import Wanted, cleaned


class RequiredWords:
    """Hold the end mark back until the reply holds all words, and lead up to them.

    What the end mark would have had goes to the token that brings a missing word on, so a reply
    that wants to end says the words first, in their order. When there is only room left for them,
    nothing else is possible. A reply whose maximum length has no room for all is cut. Capitals do
    not matter; otherwise words count as in `banned-words`. The strategy `lexical` finds better
    places for them, since it looks for the best of several.

    Args:
        words: words or phrases
    """

    example_options = {"words": [["ab"], ["a", "b c"]]}  # noqa: RUF012

    def __init__(self, *, words: tuple[str, ...] = ()) -> None:
        self._words = cleaned(words)

    def begin(self, task: SearchRequest) -> Adjust:
        """Return what holds the end mark back in one search."""
        if not self._words:
            return lambda scores, _: scores
        wanted = Wanted(self._words, needed_tokenizer(task, "required-words"))

        def adjust(scores: Array, search: SearchState) -> Array:
            rows = [wanted.of(tuple(tokens)) for tokens in search.tokens.tolist()]
            left = task.max_length - search.step - 1  # tokens before the end mark
            if not any(row.missing or row.loose >= left for row in rows):
                return scores
            changed = task.xp.asarray(scores, copy=True)
            for row, standing in enumerate(rows):
                forced = standing.missing + standing.loose >= left
                if standing.missing:
                    _lead(task.xp, changed, row, standing.following[0], forced=forced)
                elif forced and standing.loose:
                    _lead(task.xp, changed, row, END_ID, forced=True)
            return changed

        return adjust


def _lead(xp: Any, scores: Array, row: int, token: int, *, forced: bool) -> None:
    """Write what one row may say next."""
    raised = xp.logaddexp(scores[row, token], scores[row, END_ID])
    scores[row, END_ID] = -math.inf
    if forced:
        scores[row], raised = -math.inf, 0.0
    scores[row, token] = raised
