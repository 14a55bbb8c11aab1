"""The adjuster `minimum-length`: no reply is shorter."""

from __future__ import annotations

import math

from chatseq.decoding.contracts import Adjust, SearchRequest, SearchState
from chatseq.engines.contracts import Array
from chatseq.text.tokenizer import END_ID


class MinimumLength:
    """Make the end mark impossible before a reply has so many tokens.

    Args:
        tokens: at least so many, the end mark not counted
    """

    def __init__(self, *, tokens: int = 3) -> None:
        if tokens < 1:
            raise ValueError(f"tokens ({tokens}) must be at least 1.")
        self._tokens = tokens

    def begin(self, task: SearchRequest) -> Adjust:
        """Return what holds the end mark back in one search."""

        def adjust(scores: Array, search: SearchState) -> Array:
            if search.step >= self._tokens:
                return scores
            changed = task.xp.asarray(scores, copy=True)
            changed[:, END_ID] = -math.inf
            return changed

        return adjust
