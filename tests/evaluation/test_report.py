"""A whole evaluation of a tiny bot, and metrics of other plugins, good and bad."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from evaluation_fakes import Parrot, TableBot

from chatseq.core.exchange import Exchange
from chatseq.core.plugins import Plugin, Registry, discover
from chatseq.evaluation.contracts import JudgedReply
from chatseq.evaluation.questions import EvaluationQuestion, evaluation_questions
from chatseq.evaluation.report import FIGURES, Progress, Report, evaluate, evaluation
from chatseq.hookspecs import hookimpl

# The fixed fields of `evaluate --json`, in their order, and those that came later.
FIXED = [
    *("count", "exact_match", "bleu", "chrf", "rouge_l"),
    *("perplexity_teacher_forced", "perplexity_free_running", "distinct_1", "distinct_2"),
    *("most_frequent_reply", "declined", "wrongly_declined", "auroc", "seconds"),
]
FIELDS = [
    *FIXED,
    *("best_guess", "seen_exact_match", "unseen_exact_match", "suggested", "suggested_right"),
    *("auroc_right", "aurc", "expected_calibration_error", "brier"),
]


def rows(*pairs: tuple[str, str]) -> list[Exchange]:
    return [Exchange(question, answer) for question, answer in pairs]


class Length:
    """A metric of another plugin: the mean length of the replies."""

    def __init__(self) -> None:
        self.lengths: list[int] = []

    def add(self, judged: Sequence[JudgedReply]) -> None:
        self.lengths += [len(one.reply.text) for one in judged]

    def merge(self, other: Length) -> None:
        self.lengths += other.lengths

    def figures(self) -> Mapping[str, float | None]:
        return {"reply_length": float(np.mean(self.lengths)) if self.lengths else None}


def registry_with(**metrics: Any) -> Registry:
    """The installed plugins and one more with these metrics; `_` stands for `-`."""
    registry = discover()
    named = {name.replace("_", "-"): metric for name, metric in metrics.items()}
    module = SimpleNamespace(chatseq_metrics=hookimpl(lambda: named))
    registry.add(Plugin("another", module))
    assert registry.faults == []
    return registry


def test_rows_with_one_question_are_one_question_with_several_answers() -> None:
    found = evaluation_questions(rows(("b", "1"), ("a", "2"), ("b", "3"), ("b", "1")))
    assert found == [EvaluationQuestion("b", ("1", "3")), EvaluationQuestion("a", ("2",))]


def test_a_question_without_any_answer_is_to_be_declined() -> None:
    assert evaluation_questions(rows(("a", ""), ("b", " "), ("b", "1"))) == [
        EvaluationQuestion("a", ()),
        EvaluationQuestion("b", ("1",)),
    ]


def test_context_does_not_make_another_question() -> None:
    found = evaluation_questions([Exchange("a", "1", context=("x",)), Exchange("a", "2")])
    assert found == [EvaluationQuestion("a", ("1", "2"))]


def test_at_most_so_many_questions_are_asked_with_all_their_answers(registry: Registry) -> None:
    bot = TableBot()
    wanted = rows(("a", "a"), ("b", "a"), ("a", "b"), ("ab", ""), ("ba", ""))
    report = evaluate(bot, wanted, registry, most=2)
    assert bot.responder.questions == ["a", "ab"]
    assert (report.count, report.exact_match, report.declined) == (2, 1, 0)


def test_the_report_has_the_fixed_figures_in_their_order() -> None:
    assert list(FIGURES) == FIELDS
    assert list(Report(count=0).figures()) == FIELDS


def test_a_whole_evaluation(registry: Registry) -> None:
    bot = TableBot(Parrot({"a": "ab", "b": "a", "ab": None, "bb": None, "ba": "ab"}))
    wanted = rows(("a", "ba"), ("a", "ab"), ("b", "b"), ("ab", "a"), ("bb", ""), ("ba", ""))
    report = evaluate(bot, wanted, registry)
    assert bot.responder.questions == ["a", "b", "ab", "bb", "ba"]
    assert report.count == 5
    assert report.exact_match == pytest.approx(1 / 3)
    assert (report.declined, report.wrongly_declined) == (0.5, pytest.approx(1 / 3))
    # Confidence .9, .9, .1 of questions with an answer against .1 and .9: 1, 1, 0 pairs won and
    # 1, 1, 1 tied of 6.
    assert report.auroc == pytest.approx(3.5 / 6)
    assert report.most_frequent_reply == pytest.approx(2 / 3)  # "ab", "a", "ab"
    assert (report.distinct_1, report.distinct_2) == (pytest.approx(2 / 3), 0)
    assert report.rouge_l == pytest.approx(1 / 3)
    assert report.bleu is not None
    assert report.chrf is not None
    assert report.seconds >= 0
    assert (report.more, report.faults) == ({}, ())


def test_perplexity_is_over_every_wanted_answer_and_not_over_questions_to_decline(
    registry: Registry,
) -> None:
    report = evaluate(TableBot(), rows(("a", "a"), ("a", "ba"), ("b", "")), registry)
    # a: .5 .2; ba: .3 .2 .2. Fed its own a and b, the model gives ba: .3 .1 .6.
    taught = 0.5 * 0.2 * 0.3 * 0.2 * 0.2
    alone = 0.5 * 0.2 * 0.3 * 0.1 * 0.6
    assert report.perplexity_teacher_forced == pytest.approx(taught ** (-1 / 5), rel=1e-5)
    assert report.perplexity_free_running == pytest.approx(alone ** (-1 / 5), rel=1e-5)


def test_without_questions_everything_is_null(registry: Registry) -> None:
    report = evaluate(TableBot(), [], registry)
    assert report.count == 0
    assert {
        value for name, value in report.figures().items() if name not in ("count", "seconds")
    } == {None}


def test_figures_are_json_without_nan_and_infinity() -> None:
    class Odd(Length):
        def figures(self) -> Mapping[str, float | None]:
            return {
                "not_a_number": math.nan,
                "infinite": -math.inf,
                "numpys": np.float32(0.5),  # type: ignore[dict-item]
                "whole": 3,
                "none": None,
            }

    report = evaluate(TableBot(), rows(("a", "a")), registry_with(odd=Odd))
    told = json.loads(json.dumps(report.figures(), allow_nan=False))
    assert report.more == {
        "not_a_number": None,
        "infinite": None,
        "numpys": 0.5,
        "whole": 3,
        "none": None,
    }
    assert list(told) == [*FIELDS, *report.more]


def test_a_metric_of_another_plugin_adds_its_figures() -> None:
    report = evaluate(TableBot(), rows(("a", "a"), ("abb", "b")), registry_with(length=Length))
    assert report.more == {"reply_length": 2}
    assert report.exact_match == 0.5


class FailsAtFirst(Length):
    def __init__(self) -> None:
        raise RuntimeError("no such file\nand more")


class FailsAtWork(Length):
    def add(self, judged: Sequence[JudgedReply]) -> None:
        raise KeyError("x")


class FailsAtLast(Length):
    def figures(self) -> Mapping[str, float | None]:
        return {"reply_length": "long"}  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("metric", "what"),
    [
        (FailsAtFirst, "raised RuntimeError: no such file"),
        (FailsAtWork, "raised KeyError: 'x'"),
        (FailsAtLast, "raised ValueError: could not convert string to float: 'long'"),
    ],
)
def test_a_metric_that_fails_costs_its_own_figures_alone(metric: Any, what: str) -> None:
    many = rows(*((f"a{'b' * at}", "a") for at in range(150)))
    report = evaluate(TableBot(), many, registry_with(bad=metric, length=Length))
    assert report.faults == (f"Plugin another, hook chatseq_metrics: the metric 'bad' {what}",)
    assert report.exact_match == pytest.approx(1 / 150)
    assert set(report.more) == {"reply_length"}


class Rival(Length):
    def figures(self) -> Mapping[str, float | None]:
        return {"bleu": 100, "seconds": 0, "perplexity_free_running": 1}


def test_a_figure_that_is_given_twice_is_null_and_told() -> None:
    report = evaluate(TableBot(), rows(("a", "a")), registry_with(rival=Rival))
    assert report.bleu is None
    assert report.perplexity_free_running not in (None, 1)
    assert [fault.partition(": ")[2] for fault in report.faults] == [
        f"the metric 'rival' gives the figure '{name}', which is given already"
        for name in ("bleu", "seconds", "perplexity_free_running")
    ]


def test_without_metrics_there_are_still_perplexities() -> None:
    report = evaluate(TableBot(), rows(("a", "ab")), Registry())
    assert (report.count, report.exact_match) == (1, None)
    assert report.perplexity_teacher_forced == pytest.approx((0.5 * 0.7 * 0.6) ** (-1 / 3))


def test_progress_rises_to_the_total_and_the_report_comes_last(registry: Registry) -> None:
    many = rows(*((f"a{'b' * at}", "a" * (1 + at % 3)) for at in range(150)), ("b", ""))
    *steps, report = evaluation(TableBot(), many, registry)
    assert isinstance(report, Report)
    done = [step.done for step in steps if isinstance(step, Progress)]
    assert len(done) == len(steps) >= 6
    assert done == sorted(set(done))
    assert {step.total for step in steps} == {151 + 150}
    assert done[-1] == 151 + 150


def test_evaluate_tells_its_progress(registry: Registry) -> None:
    told: list[Progress] = []
    evaluate(TableBot(), rows(("a", "a"), ("b", "")), registry, on_progress=told.append)
    assert told == [Progress(2, 3), Progress(3, 3)]


def test_a_responder_that_loses_a_question_is_found_out(registry: Registry) -> None:
    class Forgetful(Parrot):
        def reply_all(self, questions: Sequence[str]) -> Any:
            return super().reply_all(questions[1:])

    with pytest.raises(ValueError, match="shorter"):
        evaluate(TableBot(Forgetful()), rows(("a", "a"), ("b", "b")), registry)
