"""The filter `spell`: words that matter are read although they are misspelt."""

from __future__ import annotations

import re
from collections.abc import Iterator

_WORD = re.compile(r"[^\W\d_]+")


class Spell:
    """Put a word of a list for one that is a single slip away from it.

    A slip is a letter too many, too few or another, or two neighbours that changed places (Damerau
    1964). The list is for what the corpus is about, `words = ["invoice", "invoices"]`, and is kept
    with the bot. Words that are on it stay, so list the forms that are right as well. Upper and
    lower case are one. Of several that are as near the first of the list is taken.

    Args:
        words: how they are spelt right; letters only
        shortest: words with fewer letters are left alone, for any slip makes another word of them
    """

    example_options = {"words": [["invoice", "invoices", "password"]]}  # noqa: RUF012

    def __init__(self, *, words: tuple[str, ...], shortest: int = 5) -> None:
        if not words:
            raise ValueError("words must name at least one word.")
        for word in words:
            if not _WORD.fullmatch(word):
                raise ValueError(f"'{word}' in words must be letters only.")
        if shortest < 2:
            raise ValueError(f"shortest ({shortest}) must be at least 2.")
        self._shortest = shortest
        self._longest = max(map(len, words)) + 1  # of a word with a slip
        self._known = {word.casefold() for word in words}
        self._near: dict[str, list[str]] = {}  # what is left of a word without one letter
        for word in dict.fromkeys(words):
            for rest in _rests(word.casefold()):
                self._near.setdefault(rest, []).append(word)
        self._places = {word: at for at, word in reversed([*enumerate(words)])}

    def __call__(self, text: str) -> str:
        """Return the text with those words spelt right."""
        return _WORD.sub(lambda found: self._spelt(found[0]), text)

    def _spelt(self, written: str) -> str:
        word = written.casefold()
        if not self._shortest <= len(word) <= self._longest or word in self._known:
            return written
        near = {each for rest in _rests(word) for each in self._near.get(rest, ())}
        right = [each for each in near if _one_slip(word, each.casefold())]
        return min(right, key=self._places.__getitem__, default=written)


def _rests(word: str) -> Iterator[str]:
    """Yield the word, and what is left of it without each of its letters."""
    yield word
    for at in range(len(word)):
        yield word[:at] + word[at + 1 :]


def _one_slip(one: str, other: str) -> bool:
    """Whether two different words are one slip apart."""
    shorter, longer = sorted((one, other), key=len)
    if len(longer) - len(shorter) > 1:
        return False
    at = next((at for at, letter in enumerate(shorter) if letter != longer[at]), len(shorter))
    if len(shorter) < len(longer):
        return shorter[at:] == longer[at + 1 :]
    swapped = longer[at + 1 : at + 2] + longer[at : at + 1] + longer[at + 2 :]
    return shorter[at + 1 :] == longer[at + 1 :] or shorter[at:] == swapped
