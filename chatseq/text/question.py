"""How the encoder reads a question: folded, cut into tokens, each token with features of its word.

A small model trained on few questions meets most words once. Beside its own vector, every token
therefore carries hashed features: its whole word, the word with the one before it, and the word's
character n-grams (Bojanowski et al. 2017, "Enriching word vectors with subword information",
section 3.2). A word that was never seen, or is misspelt, still shares most of its n-grams with
words that were. Features depend on the text alone, so that run time needs no torch for them.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chatseq.text.tokenizer import END_ID, PAD_ID, Tokenizer

# Each Chinese character is a word of its own: its neighbours make the pairs that matter.
_WORD = re.compile(r"[\u3400-\u9fff]|[^\W_]+|[^\w\s]")
_SHORTEST, _LONGEST = 3, 5  # characters of an n-gram, the marks of word begin and end counted
_QUOTES = str.maketrans("‘’“”", "''\"\"")
_FIRST = "<s>"  # stands before the first word


@dataclass(frozen=True, slots=True)
class Question:
    """A question in ids, the end mark included, and the features of each."""

    ids: tuple[int, ...]
    features: tuple[tuple[int, ...], ...]  # as many as ids; empty tuples where there are none


class PaddedQuestions(NamedTuple):
    """Some questions as arrays."""

    ids: NDArray[np.int64]  # (batch, source)
    mask: NDArray[np.bool_]  # (batch, source), True on real tokens
    features: NDArray[np.int64]  # (batch, source, features), 0 where there is none


@dataclass(frozen=True, slots=True)
class QuestionReader:
    """Turns the text of a question into what the encoder gets; the same in training and in chat."""

    tokenizer: Tokenizer
    fold: bool = True  # read letters, quotes and width variants alike
    features: int = 0  # at most so many a token; 0: none
    buckets: int = 8192  # rows of the table that features are hashed into
    max_tokens: int = 64

    def read(self, text: str) -> Question:
        """Return the question of a text."""
        return self._question(self.tokenizer.encode(self._plain(text)))

    def sample(self, text: str, seed: int, dropout: float) -> Question:
        """Return the question in a random segmentation, the same for the same seed."""
        return self._question(self.tokenizer.sample(self._plain(text), seed, dropout=dropout))

    def learnt_from(self, text: str) -> str:
        """Return the text that a tokenizer should learn from for this question."""
        return self._plain(text)

    def _plain(self, text: str) -> str:
        return folded(text) if self.fold else text

    def _question(self, ids: Sequence[int]) -> Question:
        kept = list(ids[: self.max_tokens - 1])
        found: list[tuple[int, ...]] = [()] * len(kept)
        if self.features:
            found = token_features(self.tokenizer.pieces(kept), self.features, self.buckets)
        return Question((*kept, END_ID), (*found, ()))


def folded(text: str) -> str:
    """Return the text as the encoder reads it: one case, one width, straight quotes, no margins."""
    return unicodedata.normalize("NFKC", text).lower().translate(_QUOTES).strip()


def token_features(pieces: Sequence[str], most: int, buckets: int) -> list[tuple[int, ...]]:
    """Return the features of each piece: those of the word in which it ends.

    Args:
        pieces: what a tokenizer says its ids stand for, in order
        most: features a piece at most
        buckets: rows of the table; 0 is kept for padding
    """
    text = "".join(pieces)
    words = list(_WORD.finditer(text))
    named = [word.group() for word in words]
    found: list[tuple[int, ...]] = []
    end, at = 0, 0
    for piece in pieces:
        end += len(piece)
        while at < len(words) and words[at].end() < end:
            at += 1
        inside = at < len(words) and words[at].start() < end
        before = named[at - 1] if at else _FIRST
        found.append(_word_features(named[at], before, most, buckets) if inside else ())
    return found


def pad_questions(questions: Sequence[Question], width: int) -> PaddedQuestions:
    """Return questions as arrays, padded at the end.

    Args:
        width: features a token at most; 0: the last array is empty
    """
    longest = max(len(question.ids) for question in questions)
    ids = np.full((len(questions), longest), PAD_ID, dtype=np.int64)
    features = np.zeros((len(questions), longest, width), dtype=np.int64)
    for row, question in enumerate(questions):
        ids[row, : len(question.ids)] = question.ids
        if width:
            for column, some in enumerate(question.features):
                features[row, column, : len(some)] = some
    return PaddedQuestions(ids, ids != PAD_ID, features)


@lru_cache(maxsize=100_000)
def _word_features(word: str, before: str, most: int, buckets: int) -> tuple[int, ...]:
    marked = f"<{word}>"
    grams = [marked, f"{before} {word}"]
    for size in range(_SHORTEST, min(_LONGEST, len(marked) - 1) + 1):
        grams += [marked[at : at + size] for at in range(len(marked) - size + 1)]
    return tuple(_bucket(gram, buckets) for gram in grams[:most])


def _bucket(gram: str, buckets: int) -> int:
    return 1 + zlib.crc32(gram.encode("utf-8", "surrogatepass")) % (buckets - 1)
