"""One evaluation from questions to figures; used by `chatseq evaluate` and at the end of training.

`evaluation` is a generator that tells how far it is and ends with the Report; `evaluate` is the
same in one call. Neither prints, and neither knows where the bot came from.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import NamedTuple, Protocol

from chatseq.core.exchange import Exchange, Reply
from chatseq.core.plugins import Registry
from chatseq.core.sequences import evenly_spaced
from chatseq.engines.contracts import Engine
from chatseq.evaluation.contracts import JudgedReply
from chatseq.evaluation.details import DetailCollector, Details
from chatseq.evaluation.perplexity import Perplexity, pair_of, score
from chatseq.evaluation.questions import EvaluationQuestion, evaluation_questions
from chatseq.evaluation.scoreboard import Scoreboard
from chatseq.evaluation.training_overlap import questions_in_training
from chatseq.text.filters import TextFilters
from chatseq.text.question_encoder import QuestionEncoder

_TOGETHER = 64  # replies between two words of progress


class Answering(Protocol):
    """The part of a responder that an evaluation needs."""

    def reply_all(
        self, questions: Sequence[str], contexts: Sequence[Sequence[str]] = ()
    ) -> Iterator[Reply]:
        """Answer every question, in order."""


class Evaluated(Protocol):
    """The parts of a bot that an evaluation needs."""

    @property
    def responder(self) -> Answering:
        """Who is asked."""

    @property
    def engine(self) -> Engine:
        """What gives the probabilities of the wanted answers."""

    @property
    def reader(self) -> QuestionEncoder:
        """How the engine's questions are read."""

    @property
    def filters(self) -> TextFilters:
        """What a question passes before the reader; the responder lets it pass by itself."""

    @property
    def folder(self) -> Path | None:
        """Where the corpus lies that it was trained on; None: nobody knows what it has seen."""


class Progress(NamedTuple):
    """How far an evaluation is: questions answered and wanted answers scored."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of an evaluation; None where one does not apply. See docs/evaluation.md.

    The names and the order of the first 14 are fixed, for programs that read them.
    """

    count: int  # questions asked
    exact_match: float | None = None  # 0..1
    bleu: float | None = None  # 0..100
    chrf: float | None = None  # 0..100
    rouge_l: float | None = None  # 0..1
    perplexity_teacher_forced: float | None = None
    perplexity_free_running: float | None = None
    distinct_1: float | None = None  # 0..1
    distinct_2: float | None = None  # 0..1
    most_frequent_reply: float | None = None  # 0..1
    declined: float | None = None  # 0..1, of the questions to be declined
    wrongly_declined: float | None = None  # 0..1, of the others
    auroc: float | None = None  # 0..1
    seconds: float = 0.0
    best_guess: float | None = None  # 0..1
    seen_exact_match: float | None = None  # 0..1, of questions of the training corpus
    unseen_exact_match: float | None = None  # 0..1, of the others
    suggested: float | None = None  # 0..1, of all questions
    suggested_right: float | None = None  # 0..1, of those with an answer
    auroc_right: float | None = None  # 0..1
    aurc: float | None = None  # 0..1
    expected_calibration_error: float | None = None  # 0..1
    brier: float | None = None  # 0..1
    more: dict[str, float | None] = field(default_factory=dict)  # from metrics of other plugins
    faults: tuple[str, ...] = ()  # what kept a metric from its figures, a line each
    details: Details = field(default_factory=Details)

    def figures(self) -> dict[str, float | None]:
        """Return every figure by name, ready for JSON; those of other plugins come last."""
        return {name: getattr(self, name) for name in FIGURES} | self.more


DETAILS = "details"  # what they are called beside the figures
_NO_FIGURES = ("more", "faults", DETAILS)
FIGURES = tuple(each.name for each in fields(Report) if each.name not in _NO_FIGURES)
_OWN = ("count", "perplexity_teacher_forced", "perplexity_free_running", "seconds", DETAILS)


def evaluate(
    bot: Evaluated,
    exchanges: Iterable[Exchange],
    registry: Registry,
    *,
    most: int | None = None,
    on_progress: Callable[[Progress], object] | None = None,
) -> Report:
    """Ask every question once and return the figures; see `evaluation`."""
    for event in evaluation(bot, exchanges, registry, most=most):
        if isinstance(event, Report):
            return event
        if on_progress is not None:
            on_progress(event)
    raise AssertionError("an evaluation ends with its report")


def evaluation(
    bot: Evaluated,
    exchanges: Iterable[Exchange],
    registry: Registry,
    *,
    most: int | None = None,
) -> Iterator[Progress | Report]:
    """Ask every question once; yield progress, and last the Report.

    Args:
        exchanges: rows with the same question, after the same turns where the bot reads them, are
            one question with several answers; an empty answer marks a question to be declined
        registry: whose metrics are used; one that fails costs its own figures and is told
        most: ask so many questions at most, evenly spread; None: all

    Raises:
        BundleError: the corpus that the bot was trained on cannot be read.
    """
    started = time.perf_counter()
    questions = evenly_spaced(evaluation_questions(exchanges, bot.reader.context_turns), most)
    total = len(questions) + sum(len(question.answers) for question in questions)
    board, ledger = Scoreboard(registry, reserved=_OWN), DetailCollector()
    sums, done = Perplexity(), 0
    for some in _judged(bot, questions):
        board.add(some)
        ledger.add(some)
        done += len(some)
        yield Progress(done, total)
    for part in _scored(bot, questions):
        sums.add(part)
        done += part.answers
        yield Progress(done, total)
    yield _report(len(questions), board, sums, ledger, started)


def _judged(bot: Evaluated, questions: Sequence[EvaluationQuestion]) -> Iterator[list[JudgedReply]]:
    texts, contexts = ([each.text for each in questions], [each.context for each in questions])
    # A responder that never looks at earlier turns need not take them.
    ask = bot.responder.reply_all
    replies = ask(texts, contexts) if any(contexts) else ask(texts)
    learnt_as = list(map(bot.filters, texts))
    seen = questions_in_training(bot.folder, learnt_as)
    judged = (
        JudgedReply(
            each.text,
            each.answers,
            reply,
            context=each.context,
            seen=None if seen is None else text in seen,
        )
        for each, text, reply in zip(questions, learnt_as, replies, strict=True)
    )
    while some := list(itertools.islice(judged, _TOGETHER)):
        yield some


def _scored(bot: Evaluated, questions: Sequence[EvaluationQuestion]) -> Iterator[Perplexity]:
    pairs = [
        pair_of(bot.reader, bot.filters(each.text), answer, bot.filters.turns(each.context))
        for each in questions
        for answer in each.answers
    ]
    return score(bot.engine, pairs, features=bot.reader.features)


def _report(
    count: int, board: Scoreboard, sums: Perplexity, ledger: DetailCollector, started: float
) -> Report:
    given, details = board.figures(), ledger.details()
    return Report(
        count=count,
        perplexity_teacher_forced=sums.teacher_forced,
        perplexity_free_running=sums.free_running,
        seconds=round(time.perf_counter() - started, 3),
        **{name: given[name] for name in FIGURES if name in given},
        more={name: value for name, value in given.items() if name not in FIGURES},
        faults=tuple(str(fault) for fault in board.faults),
        details=details,
    )
