"""Which words a text holds, for searching: one rule for indexing, queries and every database.

A text becomes the line of its words, folded so that case, accents and width do not matter. Scripts
that are written without spaces are cut into characters, and each word of a query becomes a phrase:
that finds words of two Chinese characters, for which no index of words or trigrams would do.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from chatseq.text.normalise import UNSPACED

MOST_WORDS = 64  # of a query; what follows is left out, since databases limit their patterns
_MOST_CHARACTERS = 1000

_SYMBOLS = "\u2190-\u2bff\U0001f000-\U0001faff"  # arrows to emoji: one can search for them
_PIECE = re.compile(f"[{UNSPACED}]|[^\\W_{UNSPACED}]+|[{_SYMBOLS}]")
_ACCENTS = re.compile("[\u0300-\u036f]")
_QUERY = re.compile(r'"([^"]*)"?|([^\s"]+)')


class Term(NamedTuple):
    """Words that must follow each other."""

    words: tuple[str, ...]
    goes_on: bool  # the last word may be only the beginning of one


def fold(text: str) -> str:
    """Return the text without the differences that a search should not see."""
    bare = _ACCENTS.sub("", unicodedata.normalize("NFKD", text).casefold())
    return unicodedata.normalize("NFKC", bare)


def words_of(text: str) -> list[str]:
    """Return the folded words of a text; they hold letters, digits and symbols only."""
    return _PIECE.findall(fold(text))


def line_of(words: list[str] | tuple[str, ...]) -> str:
    """Return words as one line with a space on both sides of each."""
    return f" {' '.join(words)} "


def terms_of(query: str) -> list[Term]:
    """Return what a query asks for; empty where it holds no word at all."""
    terms = []
    left = MOST_WORDS
    if len(query) > _MOST_CHARACTERS:
        query = query[:_MOST_CHARACTERS].rstrip('" ') + "*"
    for quoted, bare in _QUERY.findall(query):
        words = tuple(words_of(quoted or bare)[:left])
        left -= len(words)
        if words:
            terms.append(Term(words, (quoted or bare).endswith("*")))
    return terms


def pattern_of(term: Term) -> str:
    """Return the part of a line that tells that it holds the term."""
    line = line_of(term.words)
    return line[:-1] if term.goes_on else line


def holds(line: str, terms: list[Term]) -> bool:
    """Tell whether a line of words holds every term."""
    return all(pattern_of(term) in line for term in terms)


def snippet(text: str, terms: list[Term], width: int = 80) -> str:
    """Return about `width` characters of the text around the first term, on one line."""
    place = next((m.start() for m in _PIECE.finditer(text) if _begins(m.group(), terms)), 0)
    start = max(0, min(place - width // 3, len(text) - width))
    part = " ".join(text[start : start + width].split())
    return f"{'…' if start else ''}{part}{'…' if start + width < len(text) else ''}"


def _begins(piece: str, terms: list[Term]) -> bool:
    found = words_of(piece)
    return any(
        word == term.words[0] or (term.goes_on and word.startswith(term.words[0]))
        for word in found[:1]
        for term in terms
    )
