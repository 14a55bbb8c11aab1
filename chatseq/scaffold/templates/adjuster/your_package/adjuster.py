"""The adjuster `your-part`."""

from __future__ import annotations

from math import isfinite

from chatseq.decoding.contracts import Adjust, SearchRequest, SearchState
from chatseq.engines.contracts import Array


class YourPart:
    """Make it less likely that a token comes twice in a row."""

    def __init__(self, *, penalty: float = 2.0) -> None:
        """Set the options.

        Args:
            penalty: taken from the log-probability of the last token, 0 or more
        """
        if not (isfinite(penalty) and penalty >= 0):
            raise ValueError(f"penalty ({penalty}) must be 0 or more. Set it to 2.")
        self.penalty = penalty

    def begin(self, task: SearchRequest) -> Adjust:
        """Return what adjusts for one search; the adjuster itself holds options only."""

        def adjust(scores: Array, search: SearchState) -> Array:
            if not search.step:
                return scores
            last = search.tokens[:, -1]  # (rows,)
            changed = task.xp.asarray(scores, copy=True)  # what comes in is not ours to write
            changed[search.rows, last] = changed[search.rows, last] - self.penalty
            return changed

        return adjust
