"""The adjuster `forced-prefix`: every reply begins with a given text."""

from __future__ import annotations

import math
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from chatseq.decoding.arrays import normalised
from chatseq.decoding.contracts import Adjust, SearchRequest, SearchState
from chatseq.decoding.token_bytes import needed_tokenizer, token_bytes
from chatseq.engines.contracts import Array
from chatseq.text.tokenizer import END_ID, Tokenizer


class ForcedPrefix:
    """Let every reply begin with a text.

    Among the tokens that go on with it the model chooses, so that a phrase is taken where one fits,
    and the last token may be longer than what is left: "Hel" becomes "Hello", and a space at the
    end is not doubled. Only tokens shorter than an answer would be written in are left out. What
    cannot be chosen costs nothing, so a beam does not mind the length of the prefix. As the last of
    the adjusters it stands even against a ban. A prefix longer than the maximum length is cut.

    Args:
        text: what replies begin with
    """

    example_options = {"text": ["ab", "a b"]}  # noqa: RUF012

    def __init__(self, *, text: str = "") -> None:
        self._text = unicodedata.normalize("NFC", text)
        self._known: tuple[Tokenizer, _Prefix] | None = None

    def begin(self, task: SearchRequest) -> Adjust:
        """Return what forces tokens in one search."""
        if not self._text:
            return lambda scores, _: scores
        tokenizer = needed_tokenizer(task, "forced-prefix")
        if self._known is None or self._known[0] is not tokenizer:  # it remembers what may follow
            written = tokenizer.encode_answer(self._text)
            self._known = tokenizer, _Prefix(token_bytes(tokenizer), written)
        prefix, pieces = self._known[1], token_bytes(tokenizer)

        def adjust(scores: Array, search: SearchState) -> Array:
            if search.step >= len(prefix.data):
                return scores
            rows: dict[int, list[int]] = defaultdict(list)  # by how much of the prefix they have
            for row, tokens in enumerate(search.tokens.tolist()):
                said = b"".join([pieces[token] for token in tokens])
                if len(said) < len(prefix.data) and prefix.data.startswith(said):
                    rows[len(said)].append(row)
            changed = task.xp.asarray(scores, copy=True)
            for at, some in rows.items():
                changed[some] = _only(task, scores[some], prefix.following(at))
            return changed

        return adjust


class _Following(NamedTuple):
    """What may follow a part of the prefix."""

    tokens: Sequence[int]
    usual: int  # the token that an answer would have there


class _Prefix:
    def __init__(self, pieces: Sequence[bytes], tokens: Sequence[int]) -> None:
        self._pieces = pieces
        self.data = b"".join([pieces[token] for token in tokens])
        ends = accumulate((len(pieces[token]) for token in tokens), initial=0)
        self._usual = dict(zip(ends, tokens, strict=False))
        self.following = lru_cache(maxsize=None)(self._following)

    def _following(self, at: int) -> _Following:
        """Return what may follow so many bytes of the prefix."""
        rest = self.data[at:]
        fitting = [
            token
            for token, piece in enumerate(self._pieces)
            if piece and (piece.startswith(rest) or rest.startswith(piece))
        ]
        sizes = {token: len(self._pieces[token][: len(rest)]) for token in fitting}
        longest = max(fitting, key=sizes.__getitem__, default=END_ID)
        usual = self._usual.get(at, longest)  # a longer token may end where no usual one begins
        shortest = len(self._pieces[usual])
        tokens = [
            token
            for token in fitting
            if len(self._pieces[token]) >= shortest or self._pieces[token].startswith(rest)
        ]
        return _Following(tokens, usual)


def _only(task: SearchRequest, scores: Array, following: _Following) -> Array:
    """Return scores of rows that have only some tokens left, (rows, vocab)."""
    xp = task.xp
    found = xp.full_like(scores, -math.inf)
    found[:, list(following.tokens)] = scores[:, list(following.tokens)]
    found[xp.max(found, axis=-1) == -math.inf, following.usual] = 0.0
    return normalised(xp, found)
