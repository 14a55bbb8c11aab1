"""How the encoder reads a question: folded, cut into tokens, each token with features of its word.

Earlier turns of the conversation may be read before it. Each turn ends with the end mark, by which
the model tells them apart.

A small model trained on few questions meets most words once. Beside its own vector, every token
therefore carries hashed features: its whole word, the word with the one before it, and the word's
character n-grams (Bojanowski et al. 2017, "Enriching word vectors with subword information",
section 3.2). A word that was never seen, or is misspelt, still shares most of its n-grams with
words that were. Features depend on the text alone, so that run time needs no torch for them.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chatseq.text.normalise import HAN, folded
from chatseq.text.tokenizer import END_ID, PAD_ID, Tokenizer

# Each Chinese character is a word of its own: its neighbours make the pairs that matter.
_WORD = re.compile(rf"[{HAN}]|[^\W_]+|[^\w\s]")
_SHORTEST, _LONGEST = 3, 5  # characters of an n-gram, the marks of word begin and end counted
_FIRST = "<s>"  # stands before the first word


@dataclass(frozen=True, slots=True)
class Question:
    """A question in ids, the end mark of each turn included, and the features of each."""

    ids: tuple[int, ...]
    features: tuple[tuple[int, ...], ...]  # as many as ids; empty tuples where there are none


class PaddedQuestions(NamedTuple):
    """Some questions as arrays."""

    ids: NDArray[np.int64]  # (batch, source)
    mask: NDArray[np.bool_]  # (batch, source), True on real tokens
    features: NDArray[np.int64]  # (batch, source, features), 0 where there is none


@dataclass(frozen=True, slots=True)
class QuestionEncoder:
    """Turns the text of a question into what the encoder gets; the same in training and in chat."""

    tokenizer: Tokenizer
    fold: bool = True  # read letters, quotes and width variants alike
    features: int = 0  # at most so many a token; 0: none
    buckets: int = 8192  # rows of the table that features are hashed into
    max_tokens: int = 64  # end marks counted
    context_turns: int = 0  # earlier turns that are read before the question

    def read(self, text: str, context: Sequence[str] = ()) -> Question:
        """Return the question of a text, after as many earlier turns as are read.

        Of a question that is too long the beginning is kept. What is left of `max_tokens` goes to
        the earlier turns, the newest first; of the first that does not fit the end is kept.

        Args:
            context: earlier turns, oldest first
        """
        return self._question(text, context, self.tokenizer.encode)

    def sample(self, text: str, seed: int, dropout: float, context: Sequence[str] = ()) -> Question:
        """Return the same in a random segmentation, the same for the same seed."""

        def segmented(text: str) -> list[int]:
            return self.tokenizer.sample(text, seed, dropout=dropout)

        return self._question(text, context, segmented)

    def turns_read(self, context: Sequence[str]) -> tuple[str, ...]:
        """Return those of the earlier turns that are read."""
        return newest_turns(context, self.context_turns)

    def _folded(self, text: str) -> str:
        return folded(text) if self.fold else text

    def _question(
        self, text: str, context: Sequence[str], encode: Callable[[str], list[int]]
    ) -> Question:
        turns = [self._turn(encode(self._folded(text))[: self.max_tokens - 1])]
        room = self.max_tokens - len(turns[0].ids)
        for earlier in reversed(self.turns_read(context)):
            if room < 2:  # an end mark without a word tells nothing
                break
            turns.append(self._turn(encode(self._folded(earlier))[1 - room :]))
            room -= len(turns[-1].ids)
        return _joined(reversed(turns)) if len(turns) > 1 else turns[0]

    def _turn(self, ids: Sequence[int]) -> Question:
        found: list[tuple[int, ...]] = [()] * len(ids)
        if self.features:
            found = token_features(self.tokenizer.pieces(ids), self.features, self.buckets)
        return Question((*ids, END_ID), (*found, ()))


def newest_turns(context: Sequence[str], most: int) -> tuple[str, ...]:
    """Return the last turns of a conversation that are not blank, oldest first."""
    return tuple(turn for turn in context if turn.strip())[-most:] if most else ()


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


def _joined(turns: Iterable[Question]) -> Question:
    listed = list(turns)
    ids = tuple(token for turn in listed for token in turn.ids)
    return Question(ids, tuple(some for turn in listed for some in turn.features))


@lru_cache(maxsize=100_000)
def _word_features(word: str, before: str, most: int, buckets: int) -> tuple[int, ...]:
    marked = f"<{word}>"
    grams = [marked, f"{before} {word}"]
    for size in range(_SHORTEST, min(_LONGEST, len(marked) - 1) + 1):
        grams += [marked[at : at + size] for at in range(len(marked) - size + 1)]
    return tuple(_bucket(gram, buckets) for gram in grams[:most])


def _bucket(gram: str, buckets: int) -> int:
    return 1 + zlib.crc32(gram.encode("utf-8", "surrogatepass")) % (buckets - 1)
