"""How good the weights are now: by the loss, and by the replies they really give."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from chatseq.core.events import DiversityReport, Sample
from chatseq.core.sequences import evenly_spaced
from chatseq.decoding.build import build_decoding
from chatseq.decoding.contracts import Hypothesis
from chatseq.decoding.growing_text import text_of
from chatseq.decoding.search import decode
from chatseq.engines.torch_engine import TorchEngine
from chatseq.model.batch import Batch
from chatseq.model.seq2seq import Seq2Seq
from chatseq.text.normalise import normalise_answer
from chatseq.text.question_encoder import pad_questions
from chatseq.training.answer_counts import known_answers
from chatseq.training.collapse import diversity_of
from chatseq.training.deterministic import Ints, bucketed_batches
from chatseq.training.job import Job

Wanted = tuple[str, tuple[str, ...]]  # a question, and the earlier turns that are read with it

_MOST_ROWS = 2000  # whose loss is taken
_MOST_REPLIES = 500  # questions that are answered
_TOGETHER = 128  # questions answered at once
_SAMPLES = 3  # replies shown


@dataclass(frozen=True, slots=True)
class ValidationResult:
    """What a validation found."""

    loss: float  # mean per target token, nats
    exact_match: float  # 0..1, any listed answer for the question is right
    samples: tuple[Sample, ...]
    variety: DiversityReport

    @property
    def perplexity(self) -> float:
        """Teacher-forced."""
        return math.exp(min(self.loss, 700.0))


class Validator:
    """Judges weights on the same questions each time, without touching chance or weights."""

    def __init__(self, job: Job, model: Seq2Seq) -> None:
        self._job = job
        self._model = model
        self._engine = TorchEngine(model)
        self._decoding = build_decoding(job.registry, job.recipe)
        self._stops, self._known = self._decoding.stops, known_answers(job)
        self._answers: dict[Wanted, dict[str, None]] = {}  # distinct, in the order of the rows
        for exchange in job.validation.exchanges:
            wanted = exchange.question, job.reader.turns_read(exchange.context)
            self._answers.setdefault(wanted, {})[normalise_answer(exchange.answer)] = None
        self._batches = self._fixed_batches()
        self._questions = evenly_spaced(list(self._answers), _MOST_REPLIES)

    def validate(self) -> ValidationResult:
        """Return how good the model is now."""
        asked = self._questions
        replies = dict(zip(asked, self._replies(asked), strict=True))
        expected = {wanted: next(iter(self._answers[wanted])) for wanted in asked}
        right = sum(replies[wanted] in self._answers[wanted] for wanted in asked)
        samples = tuple(
            Sample(wanted[0], expected[wanted], replies[wanted])
            for wanted in evenly_spaced(asked, _SAMPLES)
        )
        variety = diversity_of(list(replies.values()), list(expected.values()))
        return ValidationResult(self._loss(), right / len(asked), samples, variety)

    def _loss(self) -> float:
        total, tokens = 0.0, 0
        learning = self._model.training
        self._model.eval()
        try:
            with torch.no_grad():
                for batch in self._batches:
                    found = self._model.loss(batch)
                    total, tokens = total + float(found.total), tokens + found.tokens
        finally:
            self._model.train(learning)
        return total / max(1, tokens)

    def _replies(self, questions: Sequence[Wanted]) -> Iterator[str]:
        reader = self._job.reader
        read = [reader.read(question, context) for question, context in questions]
        order = sorted(range(len(read)), key=lambda at: len(read[at].ids))
        replies = [""] * len(read)
        for start in range(0, len(order), _TOGETHER):
            places = order[start : start + _TOGETHER]
            found = decode(
                self._engine,
                pad_questions([read[at] for at in places], reader.features),
                *self._decoding,
                max_length=self._job.recipe.decoding.max_length,
                tokenizer=reader.tokenizer,
                answers=self._known,
            )
            for at, hypotheses in zip(places, found, strict=True):
                replies[at] = normalise_answer(self._text(hypotheses[0]))
        yield from replies

    def _text(self, reply: Hypothesis) -> str:
        decode = self._job.tokenizer.decode
        return text_of(decode, reply.tokens, ended=reply.ended, stops=self._stops)

    def _fixed_batches(self) -> list[Batch]:
        examples = self._job.validation
        rows = evenly_spaced(list(range(len(examples))), _MOST_ROWS)
        questions, answers = examples.question_lengths[rows], examples.answer_lengths[rows]
        budget = 2 * self._job.recipe.training.batch_tokens  # no gradients to keep
        parts = bucketed_batches(questions, answers, budget=budget, seed=0, epoch=0)
        chosen: list[Ints] = [part for part in parts if len(part)]
        return [examples.batch([rows[int(at)] for at in part]) for part in chosen]
