"""What the linear classifier sees of a question: four kinds of hashed n-grams.

Words, words near each other in their order, pieces of words, and pieces of the whole text, spaces
counted. The last two tell words apart that differ by their endings, and survive typing mistakes.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chatseq_qa.index_ngrams import words_of

Ids = NDArray[np.int32]

_REACH = 3  # words that one is near to
_PIECE = (2, 5)  # characters of a piece of a word, the marks of its begin and end counted
_SPAN = (2, 6)  # characters of a piece of the text
_MOST = 400  # characters of a question that are cut into pieces
_BEGIN, _END = "<", ">"


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
    return Views(
        _ids(words, 0),
        _ids(_near([_BEGIN, *words, _END]) if words else (), 1),
        _ids((p for word in dict.fromkeys(words) for p in _cut(f" {word[:_MOST]} ", *_PIECE)), 2),
        _ids(_cut(text, *_SPAN) if words else (), 3),
    )


def _near(words: list[str]) -> Iterator[str]:
    for at, word in enumerate(words):
        for other in words[at + 1 : at + 1 + _REACH]:
            yield f"{word} {other}"


def _cut(text: str, shortest: int, longest: int) -> Iterator[str]:
    for size in range(shortest, longest + 1):
        for at in range(len(text) - size + 1):
            yield text[at : at + size]


def _ids(grams: Iterable[str], kind: int) -> Ids:
    hashes = {zlib.crc32(gram.encode("utf-8", "surrogatepass")) for gram in grams}
    # Two of 31 bits for the kind; unlike n-grams hardly ever meet in the others.
    return np.array(sorted((each >> 3 << 2) + kind for each in hashes), np.int64).astype(np.int32)
