"""Perplexity of the wanted answers, teacher-forced and free-running, through any engine.

Both score the same tokens: those of the reference, the end mark counted. They differ in what the
decoder is fed before each of them:

    teacher-forced   the reference's own tokens, as in training
    free-running     the tokens that the model itself finds most probable, as in a chat; when it has
                     ended, its end mark again. The reference is still what is scored, so one early
                     slip costs every later position (the definition of Bentrevett's notebooks,
                     evaluation with teacher forcing off)

The two cannot be compared with each other, nor across tokenizers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from chatseq.decoding.arrays import namespace
from chatseq.engines.contracts import Array, Engine
from chatseq.text.question_encoder import Question, QuestionEncoder, pad_questions
from chatseq.text.tokenizer import END_ID, PAD_ID, START_ID

_BATCH = 64  # pairs at once, each on two rows: enough to fill two cores
_RUNS = 2  # rows a question: the first is fed the reference, the second its own tokens


class Pair(NamedTuple):
    """A question with one wanted answer, in ids."""

    question: Question
    answer: tuple[int, ...]  # ends with the end mark


@dataclass(slots=True)
class Perplexity:
    """Sums over the tokens of wanted answers; adds over batches."""

    answers: int = 0
    tokens: int = 0
    teacher_forced_nats: float = 0.0
    free_running_nats: float = 0.0

    def add(self, other: Perplexity) -> None:
        """Take in the sums of other pairs."""
        self.answers += other.answers
        self.tokens += other.tokens
        self.teacher_forced_nats += other.teacher_forced_nats
        self.free_running_nats += other.free_running_nats

    @property
    def teacher_forced(self) -> float | None:
        """Perplexity when the reference is fed in; None without tokens, or beyond all numbers."""
        return _exponential(self.teacher_forced_nats, self.tokens)

    @property
    def free_running(self) -> float | None:
        """Perplexity when the model's own tokens are fed in; None as above."""
        return _exponential(self.free_running_nats, self.tokens)


def pair_of(
    reader: QuestionEncoder, question: str, answer: str, context: Sequence[str] = ()
) -> Pair:
    """Return a question and its wanted answer in ids."""
    return Pair(reader.read(question, context), (*reader.tokenizer.encode_answer(answer), END_ID))


def score(
    engine: Engine, pairs: Sequence[Pair], *, features: int, batch: int = _BATCH
) -> Iterator[Perplexity]:
    """Yield the sums of one batch after the other, pairs of like length together.

    Args:
        features: a token of a question, as `QuestionEncoder.features`
        batch: pairs at once
    """
    in_order = sorted(pairs, key=lambda pair: (len(pair.answer), len(pair.question.ids)))
    for start in range(0, len(in_order), batch):
        yield _of_batch(engine, in_order[start : start + batch], features)


def _of_batch(engine: Engine, pairs: Sequence[Pair], features: int) -> Perplexity:
    """Step through the answers once, both ways at the same time."""
    questions = pad_questions([pair.question for pair in pairs], features)
    ids = engine.array(questions.ids)
    encoded = engine.encode(ids, ids != PAD_ID, engine.array(questions.features))
    wanted = engine.array(_filled([pair.answer for pair in pairs]))  # (batch, target)
    xp = namespace(wanted)
    rows = xp.arange(_RUNS * len(pairs), device=wanted.device)
    state = tuple(xp.take(part, rows // _RUNS, axis=0) for part in encoded.state)
    tokens = xp.full_like(rows, START_ID)
    sums = Perplexity(answers=len(pairs))
    for place in range(wanted.shape[1]):
        stepped = engine.step(tokens, state, encoded.memory)
        state = stepped.state
        targets = wanted[:, place]
        _add_place(sums, stepped.log_probs[rows, _twice(xp, targets, targets)], pairs, place)
        own = xp.argmax(stepped.log_probs[1::_RUNS], axis=-1)
        tokens = _twice(xp, targets, own)
    return sums


def _add_place(sums: Perplexity, log_probs: Array, pairs: Sequence[Pair], place: int) -> None:
    """Add one position of every answer that reaches so far."""
    values = log_probs.tolist()  # a few numbers; doubles, so that long sums stay exact
    for at, pair in enumerate(pairs):
        if place < len(pair.answer):
            sums.tokens += 1
            sums.teacher_forced_nats -= values[_RUNS * at]
            sums.free_running_nats -= values[_RUNS * at + 1]


def _twice(xp: Any, teacher: Array, own: Array) -> Array:
    """Return the two rows of each question side by side: (batch,) twice to (rows,)."""
    return xp.reshape(xp.stack([teacher, own], axis=1), (-1,))


def _filled(answers: Sequence[tuple[int, ...]]) -> Array:
    """Return the answers, each filled up with more end marks, which are fed but not scored."""
    longest = max(map(len, answers))
    return np.array([[*ids, *[END_ID] * (longest - len(ids))] for ids in answers], dtype=np.int64)


def _exponential(nats: float, tokens: int) -> float | None:
    if not tokens:
        return None
    try:
        value = math.exp(nats / tokens)
    except OverflowError:
        return None
    return value if math.isfinite(value) else None
