"""A bot small enough to be worked out by hand: two letters, and a table of probabilities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from chatseq.core.exchange import Alternative, Reply, ReplySource
from chatseq.engines.contracts import Array, Encoded, StepOutput
from chatseq.evaluation.contracts import JudgedReply, Metric
from chatseq.text.filters import TextFilters
from chatseq.text.question_encoder import QuestionEncoder
from chatseq.text.tokenizer import END_ID, START_ID

A, B = 3, 4
# What follows a token, for each question: probabilities of a, b and the end mark.
AFTER: dict[int, dict[int, tuple[float, float, float]]] = {
    A: {START_ID: (0.5, 0.3, 0.2), A: (0.1, 0.7, 0.2), B: (0.2, 0.2, 0.6), END_ID: (0.2, 0.3, 0.5)},
    B: {START_ID: (0.1, 0.8, 0.1), A: (0.4, 0.5, 0.1), B: (0.3, 0.3, 0.4), END_ID: (0.1, 0.1, 0.8)},
}

NO_IDEA = "I do not know that."


def judged(
    said: str | None,
    *references: str,
    confidence: float = 1.0,
    others: Sequence[str] = (),
    unsure: bool = False,
    question: str = "?",
    **more: Any,
) -> JudgedReply:
    """Return a question with its reply; None: the bot declined, its best guess first of others."""
    source = ReplySource.GENERATED if said is not None else ReplySource.DECLINED
    alternatives = tuple(Alternative(text, confidence) for text in others)
    reply = Reply(NO_IDEA if said is None else said, source, confidence, alternatives, unsure)
    return JudgedReply(question, references, reply, **more)


class TableEngine:
    """An engine whose next token depends on the question's first token and the token before.

    Its state counts the steps, so that a row that is fed from another row's state is found out.
    """

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.fed: list[list[int]] = []

    def encode(self, ids: Array, mask: Array, features: Array | None = None) -> Encoded:
        self.batches.append(len(ids))
        assert mask[:, 0].all()
        return Encoded((ids,), (ids[:, 0] * 100,))

    def step(
        self, tokens: Array, state: tuple[Array, ...], memory: tuple[Array, ...]
    ) -> StepOutput:
        self.fed.append(tokens.tolist())
        rows = len(tokens)
        questions = np.repeat(memory[0][:, 0], rows // len(memory[0]))
        assert (state[0] // 100 == questions).all()
        log_probs = np.full((rows, 5), -1e9, dtype=np.float32)
        for row, (question, token) in enumerate(zip(questions, tokens, strict=True)):
            log_probs[row, [A, B, END_ID]] = np.log(AFTER[int(question)][int(token)])
        return StepOutput(log_probs, (state[0] + 1,), np.ones((rows, 1)))

    def array(self, rows: Any) -> Array:
        return np.array(rows, dtype=np.int64)


class Letters:
    """A tokenizer of the letters a and b; it does not see others."""

    size = 5

    def encode(self, text: str) -> list[int]:
        return [A + "ab".index(letter) for letter in text if letter in "ab"]

    def encode_answer(self, text: str) -> list[int]:
        return self.encode(text)

    def sample(self, text: str, seed: int, *, dropout: float = 0.1) -> list[int]:
        return self.encode(text)

    def decode(self, ids: Sequence[int]) -> str:
        return "".join(self.pieces(ids))

    def pieces(self, ids: Sequence[int]) -> list[str]:
        return ["ab"[at - A] for at in ids if at >= A]

    def to_json(self) -> str:
        return "{}"


class Parrot:
    """A responder that looks its replies up; None: declined. The others are echoed."""

    def __init__(self, replies: dict[str, str | None] | None = None) -> None:
        self._replies = replies or {}
        self.questions: list[str] = []

    def reply_all(self, questions: Sequence[str]) -> Iterator[Reply]:
        for question in questions:
            self.questions.append(question)
            text = self._replies.get(question, question)
            if text is None:
                yield Reply("I do not know.", ReplySource.DECLINED, 0.1)
            else:
                yield Reply(text, ReplySource.GENERATED, 0.9)


@dataclass
class TableBot:
    """What an evaluation needs of a bot."""

    responder: Parrot = field(default_factory=Parrot)
    engine: TableEngine = field(default_factory=TableEngine)
    reader: QuestionEncoder = field(default_factory=lambda: QuestionEncoder(Letters()))
    filters: TextFilters = field(default_factory=TextFilters)
    folder: Path | None = None  # of the corpus that it was trained on
    name: str = "tiny"


def figures_of(metric: Metric, *replies: JudgedReply) -> dict[str, float | None]:
    """Return the figures of a metric that was given these replies at once."""
    metric.add(replies)
    return dict(metric.figures())
