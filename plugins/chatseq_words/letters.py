"""The tokenizers `character` and `byte`, which cut a text into its smallest parts."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable

from chatseq.core.errors import TokenizerError
from chatseq.text.byte_fallback import FIRST_PIECE_ID, NOTHING_TO_LEARN, clean
from chatseq_words.tokenizer import ListTokenizer, read_list


class Letters:
    """Cuts a text into its characters."""

    def __init__(self, name: str = "characters") -> None:
        self.name = name

    def cut(self, text: str) -> list[str]:
        """Return the characters of a text."""
        return list(text)

    def uncut(self, text: str) -> str:
        """Return the text as it is."""
        return text


class Characters:
    """One id a character (as in Sutskever et al. 2011), rare ones in bytes.

    An English text is three to four times as long as in subwords, a Chinese one hardly longer.

    Args:
        vocabulary_size: ids at most; the most frequent characters are kept.
        min_count: how often a character must come to be kept.
    """

    def __init__(self, *, vocabulary_size: int = 4000, min_count: int = 1) -> None:
        self._most = room(vocabulary_size)
        self._min_count = checked_count(min_count)

    def learn(self, questions: Iterable[str], answers: Iterable[str] = ()) -> ListTokenizer:
        """Learn which characters there are.

        Raises:
            TokenizerError: the texts hold nothing.
        """
        texts = map(clean, itertools.chain(questions, answers))
        counts = Counter(itertools.chain.from_iterable(texts))
        if not counts:
            raise TokenizerError(NOTHING_TO_LEARN)
        return ListTokenizer(Letters(), ranked(counts, self._min_count)[: self._most])

    def load(self, text: str) -> ListTokenizer:
        """Read what was stored.

        Raises:
            TokenizerError: it is something else.
        """
        return read_list(text, [Letters()])


class Bytes:
    """One id for each byte of UTF-8: the smallest vocabulary that there is, and nothing to learn.

    An English letter is one byte, a Chinese character three.
    """

    def learn(self, questions: Iterable[str], answers: Iterable[str] = ()) -> ListTokenizer:
        """Return the tokenizer, which is the same for all texts.

        Raises:
            TokenizerError: the texts hold nothing.
        """
        if not any(itertools.chain(questions, answers)):
            raise TokenizerError(NOTHING_TO_LEARN)
        return ListTokenizer(Letters("bytes"), [])

    def load(self, text: str) -> ListTokenizer:
        """Read what was stored.

        Raises:
            TokenizerError: it is something else.
        """
        return read_list(text, [Letters("bytes")])


def ranked(counts: Counter[str], min_count: int) -> list[str]:
    """Return what comes often enough, the most frequent first, ties by code point."""
    often = [each for each, count in counts.items() if count >= min_count]
    return sorted(often, key=lambda each: (-counts[each], each))


def room(vocabulary_size: int) -> int:
    """Return how many pieces a vocabulary has room for.

    Raises:
        ValueError: none.
    """
    if vocabulary_size <= FIRST_PIECE_ID:
        raise ValueError(
            f"vocabulary_size ({vocabulary_size}) must be above {FIRST_PIECE_ID}, "
            "the ids of the bytes and the marks. Make it larger."
        )
    return vocabulary_size - FIRST_PIECE_ID


def checked_count(min_count: int) -> int:
    """Return a least count.

    Raises:
        ValueError: it is below 1.
    """
    if min_count < 1:
        raise ValueError(f"min_count ({min_count}) must be at least 1. Set it to 1 or more.")
    return min_count
