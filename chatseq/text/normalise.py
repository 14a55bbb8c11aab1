"""The rules by which texts are compared and counted: each stands here, and nowhere else.

Four notions of "the same", from strict to loose: `normalise_answer` (an answer is right, word for
word), `folded` (what the encoder reads), `question_text` (the same question was asked again) and
`question_key` (another spelling of a question, which must not stand on both sides of a split).
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from functools import lru_cache

# Ranges for a character class of `re`. Han is the script of that name in Unicode, so what `\p{Han}`
# means in tokenizers; the last two planes are its own, also where no character is assigned yet.
HAN = (
    "\u2e80-\u2fd5\u3005\u3007\u3021-\u3029\u3038-\u303b\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00016fe2\U00016fe3\U00016ff0\U00016ff1\U00020000-\U0003ffff"
)
KANA = "\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9f"
_SOUTH_EAST_ASIAN = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
_HANGUL = "\uac00-\ud7af"  # is written with spaces, but particles and endings touch the word
UNSPACED = HAN + KANA + _SOUTH_EAST_ASIAN + _HANGUL  # where a word may stand within other letters

_HAN = re.compile(f"[{HAN}]")
_UNIT = re.compile(f"[{HAN}{KANA}]")
_NO_WORD = re.compile(r"[\W_]+")
_STRAIGHT = str.maketrans("‘’“”", "''\"\"")
_SEPARATOR, _WORD, _CHARACTER = range(3)


def is_han(character: str) -> bool:
    """Tell whether a character is a Chinese one."""
    return _HAN.match(character) is not None


def has_han(text: str) -> bool:
    """Tell whether a text holds a Chinese character."""
    return _HAN.search(text) is not None


def normalise_answer(text: str) -> str:
    """Return the text as exact match compares it: NFC, every run of white space one space."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def folded(text: str) -> str:
    """Return the text as the encoder reads it: one case, one width, straight quotes, no margins."""
    return unicodedata.normalize("NFKC", text).lower().translate(_STRAIGHT).strip()


def question_text(text: str) -> str:
    """Return the folded text with single spaces: alike where the same question was asked again."""
    return " ".join(folded(text).split())


def question_key(text: str) -> str:
    """Return what two spellings of one question have in common.

    Case, width, punctuation and spaces do not count: "Do you eat?" is "do you eat". A text of
    nothing but marks or emoji stands for itself.
    """
    caseless = text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()
    return _NO_WORD.sub(" ", caseless).strip() or caseless.strip()


def units(text: str) -> list[str]:
    """Return the words of a text as figures count them, caseless and without punctuation.

    Han characters and kana are units of their own. A text without a letter or digit is taken
    character by character, so that a reply of one emoji is not nothing.
    """
    caseless = unicodedata.normalize("NFC", text).casefold()
    listed: list[str] = []
    for kind, run in itertools.groupby(caseless, _kind):
        if kind == _WORD:
            listed.append("".join(run))
        elif kind == _CHARACTER:
            listed.extend(run)
    return listed or [character for character in caseless if not character.isspace()]


@lru_cache(maxsize=65536)
def _kind(character: str) -> int:
    if _UNIT.match(character):
        return _CHARACTER
    # Marks (category M) write the vowels of many scripts; they are no letters to isalnum.
    is_word = character.isalnum() or unicodedata.category(character).startswith("M")
    return _WORD if is_word else _SEPARATOR
