"""A question as hashed n-grams: its words, pairs of neighbouring words, and pieces of words.

Case, width and punctuation are ignored. Signs that tell words apart (the plus of C++, an emoji) are
words of their own, and so is every Chinese character. Hashes depend on the text alone, so that no
vocabulary need be learnt or loaded.
"""

from __future__ import annotations

import unicodedata
import zlib
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chatseq.text.normalise import folded, is_han

Ids = NDArray[np.int32]

KINDS = 3
_MOST_CHARACTERS = 4096  # of a question that are looked at
_MOST_LETTERS = 256  # of a word that are cut into pieces; scripts without spaces have long words
_SIGNS = "#%&@"  # punctuation that means something
_SILENT = "~|"  # symbols that mean nothing
_GLUE = "'\u2019"  # is often left out within a word: what's, whats


class Grams(NamedTuple):
    """The distinct n-grams of a text as ids, ascending.

    Each kind has a range of its own, so that all of them can share one table of
    `KINDS * buckets` rows.
    """

    words: Ids  # 0..buckets - 1
    pairs: Ids  # buckets..2 * buckets - 1
    pieces: Ids  # 2 * buckets..3 * buckets - 1

    def together(self) -> Ids:
        """Return the ids of all kinds."""
        return np.concatenate(self)


def grams(text: str, buckets: int, *, shortest: int = 3, longest: int = 5) -> Grams:
    """Return the n-grams of a text; a text that is not blank has at least one.

    Args:
        buckets: that each kind is hashed into; KINDS times as many must be below 2 ** 31
        shortest: characters of a piece, the marks of word begin and end counted
        longest: the same
    """
    words = words_of(text)
    pairs = map(" ".join, pairwise(words))
    pieces = (
        piece
        for word in dict.fromkeys(words)
        for piece in _pieces(word[:_MOST_LETTERS], shortest, longest)
    )
    return Grams(
        _ids(map(_hash, words), buckets, 0),
        _ids(map(_hash, pairs), buckets, 1),
        _ids(pieces, buckets, 2),
    )


def words_of(text: str) -> list[str]:
    """Return the words of a text as they are compared."""
    plain = folded(text[:_MOST_CHARACTERS])
    return plain.translate(_AS_READ).split() or plain.split()


class _AsRead(dict[int, str]):
    """What each character becomes, found when it is first met."""

    def __missing__(self, code: int) -> str:
        self[code] = found = _as_read(chr(code))
        return found


_AS_READ = _AsRead()


def _as_read(character: str) -> str:
    kind = unicodedata.category(character)
    if character in _GLUE or "\ufe00" <= character <= "\ufe0f":  # the latter choose how emoji look
        return ""
    if character in _SIGNS or is_han(character):
        return f" {character} "
    if character in _SILENT or kind[0] in "PZ" or kind in ("Cc", "Cf", "Cs", "Sk"):
        return " "
    return f" {character} " if kind[0] == "S" else character


def _ids(hashes: Iterable[int], buckets: int, kind: int) -> Ids:
    first = kind * buckets
    return np.array(sorted({first + each % buckets for each in hashes}), np.int32)


@lru_cache(maxsize=1 << 15)
def _pieces(word: str, shortest: int, longest: int) -> tuple[int, ...]:
    """Return the hashes of the pieces of a word; the whole of it is none."""
    marked = f"<{word}>"
    return tuple(
        _hash(marked[at : at + size])
        for size in range(shortest, min(longest, len(marked) - 1) + 1)
        for at in range(len(marked) - size + 1)
    )


def _hash(gram: str) -> int:
    return zlib.crc32(gram.encode("utf-8", "surrogatepass"))
