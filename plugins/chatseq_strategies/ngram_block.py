"""The adjuster `ngram-block`: no run of tokens comes back again and again in a reply."""

from __future__ import annotations

import math
import re
from collections import Counter

from chatseq.decoding.contracts import Adjust, SearchRequest, SearchState
from chatseq.engines.contracts import Array
from chatseq.text.tokenizer import Tokenizer

_BYTE = re.compile(r"<0x[0-9A-F]{2}>")  # how tokenizers with byte fall-back name a byte


class NgramBlock:
    """Forbid a token that would make the same run of tokens stand too often in one reply.

    Paulus et al. (2017), section 2.5, forbid every run of three words to come twice. Runs of
    tokens are shorter than that: 0.2 to 9 % of the answers in corpora of chat and translation
    hold some three tokens twice, and a bot could then never give them word for word. By default a
    run of four may come twice, which at most 0.3 % of those answers go beyond and which stops a
    loop early in its third turn. `size = 3, times = 1` is the rule of the paper.

    A token that is a byte of a character, or begins with one, is never forbidden: two emoji share
    three of four bytes, and half a character must not remain.

    Args:
        size: tokens of a run
        times: how often a run may stand in a reply
    """

    def __init__(self, *, size: int = 4, times: int = 2) -> None:
        if size < 2:
            raise ValueError(f"size ({size}) must be at least 2.")
        if times < 1:
            raise ValueError(f"times ({times}) must be at least 1.")
        self._size, self._times = size, times

    def begin(self, task: SearchRequest) -> Adjust:
        """Return what forbids tokens in one search."""

        def adjust(scores: Array, search: SearchState) -> Array:
            banned = self._banned(task, search)
            if not banned:
                return scores
            rows, tokens = zip(*banned, strict=True)
            changed = task.xp.asarray(scores, copy=True)
            changed[list(rows), list(tokens)] = -math.inf
            return changed

        return adjust

    def _banned(self, task: SearchRequest, search: SearchState) -> list[tuple[int, int]]:
        """Return (row, token) for every token that would complete a run once too often."""
        if search.step < self._size + self._times - 1:
            return []
        same = self._matches(search)
        if same is None:
            return []
        completed: Counter[tuple[int, int]] = Counter()
        for row, place in zip(*(at.tolist() for at in task.xp.nonzero(same)), strict=True):
            completed[row, int(search.tokens[row, place + self._size - 1])] += 1
        return [
            (row, token)
            for (row, token), times in completed.items()
            if times >= self._times and not _begins_with_byte(task.tokenizer, token)
        ]

    def _matches(self, search: SearchState) -> Array | None:
        """Return where each row already holds what it ends with, (rows, places), or None.

        A place is where the run of `size` tokens begins of which all but the last must match.
        """
        tokens, step, size = search.tokens, search.step, self._size
        same = tokens[:, size - 2 : step - 1] == tokens[:, step - 1 : step]
        for back in range(2, size):
            if not same.any():  # nearly always at once
                return None
            same = same & (tokens[:, size - 1 - back : step - back] == tokens[:, [step - back]])
        return same if same.any() else None


def _begins_with_byte(tokenizer: Tokenizer | None, token: int) -> bool:
    return tokenizer is not None and _BYTE.match(tokenizer.pieces([token])[0]) is not None
