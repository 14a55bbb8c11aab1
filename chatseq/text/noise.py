"""Questions as people also type them, and texts that are no questions at all.

Everything is a function of its arguments alone, so that noise can be asked for again, in another
process too. It knows letters and words, and no corpus.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Sequence

from chatseq.text.normalise import HAN, is_han

_LETTER = rf"[^\W\d_{HAN}]"
# Chinese has no spaces: two characters, which most of its words have, count as a word.
_LETTERS = re.compile(rf"[{HAN}]{{1,2}}|{_LETTER}+(?:['’]{_LETTER}+)*")
_WORD = rf"[^\W_{HAN}](?:[^\s{HAN}]*[^\W_{HAN}])?"  # marks and digits within are part of it
_MIXED = re.compile(rf"[{HAN}]{{1,2}}|{_WORD}")
_MOVED = re.compile(rf"[{HAN}]|{_WORD}")

_MARK_WITHIN_NUMBER = re.compile(r"(?<=\d)[^\w\s](?=\d)")
_APOSTROPHE = re.compile(r"(?<=\w)['’](?=\w)")
_MARK = re.compile(r"[^\w\s]|_")

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")  # each half a key to the right of the one above
_SHORT = 4  # letters; whoever types a shorter word gets its first letter right
_SEEN = 20  # texts from which gibberish takes its letters
_FEWEST = 3  # words of a salad; fewer may well be a question
_FEWEST_LETTERS = 4  # of gibberish; fewer may well be a word
_TRIES = 50  # until an order is another one, and for each word of a salad


def misspelt(text: str, share: float, seed: int) -> str:
    """Return the text with one typing mistake in a share of its words, 0..1.

    Neighbouring letters change places, a letter is left out or typed twice, or the key beside it is
    hit. Chinese characters only change places or are left out. Numbers and marks stay.
    """
    chance = _chance("misspelt", seed, text)

    def typed(found: re.Match[str]) -> str:
        word = found.group()
        return _mistyped(word, chance) if chance.random() < share else word

    return _LETTERS.sub(typed, text)


def reordered(text: str, seed: int, reach: int) -> str:
    """Return the text with its words in another order, each at most `reach` places from its own.

    Spaces and marks stay where they are. Each Chinese character counts as a word. Only a text
    without two different words stays as it is.
    """
    chance = _chance("reordered", seed, text)
    words = _MOVED.findall(text)
    moved = words
    for _ in range(_TRIES if reach else 0):
        places = [at + chance.random() * (reach + 1) for at in range(len(words))]
        moved = [words[at] for at in sorted(range(len(words)), key=places.__getitem__)]
        if moved != words:
            break
    filled = iter(moved)
    return _MOVED.sub(lambda _: next(filled), text)


def carelessly_typed(text: str) -> str:
    """Return the text in lower case, without marks between words and accents of Latin letters.

    A text of marks alone stays.
    """
    plain = "".join(map(_without_accent, unicodedata.normalize("NFC", text))).lower()
    numbers = {found.start() for found in _MARK_WITHIN_NUMBER.finditer(plain)}
    closed = _MARK.sub(lambda m: m.group() if m.start() in numbers else _gap(m), plain)
    return " ".join(closed.split()) or text


def salad(questions: Sequence[str], seed: int) -> str:
    """Return words of different questions in a row: known words, and yet nothing that is asked.

    Of two neighbours neither stands in the question from which the other was taken. Long words,
    which carry the topic, are taken more often. Shorter than a question, or empty, where there are
    not enough questions that differ.
    """
    if not questions:
        return ""
    chance = _chance("salad", seed)
    wanted = max(_FEWEST, len(_MIXED.findall(chance.choice(questions))))
    words: list[str] = []
    before: frozenset[str] = frozenset()  # of the question from which the last word was taken
    for _ in range(_TRIES * wanted):
        found = _MIXED.findall(chance.choice(questions))
        there = frozenset(map(str.lower, found))
        fitting = [word for word in found if word.lower() not in before]
        if fitting and not (words and words[-1].lower() in there):
            words += chance.choices(fitting, [len(word) for word in fitting])
            before = there
        if len(words) == wanted:
            break
    return _joined(words)


def gibberish(seed: int, like: Sequence[str]) -> str:
    """Return a text of the same shape as some text, each letter drawn anew from several of them.

    So letters are as frequent, and words as long, as they are there. Chinese characters are drawn
    from Chinese ones.
    """
    chance = _chance("gibberish", seed)
    texts = chance.choices(like, k=_SEEN)
    shape = next((text for text in texts if _letters(text) >= _FEWEST_LETTERS), max(texts, key=len))
    pools: dict[str, list[str]] = {}
    for letter in "".join(texts).lower():
        pools.setdefault(_kind(letter), []).append(letter)
    return "".join(_another(letter, pools, chance) for letter in shape)


def _chance(what: str, seed: int, text: str = "") -> random.Random:
    """Return numbers that differ for each use, seed and text; hashed by SHA-512, not by `hash`."""
    return random.Random(f"{what} {seed} {text}".encode("utf-8", "surrogatepass"))  # noqa: S311


def _mistyped(word: str, chance: random.Random) -> str:
    chinese = _kind(word[0]) == "chinese"
    first = 1 if len(word) < _SHORT and not chinese else 0
    ways = (_swaps, _drops) if chinese else (_swaps, _drops, _twice, _slips)
    for way in chance.sample(ways, len(ways)) if len(word) > 1 else ():
        if possible := way(word, first):
            return chance.choice(possible)
    return word


def _swaps(word: str, first: int) -> list[str]:
    return [
        word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        for at in range(first, len(word) - 1)
        if word[at] != word[at + 1]
    ]


def _drops(word: str, first: int) -> list[str]:
    return [word[:at] + word[at + 1 :] for at in range(first, len(word))]


def _twice(word: str, first: int) -> list[str]:
    return [word[:at] + word[at] + word[at:] for at in range(first, len(word))]


def _slips(word: str, first: int) -> list[str]:
    return [
        word[:at] + _cased(key, word[at]) + word[at + 1 :]
        for at in range(first, len(word))
        for key in _BESIDE.get(word[at].lower(), "")
    ]


def _beside() -> dict[str, str]:
    """Return the keys that touch each key."""
    at = {
        key: (row, column + row / 2)
        for row, keys in enumerate(_ROWS)
        for column, key in enumerate(keys)
    }
    return {
        key: "".join(
            other
            for other, (further, there) in at.items()
            if other != key and abs(further - row) <= 1 and abs(there - here) <= 1
        )
        for key, (row, here) in at.items()
    }


_BESIDE = _beside()


def _cased(letter: str, like: str) -> str:
    return letter.upper() if like.isupper() else letter


def _without_accent(letter: str) -> str:
    first = unicodedata.normalize("NFD", letter)[0]
    return first if first.isascii() and first.isalpha() else letter


def _gap(mark: re.Match[str]) -> str:
    return "" if _APOSTROPHE.match(mark.string, mark.start()) else " "


def _joined(words: Sequence[str]) -> str:
    """Join words by spaces, Chinese ones by nothing."""
    text = ""
    for word in words:
        close = not text or "chinese" == _kind(text[-1]) == _kind(word[0])
        text += word if close else f" {word}"
    return text


def _letters(text: str) -> int:
    return sum(_kind(letter) in ("letter", "chinese") for letter in text)


def _kind(letter: str) -> str:
    if is_han(letter):
        return "chinese"
    if letter.isalpha():
        return "letter"
    return "digit" if letter.isdigit() else ""


def _another(letter: str, pools: dict[str, list[str]], chance: random.Random) -> str:
    kind = _kind(letter)
    return _cased(chance.choice(pools[kind]), letter) if kind else letter
