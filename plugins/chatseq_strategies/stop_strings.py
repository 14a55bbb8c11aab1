"""The adjuster `stop-strings`: a reply ends where one of them would begin."""

from __future__ import annotations

import math
import unicodedata

from chatseq.decoding.contracts import Adjust, SearchRequest, SearchState
from chatseq.decoding.token_bytes import needed_tokenizer
from chatseq.engines.contracts import Array
from chatseq.text.tokenizer import END_ID


class StopStrings:
    """End a reply as soon as its text holds one of the strings, whatever tokens it is made of.

    The string and what follows it are left out of the reply, and nothing of it is ever streamed:
    text that may be its beginning is held back until it is known not to be.

    Args:
        strings: for example "\\n", so that replies have one line
    """

    example_options = {"strings": [["ab"], ["a b", "c"]]}  # noqa: RUF012

    def __init__(self, *, strings: tuple[str, ...] = ()) -> None:
        self.stops = tuple(unicodedata.normalize("NFC", string) for string in strings)
        if not all(self.stops):
            raise ValueError(f"strings ({list(strings)}) must not hold an empty one. Take it out.")

    def begin(self, task: SearchRequest) -> Adjust:
        """Return what ends replies in one search."""
        if not self.stops:
            return lambda scores, _: scores
        decode = needed_tokenizer(task, "stop-strings").decode

        def adjust(scores: Array, search: SearchState) -> Array:
            texts = map(decode, search.tokens.tolist())
            over = [
                row for row, text in enumerate(texts) if any(stop in text for stop in self.stops)
            ]
            if not over:
                return scores
            changed = task.xp.asarray(scores, copy=True)
            changed[over] = -math.inf
            changed[over, END_ID] = 0.0
            return changed

        return adjust
