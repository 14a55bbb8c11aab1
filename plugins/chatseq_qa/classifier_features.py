"""What the linear classifier sees of a question: four kinds of hashed n-grams.

Words, words near each other in their order, pieces of words, and pieces of the whole text, spaces
counted. The last two tell words apart that differ by their endings, and survive typing mistakes.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chatseq_qa.index_ngrams import words_of

Ids = NDArray[np.int32]
Hashes = NDArray[np.uint32]

_REACH = 3  # words that one is near to
_PIECE = (2, 5)  # characters of a piece of a word, the marks of its begin and end counted
_SPAN = (2, 6)  # characters of a piece of the text
_MOST = 400  # characters of a question that are cut into pieces
_BEGIN, _END = "<", ">"
_WORDS, _NEAR, _PIECES, _SPANS = range(4)
_NOTHING = np.zeros(0, np.int32)
_INVERTED = np.uint32(0xFFFFFFFF)


class Views(NamedTuple):
    """The distinct n-grams of a question, ascending within each kind; kinds never share an id."""

    words: Ids
    near: Ids
    pieces: Ids
    spans: Ids


def views_of(question: str) -> Views:
    """Return what is seen of a question; nothing of a blank one."""
    words = words_of(question)
    text = f" {' '.join(words)} "[:_MOST]
    pieces = [_pieces_of(word[:_MOST]) for word in dict.fromkeys(words)]
    return Views(
        _ids(_hashes(words), _WORDS),
        _ids(_hashes(_near([_BEGIN, *words, _END]) if words else ()), _NEAR),
        np.unique(np.concatenate(pieces)) if pieces else _NOTHING,
        _ids(_cut(text, *_SPAN), _SPANS) if words else _NOTHING,
    )


def _near(words: list[str]) -> Iterator[str]:
    for at, word in enumerate(words):
        for other in words[at + 1 : at + 1 + _REACH]:
            yield f"{word} {other}"


@lru_cache(maxsize=1 << 15)
def _pieces_of(word: str) -> Ids:
    return _ids(_cut(f" {word} ", *_PIECE), _PIECES)


def _cut(text: str, shortest: int, longest: int) -> Hashes:
    """Return the hashes of all pieces of a text that have so many characters."""
    if text.isascii():
        return _cut_bytes(np.frombuffer(text.encode(), np.uint8), shortest, longest)
    sizes = range(shortest, longest + 1)
    return _hashes(text[at : at + size] for size in sizes for at in range(len(text) - size + 1))


def _cut_bytes(data: NDArray[np.uint8], shortest: int, longest: int) -> Hashes:
    """Return the CRC-32 of all runs of so many bytes, those from every place at once."""
    parts = [np.zeros(0, np.uint32)]
    register = np.full(len(data), _INVERTED, np.uint32)
    for size in range(1, min(longest, len(data)) + 1):
        register = register[: len(data) - size + 1]
        register = _CRC[(register ^ data[size - 1 :]) & 0xFF] ^ (register >> 8)
        if size >= shortest:
            parts.append(register ^ _INVERTED)
    return np.concatenate(parts)


def _crc_table() -> Hashes:
    """Return what a byte does to the register of CRC-32 (ISO 3309, polynomial 0xEDB88320)."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ np.uint32(0xEDB88320), table >> 1)
    return table


def _hashes(grams: Iterable[str]) -> Hashes:
    hashes = (zlib.crc32(gram.encode("utf-8", "surrogatepass")) for gram in grams)
    return np.fromiter(hashes, np.uint32)


def _ids(hashes: Hashes, kind: int) -> Ids:
    # Two of 31 bits for the kind; unlike n-grams hardly ever meet in the others.
    return np.unique((hashes >> 3 << 2) + np.uint32(kind)).astype(np.int32)


_CRC = _crc_table()
