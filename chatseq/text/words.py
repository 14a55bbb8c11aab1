"""How figures see text: its plain form for comparing, its units for counting."""

from __future__ import annotations

import itertools
import unicodedata
from functools import lru_cache

# Scripts that write no spaces between words: Han with its iteration marks, kana.
_ALONE = (
    ("\u3005", "\u3007"),
    ("\u3040", "\u30ff"),
    ("\u31f0", "\u31ff"),
    ("\u3400", "\u4dbf"),
    ("\u4e00", "\u9fff"),
    ("\uf900", "\ufaff"),
    ("\uff66", "\uff9f"),
    ("\U00020000", "\U0003ffff"),
)
_HAN = tuple(span for span in _ALONE if span[0] not in ("\u3040", "\u31f0", "\uff66"))
_SEPARATOR, _WORD, _CHARACTER = range(3)


def plain(text: str) -> str:
    """Return the text as exact match compares it: NFC, every run of white space one space."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def units(text: str) -> list[str]:
    """Return the words of a text, caseless and without punctuation.

    Han characters and kana are units of their own. A text without a letter or digit is taken
    character by character, so that a reply of one emoji is not nothing.
    """
    folded = unicodedata.normalize("NFC", text).casefold()
    found: list[str] = []
    for kind, run in itertools.groupby(folded, _kind):
        if kind == _WORD:
            found.append("".join(run))
        elif kind == _CHARACTER:
            found.extend(run)
    return found or [character for character in folded if not character.isspace()]


def has_han(text: str) -> bool:
    """Tell whether a text holds a Chinese character."""
    return any(_within(character, _HAN) for character in text)


@lru_cache(maxsize=65536)
def _kind(character: str) -> int:
    if _within(character, _ALONE):
        return _CHARACTER
    # Marks (category M) write the vowels of many scripts; they are no letters to isalnum.
    is_word = character.isalnum() or unicodedata.category(character).startswith("M")
    return _WORD if is_word else _SEPARATOR


def _within(character: str, spans: tuple[tuple[str, str], ...]) -> bool:
    return any(first <= character <= last for first, last in spans)
