"""The bytes that each token adds to a text, for those who must see across borders of tokens."""

from __future__ import annotations

import re
from collections.abc import Iterable

from chatseq.decoding.contracts import SearchRequest
from chatseq.text.tokenizer import FIRST_FREE_ID, Tokenizer

_BYTE = re.compile(r"<0x([0-9A-F]{2})>")  # how tokenizers with byte fall-back name a byte
_KEPT = 4  # tokenizers, of bots that chat at the same time

_known: list[tuple[Tokenizer, tuple[bytes, ...]]] = []


def token_bytes(tokenizer: Tokenizer) -> tuple[bytes, ...]:
    """Return what each id adds to a text that others stand before; marks add nothing.

    Half characters are bytes, and a space in front of a word belongs to its token. A tokenizer is
    looked through once and remembered.
    """
    for known, pieces in _known:
        if known is tokenizer:
            return pieces
    names = tokenizer.pieces(range(tokenizer.size))
    pieces = tuple(
        b"" if at < FIRST_FREE_ID else _bytes_of(tokenizer, at, name)
        for at, name in enumerate(names)
    )
    _known.insert(0, (tokenizer, pieces))
    del _known[_KEPT:]
    return pieces


def needed_tokenizer(task: SearchRequest, part: str) -> Tokenizer:
    """Return the tokenizer of a search.

    Raises:
        ValueError: the search has none, and the part cannot do without.
    """
    if task.tokenizer is None:
        raise ValueError(f"'{part}' looks at text. Hand the tokenizer to the search.")
    return task.tokenizer


def text_so_far(pieces: tuple[bytes, ...], tokens: Iterable[int]) -> str:
    """Return the text of ids; half a character becomes U+FFFD, a space in front stays."""
    return b"".join([pieces[at] for at in tokens]).decode(errors="replace")


def _bytes_of(tokenizer: Tokenizer, at: int, name: str) -> bytes:
    text = tokenizer.decode([at])
    if _BYTE.search(name) and text != name.removeprefix(" "):  # else it is spelt like that
        return b"".join(
            bytes.fromhex(part) if odd else part.encode()
            for odd, part in zip(_alternating(), _BYTE.split(name), strict=False)
        )
    return tokenizer.decode([at, at])[len(text) :].encode()


def _alternating() -> Iterable[bool]:
    """Tell for each part of a split whether it is what was captured."""
    while True:
        yield False
        yield True
