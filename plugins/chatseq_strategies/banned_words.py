"""The adjuster `banned-words`: words that no reply holds."""

from __future__ import annotations

import math
from collections.abc import Sequence

from chatseq.decoding.contracts import Adjust, SearchRequest, SearchState
from chatseq.decoding.token_bytes import needed_tokenizer, token_bytes
from chatseq.engines.contracts import Array
from chatseq.text.tokenizer import Tokenizer
from chatseq_strategies.bans import Bans
from chatseq_strategies.words import cleaned


class BannedWords:
    """Forbid every token that would complete one of the words, whatever tokens it is made of.

    Words count as they are given, in small letters, in capitals and with a capital in front, where
    no letter or digit touches them: a ban of "ass" leaves "class" alone. In scripts without spaces,
    such as Chinese, they count wherever they stand. A word in several tokens is stopped at its last
    one, so its beginning may remain; and where a tokenizer writes a longer word in two tokens of
    which the first is the banned one, the longer word is lost too.

    Args:
        words: words or phrases
    """

    example_options = {"words": [["ab"], ["a", "b c"]]}  # noqa: RUF012

    def __init__(self, *, words: tuple[str, ...] = ()) -> None:
        self._words = cleaned(words)
        self._known: tuple[Tokenizer | None, Bans] = (None, Bans((), ()))

    def begin(self, task: SearchRequest) -> Adjust:
        """Return what forbids tokens in one search."""
        if not self._words:
            return lambda scores, _: scores
        tokenizer = needed_tokenizer(task, "banned-words")
        if self._known[0] is not tokenizer:  # finding the tokens takes milliseconds
            self._known = tokenizer, Bans(self._words, token_bytes(tokenizer))
        pieces, bans = token_bytes(tokenizer), self._known[1]

        def adjust(scores: Array, search: SearchState) -> Array:
            changed = task.xp.asarray(scores, copy=True)
            changed[:, list(bans.always)] = -math.inf
            for row, tokens in enumerate(search.tokens.tolist()):
                banned = bans.after(_bytes(pieces, tokens))
                changed[row, banned] = -math.inf
            return changed

        return adjust


def _bytes(pieces: Sequence[bytes], tokens: Sequence[int]) -> bytes:
    return b"".join([pieces[token] for token in tokens])
