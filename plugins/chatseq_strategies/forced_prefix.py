"""The adjuster `forced-prefix`: every reply begins with a given text."""

from __future__ import annotations

import math
import unicodedata

from chatseq.decoding.arrays import normalised
from chatseq.decoding.contracts import Adjust, Search, Task
from chatseq.decoding.spelt import spelt
from chatseq.engines.contracts import Array


class ForcedPrefix:
    """Let every reply begin with a text.

    It is written in the tokens of an answer, but for its last token: there, every token may follow
    that begins with what is left, so that "Hel" becomes "Hello" and a space at the end is not
    doubled. What is forced costs nothing, so the length of the prefix is no matter to a beam. As
    the last of the adjusters it stands even against a ban. A prefix longer than the maximum length
    is cut there.

    Args:
        text: what replies begin with
    """

    example_options = {"text": ["ab", "a b"]}  # noqa: RUF012

    def __init__(self, *, text: str = "") -> None:
        self._text = unicodedata.normalize("NFC", text)

    def begin(self, task: Task) -> Adjust:
        """Return what forces tokens in one search."""
        xp, tokenizer = task.xp, task.tokenizer
        forced = tokenizer.encode_answer(self._text) if tokenizer and self._text else []
        if not forced or tokenizer is None:
            return lambda scores, _: scores
        pieces = spelt(tokenizer)
        last = len(forced) - 1
        endings = [at for at, piece in enumerate(pieces) if piece.startswith(pieces[forced[last]])]

        def adjust(scores: Array, search: Search) -> Array:
            if search.step > last:
                return scores
            changed = xp.full_like(scores, -math.inf)
            if search.step == last:
                changed[:, endings] = scores[:, endings]
                changed = normalised(xp, changed)
            stuck = xp.max(changed, axis=-1) == -math.inf  # also where it is not the last token
            changed[stuck, forced[search.step]] = 0.0
            return changed

        return adjust
