"""Exchanges as batches of tensors, with or without noise on the questions.

Everything is kept flat, one long row of tokens with the places where its pieces begin, so that a
batch is made by a few array operations, whatever it holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from chatseq.core.exchange import Exchange
from chatseq.model.batch import Batch
from chatseq.text.noise import misspelt, reordered
from chatseq.text.question_encoder import Question, QuestionEncoder
from chatseq.text.tokenizer import END_ID, PAD_ID
from chatseq.training.deterministic import Ints, derive_seed, uniform_at

_LONGEST = 1 << 20  # tokens of a question; keeps the places of different rows apart
_REACH = 2  # places that a word moves at most
_FOR_SWAPS = 1  # keeps this use of a row's seed apart from the others


@dataclass(frozen=True, slots=True)
class Noise:
    """How questions are changed while learning, so that single words matter less."""

    word_dropout: float = 0.0  # share of tokens left out, with their features
    subword_dropout: float = 0.0  # share of merges left out by the tokenizer
    typos: float = 0.0  # share of words with a typing mistake
    word_swaps: float = 0.0  # share of questions whose words change places

    def __bool__(self) -> bool:
        return self.word_dropout > 0 or self.reads_anew

    @property
    def reads_anew(self) -> bool:
        """Whether a question must be cut into tokens again."""
        return self.subword_dropout > 0 or self.typos > 0 or self.word_swaps > 0

    def augment(self, text: str, seed: int) -> str:
        """Return a question as it might also be typed."""
        if derive_seed(seed, _FOR_SWAPS) < self.word_swaps * 2.0**63:
            text = reordered(text, seed, _REACH)
        return misspelt(text, self.typos, seed) if self.typos else text


class Examples:
    """Exchanges in ids; those whose answers are too long are left out and counted."""

    def __init__(
        self, exchanges: Iterable[Exchange], reader: QuestionEncoder, *, max_answer_tokens: int
    ) -> None:
        self.exchanges: list[Exchange] = []
        self.left_out = 0
        self._reader = reader
        self._words = _WordFeatures(reader.features)
        questions: list[Question] = []
        answers: list[list[int]] = []
        for exchange in exchanges:
            answer = [*reader.tokenizer.encode_answer(exchange.answer), END_ID]
            if len(answer) > max_answer_tokens:
                self.left_out += 1
                continue
            self.exchanges.append(exchange)
            questions.append(reader.read(exchange.question, exchange.context))
            answers.append(answer)
        self._questions = _Questions.of(questions, self._words)
        self._answers = _Ragged.of(answers)
        self._real_words = len(self._words)

    def __len__(self) -> int:
        return len(self.exchanges)

    @property
    def question_lengths(self) -> Ints:
        """Tokens of each question with its context, the end marks counted."""
        return self._questions.ids.lengths

    @property
    def answer_lengths(self) -> Ints:
        """Tokens of each answer, the end mark counted."""
        return self._answers.lengths

    def picked(self, rows: Sequence[int]) -> Examples:
        """Return some rows as examples of their own, which may hold a row several times."""
        found, chosen = copy(self), np.asarray(rows, np.int64)
        found.exchanges = [self.exchanges[row] for row in rows]
        found._questions = self._questions.take(chosen)
        found._answers = self._answers.take(chosen)
        return found

    def batch(self, rows: Sequence[int] | Ints) -> Batch:
        """Return some rows as they are."""
        return self._batch(self._questions.take(np.asarray(rows)), np.asarray(rows))

    def noisy_batch(self, rows: Sequence[int] | Ints, noise: Noise, seed: int) -> Batch:
        """Return some rows with noise, a function of the seed and the numbers of the rows."""
        chosen = np.asarray(rows)
        questions = self._questions.take(chosen)
        if noise.reads_anew:
            questions = self._typed(questions, chosen, noise, seed)
        if noise.word_dropout:
            questions = _word_dropout(questions, chosen, noise.word_dropout, seed)
        return self._batch(questions, chosen)

    def _typed(self, plain: _Questions, rows: Ints, noise: Noise, seed: int) -> _Questions:
        """Return questions as they might be typed and cut; those that stay are not read again."""
        self._words.forget(self._real_words)  # there is no end of words with mistakes
        read = [self._anew(int(row), noise, seed) for row in rows]
        changed = [at for at, question in enumerate(read) if question is not None]
        anew = _Questions.of([q for q in read if q is not None], self._words)
        places = np.arange(len(rows))
        places[changed] = len(rows) + np.arange(len(changed))
        return plain.followed_by(anew).take(places)

    def _anew(self, row: int, noise: Noise, seed: int) -> Question | None:
        exchange, own = self.exchanges[row], derive_seed(seed, row)
        text = noise.augment(exchange.question, own)
        if noise.subword_dropout:
            return self._reader.sample(text, own, noise.subword_dropout, exchange.context)
        if text == exchange.question:
            return None
        return self._reader.read(text, exchange.context)

    def _batch(self, questions: _Questions, rows: Ints) -> Batch:
        question_ids, question_mask = questions.ids.padded()
        answer_ids, answer_mask = self._answers.take(rows).padded()
        features = None
        if self._reader.features:
            words, _ = questions.words.padded()
            features = torch.from_numpy(self._words.rows(words))
        return Batch(
            torch.from_numpy(question_ids),
            torch.from_numpy(question_mask),
            features,
            torch.from_numpy(answer_ids),
            torch.from_numpy(answer_mask),
        )


@dataclass(frozen=True, slots=True)
class _Ragged:
    """Rows of different lengths, one after the other."""

    flat: Ints
    lengths: Ints

    @classmethod
    def of(cls, rows: Sequence[Sequence[int]]) -> _Ragged:
        flat = np.fromiter((number for row in rows for number in row), np.int64)
        return cls(flat, np.array([len(row) for row in rows], np.int64))

    @property
    def starts(self) -> Ints:
        return np.cumsum(self.lengths) - self.lengths

    def take(self, rows: Ints) -> _Ragged:
        lengths = self.lengths[rows]
        return _Ragged(self.flat[np.repeat(self.starts[rows], lengths) + _within(lengths)], lengths)

    def followed_by(self, more: _Ragged) -> _Ragged:
        return _Ragged(
            np.concatenate([self.flat, more.flat]), np.concatenate([self.lengths, more.lengths])
        )

    def padded(self) -> tuple[Ints, NDArray[np.bool_]]:
        """Return (rows, longest) and its mask."""
        mask = np.arange(self.lengths.max()) < self.lengths[:, None]
        found = np.full(mask.shape, PAD_ID, np.int64)
        found[mask] = self.flat
        return found, mask


@dataclass(frozen=True, slots=True)
class _Questions:
    """Questions: the ids of their tokens, and which word's features each token has."""

    ids: _Ragged
    words: _Ragged

    @classmethod
    def of(cls, questions: Sequence[Question], words: _WordFeatures) -> _Questions:
        numbers = [words.numbers(question) for question in questions]
        return cls(_Ragged.of([q.ids for q in questions]), _Ragged.of(numbers))

    def take(self, rows: Ints) -> _Questions:
        return _Questions(self.ids.take(rows), self.words.take(rows))

    def followed_by(self, more: _Questions) -> _Questions:
        return _Questions(self.ids.followed_by(more.ids), self.words.followed_by(more.words))

    def only(self, kept: NDArray[np.bool_]) -> _Questions:
        lengths = np.add.reduceat(kept, self.ids.starts, dtype=np.int64)
        return _Questions(
            _Ragged(self.ids.flat[kept], lengths), _Ragged(self.words.flat[kept], lengths)
        )


class _WordFeatures:
    """The features of each distinct word, kept once however often the word comes."""

    def __init__(self, width: int) -> None:
        self._numbers: dict[tuple[int, ...], int] = {(): 0}
        self._table = np.zeros((1024, width), np.int64)  # the first row: no features

    def __len__(self) -> int:
        return len(self._numbers)

    def numbers(self, question: Question) -> list[int]:
        """Return the number of each token's features; 0: there are none."""
        return [self._numbers.get(some) or self._number(some) for some in question.features]

    def rows(self, numbers: Ints) -> Ints:
        """Return the features behind numbers of any shape, filled up with 0."""
        return self._table[numbers]

    def forget(self, first: int) -> None:
        """Forget all words but so many, those that were met first."""
        while len(self._numbers) > first:
            features, number = self._numbers.popitem()
            self._table[number, : len(features)] = 0

    def _number(self, features: tuple[int, ...]) -> int:
        number = self._numbers.setdefault(features, len(self))
        if number == len(self._table):
            self._table = np.concatenate([self._table, np.zeros_like(self._table)])
        self._table[number, : len(features)] = features
        return number


def _word_dropout(questions: _Questions, rows: Ints, share: float, seed: int) -> _Questions:
    """Leave tokens out; end marks always stay, and so does a turn that would be empty."""
    lengths = questions.ids.lengths
    places = np.repeat(rows * _LONGEST, lengths) + _within(lengths)
    kept = uniform_at(seed, places) >= share
    ends = np.flatnonzero(questions.ids.flat == END_ID)
    kept[ends] = False
    turn_lengths = np.diff(ends, prepend=-1)
    emptied = np.add.reduceat(kept, ends + 1 - turn_lengths) == 0
    kept |= np.repeat(emptied, turn_lengths)
    kept[ends] = True
    return questions.only(kept)


def _within(lengths: Ints) -> Ints:
    """Return 0, 1, 2, ... within each row."""
    starts = np.cumsum(lengths) - lengths
    found: Ints = np.arange(lengths.sum()) - np.repeat(starts, lengths)
    return found
