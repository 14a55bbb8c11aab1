"""An evaluation asks with the earlier turns that a bot reads, and with no others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from evaluation_fakes import Letters, Parrot, TableBot

from chatseq.core.exchange import Exchange, Reply
from chatseq.core.plugins import Registry
from chatseq.evaluation.perplexity import pair_of
from chatseq.evaluation.questions import EvaluationQuestion, evaluation_questions
from chatseq.evaluation.report import evaluate
from chatseq.text.question_encoder import QuestionEncoder

ROWS = [
    Exchange("a", "1", context=("a", "b")),
    Exchange("a", "2", context=("b", "b")),
    Exchange("a", "3"),
    Exchange("a", "4", context=("a", "b")),
]


class Listening(Parrot):
    """A parrot that remembers what was said before."""

    def __init__(self) -> None:
        super().__init__()
        self.contexts: list[Sequence[str]] = []

    def reply_all(
        self, questions: Sequence[str], contexts: Sequence[Sequence[str]] = ()
    ) -> Iterator[Reply]:
        self.contexts += contexts
        return super().reply_all(questions)


def bot_that_reads(turns: int) -> TableBot:
    return TableBot(Listening(), reader=QuestionEncoder(Letters(), context_turns=turns))


@pytest.mark.parametrize(
    ("turns", "wanted"),
    [
        (0, [EvaluationQuestion("a", ("1", "2", "3", "4"))]),
        (1, [EvaluationQuestion("a", ("1", "2", "4"), ("b",)), EvaluationQuestion("a", ("3",))]),
        (
            2,
            [
                EvaluationQuestion("a", ("1", "4"), ("a", "b")),
                EvaluationQuestion("a", ("2",), ("b", "b")),
                EvaluationQuestion("a", ("3",)),
            ],
        ),
    ],
)
def test_turns_that_are_read_make_another_question(
    turns: int, wanted: list[EvaluationQuestion]
) -> None:
    assert evaluation_questions(ROWS, turns) == wanted


def test_the_responder_gets_the_turns_that_it_reads(registry: Registry) -> None:
    bot = bot_that_reads(1)
    report = evaluate(bot, ROWS, registry)
    assert report.count == 2
    assert bot.responder.questions == ["a", "a"]
    assert bot.responder.contexts == [("b",), ()]  # type: ignore[attr-defined]


def test_without_context_turns_no_context_is_handed_over(registry: Registry) -> None:
    bot = bot_that_reads(0)
    evaluate(bot, ROWS, registry)
    assert bot.responder.contexts == []  # type: ignore[attr-defined]


def test_perplexity_is_after_the_turns_that_are_read(registry: Registry) -> None:
    # The engine looks at the first token alone: that of the earlier turn, where it is read.
    rows = [Exchange("a", "ab", context=("b",))]
    with_context = evaluate(bot_that_reads(1), rows, registry).perplexity_teacher_forced
    without = evaluate(bot_that_reads(0), rows, registry).perplexity_teacher_forced
    assert with_context == pytest.approx((0.1 * 0.5 * 0.4) ** (-1 / 3))
    assert without == pytest.approx((0.5 * 0.7 * 0.6) ** (-1 / 3))


def test_a_pair_is_read_with_its_context() -> None:
    reader = QuestionEncoder(Letters(), context_turns=1)
    assert pair_of(reader, "a", "b", ["a", "b"]).question == reader.read("a", ["b"])
