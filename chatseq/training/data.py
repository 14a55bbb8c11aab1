"""Exchanges as batches of tensors, with or without noise on the questions.

Everything is kept flat, one long row of tokens with the places where its pieces begin, so that a
batch is made by a few array operations, whatever it holds.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from chatseq.exchange import Exchange
from chatseq.model.batch import Batch
from chatseq.text.question import Question, QuestionReader
from chatseq.text.tokenizer import END_ID, PAD_ID
from chatseq.training.order import Ints, mixed, uniform_at

_LONGEST = 1 << 20  # tokens of a question; keeps the places of different rows apart


@dataclass(frozen=True, slots=True)
class Noise:
    """How questions are changed while learning, so that single words matter less."""

    word_dropout: float = 0.0  # share of tokens left out, with their features
    subword_dropout: float = 0.0  # share of merges left out by the tokenizer

    def __bool__(self) -> bool:
        return self.word_dropout > 0 or self.subword_dropout > 0


class Examples:
    """Exchanges in ids; those whose answers are too long are left out and counted."""

    def __init__(
        self, exchanges: Iterable[Exchange], reader: QuestionReader, *, max_answer_tokens: int
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

    def batch(self, rows: Sequence[int] | Ints) -> Batch:
        """Return some rows as they are."""
        return self._batch(self._questions.take(np.asarray(rows)), np.asarray(rows))

    def noisy_batch(self, rows: Sequence[int] | Ints, noise: Noise, seed: int) -> Batch:
        """Return some rows with noise, a function of the seed and the numbers of the rows."""
        chosen = np.asarray(rows)
        if noise.subword_dropout:
            sampled = [self._sampled(int(row), noise.subword_dropout, seed) for row in chosen]
            questions = _Questions.of(sampled, self._words)
        else:
            questions = self._questions.take(chosen)
        if noise.word_dropout:
            questions = _thinned(questions, chosen, noise.word_dropout, seed)
        return self._batch(questions, chosen)

    def _sampled(self, row: int, dropout: float, seed: int) -> Question:
        exchange = self.exchanges[row]
        return self._reader.sample(
            exchange.question, mixed(seed, row), dropout, context=exchange.context
        )

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


def comparable(text: str) -> str:
    """Return what of a text counts when replies are compared word for word."""
    return unicodedata.normalize("NFC", text).strip()


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

    def only(self, kept: NDArray[np.bool_]) -> _Questions:
        lengths = np.add.reduceat(kept, self.ids.starts, dtype=np.int64)
        return _Questions(
            _Ragged(self.ids.flat[kept], lengths), _Ragged(self.words.flat[kept], lengths)
        )


class _WordFeatures:
    """The features of each distinct word, kept once however often the word comes."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._numbers: dict[tuple[int, ...], int] = {(): 0}
        self._table = np.zeros((1, width), np.int64)

    def numbers(self, question: Question) -> list[int]:
        """Return the number of each token's features; 0: there are none."""
        known = self._numbers
        return [known.setdefault(features, len(known)) for features in question.features]

    def rows(self, numbers: Ints) -> Ints:
        """Return the features behind numbers of any shape, filled up with 0."""
        self._grow()
        return self._table[numbers]

    def _grow(self) -> None:
        missing = list(self._numbers)[len(self._table) :] if self._is_behind() else []
        if missing:
            more = np.zeros((len(missing), self._width), np.int64)
            for row, features in zip(more, missing, strict=True):
                row[: len(features)] = features
            self._table = np.concatenate([self._table, more])

    def _is_behind(self) -> bool:
        return len(self._table) < len(self._numbers)


def _thinned(questions: _Questions, rows: Ints, share: float, seed: int) -> _Questions:
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
