"""Words in text and in tokens: what counts as one, and what would bring one on.

A word is any text without white space around it, also one of several words or of Chinese
characters. It stands in a text where no letter or digit touches it; in scripts that are written
without spaces it stands wherever its characters do.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from chatseq.decoding.token_bytes import text_so_far, token_bytes
from chatseq.text.normalise import UNSPACED
from chatseq.text.tokenizer import Tokenizer

_TOUCHING = rf"[^\W_{UNSPACED}]"  # a letter or digit of a script that is written with spaces
_touching = re.compile(_TOUCHING)


def cleaned(words: Sequence[str], option: str = "words") -> tuple[str, ...]:
    """Return words in the form that text has in tokenizers.

    Raises:
        ValueError: one of them is blank.
    """
    found = tuple(unicodedata.normalize("NFC", word).strip() for word in words)
    if not all(found):
        raise ValueError(f"{option} ({list(words)}) must not hold a blank. Take it out.")
    return found


def touches(character: str) -> bool:
    """Tell whether a character beside a word would make it a part of another word."""
    return _touching.match(character) is not None


def pattern_of(word: str) -> re.Pattern[str]:
    """Return what finds a word in a text, in capitals as well as in small letters."""
    before = rf"(?<!{_TOUCHING})" if touches(word[0]) else ""
    after = rf"(?!{_TOUCHING})" if touches(word[-1]) else ""
    return re.compile(before + re.escape(word) + after, re.IGNORECASE)


class Standing(NamedTuple):
    """How far a reply has come in holding all the words."""

    held: int  # tokens of words that it holds or has begun
    missing: int  # tokens of those that it does not hold
    loose: int  # tokens of those that it would not hold any more if a letter followed
    following: tuple[int, ...]  # what brings each missing word on, the one most advanced first


class Wanted:
    """Words that a reply shall hold, and how they are written in tokens."""

    def __init__(self, words: Sequence[str], tokenizer: Tokenizer) -> None:
        self._pieces = token_bytes(tokenizer)
        self._words = [
            (pattern_of(word), tuple(tokenizer.encode_answer(word)), _inside(word, tokenizer))
            for word in words
        ]
        self.of = lru_cache(maxsize=4096)(self._of)

    def _of(self, tokens: tuple[int, ...]) -> Standing:
        """Return how far a reply of these tokens has come."""
        text = text_so_far(self._pieces, tokens)
        held, missing, loose = 0, 0, 0
        begun: list[tuple[int, int]] = []  # of each missing word: tokens had, token that follows
        for pattern, alone, inside in self._words:
            if pattern.search(text):
                held += len(inside)
                loose += 0 if pattern.search(f"{text}x") else len(inside)
                continue
            at_start = len(tokens) < len(alone) and tokens == alone[: len(tokens)]
            had = len(tokens) if at_start else _had(tokens, inside)
            begun.append((had, (alone if at_start else inside)[had]))
            missing += len(inside)
        begun.sort(key=lambda word: -word[0])
        held += begun[0][0] if begun else 0  # only one can be on its way
        following = dict.fromkeys(token for _, token in begun)
        return Standing(held, missing, loose, tuple(following))


def _inside(word: str, tokenizer: Tokenizer) -> tuple[int, ...]:
    """Return the tokens of a word after others, a space between them where one is needed."""
    alone = tokenizer.encode_answer(word)
    if touches(word[0]):
        before = tokenizer.encode_answer("a")
        both = tokenizer.encode_answer(f"a {word}")
        if both[: len(before)] == before and len(both) > len(before):
            return tuple(both[len(before) :])
    return tuple(alone)


def _had(tokens: tuple[int, ...], word: tuple[int, ...]) -> int:
    """Return how many of a word's tokens a reply ends with, not all of them."""
    for count in range(min(len(word) - 1, len(tokens)), 0, -1):
        if tokens[-count:] == word[:count]:
            return count
    return 0
