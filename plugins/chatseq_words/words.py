"""The tokenizer `word`: whole words of the corpus, everything else in letters and bytes."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable
from typing import Literal

from tokenizers import Regex, normalizers, pre_tokenizers

from chatseq.core.errors import TokenizerError
from chatseq.text.byte_fallback import NOTHING_TO_LEARN, clean
from chatseq.text.normalise import is_han
from chatseq_words.chinese import MISSING, is_installed, words_by_rjieba
from chatseq_words.letters import checked_count, ranked, room
from chatseq_words.tokenizer import Cutter, ListTokenizer, read_list

# A space sticks to the word after it, so that "the" and " the" are two pieces, and text comes back
# with the spaces that it had.
_WORDS = r"| ?[\p{L}\p{M}&&[^\p{Han}]]+| ?\p{N}+| ?[^\s\p{L}\p{M}\p{N}]+|\s+(?!\S)|\s+"
# The first word gets the space that it would have within a sentence; `uncut` takes it off again.
_FIRST_WORD = r"\A(?=[^\p{Han}])"
_LETTERS_SHARE = 0.5  # of the free ids at most; rarer characters are spelt in bytes


class SpacedWords:
    """Cuts at spaces and marks; each Chinese character is a word."""

    name = "words"

    def __init__(self, chinese: str = r"\p{Han}") -> None:
        """Build.

        Args:
            chinese: what of Chinese stays together
        """
        self._first = normalizers.Replace(Regex(_FIRST_WORD), " ")
        self._split = pre_tokenizers.Split(Regex(chinese + _WORDS), "isolated")

    def cut(self, text: str) -> list[str]:
        """Return the words of a text, those after a space with it."""
        normal = self._first.normalize_str(text)
        return [word for word, _ in self._split.pre_tokenize_str(normal)]

    def uncut(self, text: str) -> str:
        """Return the text without the space of the first word."""
        return text.removeprefix(" ")


class ChineseWords(SpacedWords):
    """Cuts at spaces and marks, and Chinese into words with a dictionary."""

    name = "words, Chinese ones by rjieba"

    def __init__(self) -> None:
        super().__init__(r"\p{Han}+")

    def cut(self, text: str) -> list[str]:
        """Return the words of a text.

        Raises:
            TokenizerError: rjieba is missing.
        """
        found: list[str] = []
        for word in super().cut(text):
            found += words_by_rjieba(word) if is_han(word[0]) else (word,)
        return found


class Words:
    """One id a word (as in Sutskever et al. 2014 and Bahdanau et al. 2015), rare ones spelt.

    A word that is not known is written in letters, a letter that is not known in bytes: there is no
    unknown word. Numbers and runs of marks are words too.

    Args:
        vocabulary_size: ids at most; the most frequent words are kept.
        min_count: how often a word must come to be kept.
        chinese: what a Chinese word is: a character, or what rjieba finds with its dictionary
            (needs `pip install 'chatseq[zh]'`, when chatting too).
    """

    def __init__(
        self,
        *,
        vocabulary_size: int = 8000,
        min_count: int = 2,
        chinese: Literal["characters", "rjieba"] = "characters",
    ) -> None:
        self._most = room(vocabulary_size)
        self._min_count = checked_count(min_count)
        if chinese == "rjieba" and not is_installed():
            raise ValueError(MISSING)
        self._cutter: Cutter = ChineseWords() if chinese == "rjieba" else SpacedWords()

    def learn(self, questions: Iterable[str], answers: Iterable[str] = ()) -> ListTokenizer:
        """Learn words and characters from texts.

        Raises:
            TokenizerError: the texts hold nothing.
        """
        texts = map(clean, itertools.chain(questions, answers))
        words = Counter(word for text in texts for word in self._cutter.cut(text))
        if not words:
            raise TokenizerError(NOTHING_TO_LEARN)
        letters = ranked(_letters(words), 1)[: int(self._most * _LETTERS_SHARE)]
        often = ranked(words, self._min_count)
        pieces = list(dict.fromkeys([*letters, *often]))[: self._most]
        return ListTokenizer(self._cutter, pieces)

    def load(self, text: str) -> ListTokenizer:
        """Read what was stored, whatever Chinese words it was learnt with.

        Raises:
            TokenizerError: it is something else.
        """
        return read_list(text, [SpacedWords(), ChineseWords()])


def _letters(words: Counter[str]) -> Counter[str]:
    """Count the characters of counted words."""
    letters: Counter[str] = Counter()
    for word, count in words.items():
        for letter in word:
            letters[letter] += count
    return letters
