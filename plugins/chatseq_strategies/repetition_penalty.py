"""The adjuster `repetition-penalty`: tokens that the reply holds already become less likely."""

from __future__ import annotations

from chatseq.decoding.contracts import Adjust, SearchRequest, SearchState
from chatseq.engines.contracts import Array


class RepetitionPenalty:
    """Multiply the log-probability of every token that stands in the reply (Keskar et al. 2019).

    Their section 4.1 divides a token's score before the softmax, which depends on where its zero
    happens to lie. A log-probability is never above 0, so multiplying it by 1 or more always lowers
    it: a token of probability p becomes one of p ** penalty.

    Args:
        penalty: 1 or more; 1 does nothing, 1.2 is theirs
        window: how many of the last tokens are looked at; 0: all
    """

    def __init__(self, *, penalty: float = 1.2, window: int = 0) -> None:
        if not penalty >= 1:
            raise ValueError(f"penalty ({penalty}) must be at least 1.")
        if window < 0:
            raise ValueError(f"window ({window}) must be 0 or more.")
        self._penalty, self._window = penalty, window

    def begin(self, task: SearchRequest) -> Adjust:
        """Return what lowers scores in one search."""

        def adjust(scores: Array, search: SearchState) -> Array:
            if not search.step or self._penalty == 1:
                return scores
            rows, tokens = search.rows[:, None], search.tokens[:, -self._window :]
            changed = task.xp.asarray(scores, copy=True)
            changed[rows, tokens] = scores[rows, tokens] * self._penalty
            return changed

        return adjust
