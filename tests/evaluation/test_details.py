"""What lies behind the figures: sources, confusions, worst questions, and all of it as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from evaluation_fakes import NO_IDEA, Letters, Parrot, TableBot, judged

from chatseq.core.exchange import Exchange, Reply, ReplySource
from chatseq.core.plugins import Registry
from chatseq.evaluation.contracts import JudgedReply
from chatseq.evaluation.curves import Bin, RiskPoint, RocPoint, Threshold
from chatseq.evaluation.details import (
    MOST,
    Case,
    Confusion,
    DetailCollector,
    Details,
    OfSource,
)
from chatseq.evaluation.report import Progress, Report, evaluate, evaluation
from chatseq.text.question_encoder import QuestionEncoder


def details_of(*replies: JudgedReply) -> Details:
    ledger = DetailCollector()
    ledger.add(replies)
    return ledger.details()


def test_replies_are_counted_by_source_with_those_that_were_right() -> None:
    corrected = JudgedReply("?", ("x",), Reply("x", ReplySource.CORRECTED, 1))
    found = details_of(
        judged("x", "x"),
        judged("y", "x"),
        judged("x"),
        judged(None),
        judged(None, "x", others=["x"]),  # its guess would be right, declining was not
        corrected,
    )
    assert found.sources == (
        OfSource("generated", 3, 1),
        OfSource("corrected", 1, 1),
        OfSource("declined", 2, 1),
    )


def test_confusions_are_said_and_wrong_the_most_frequent_first() -> None:
    found = details_of(
        judged("b", "a"),
        judged("c", "a", "z"),  # of several answers the first one is named
        judged(" c\n", "a"),
        judged("b"),  # was to be declined
        judged(None, "a", others=["b"]),  # nothing was said
        judged("a", "a"),
    )
    assert found.confusions == (
        Confusion("a", "c", 2),
        Confusion("a", "b", 1),
        Confusion("", "b", 1),
    )


def test_the_wrong_ones_come_with_the_most_confident_first() -> None:
    found = details_of(
        judged("y", "x", confidence=0.3, question="third", context=("before",)),
        judged("x", "x", confidence=1, question="right"),
        judged("y", "x", "z", confidence=0.9, question="first"),
        judged("y", confidence=0.5, question="second"),
    )
    assert found.wrong == (
        Case("first", (), ("x", "z"), "y", 0.9, False),
        Case("second", (), (), "y", 0.5, False),
        Case("third", ("before",), ("x",), "y", 0.3, False),
    )
    assert found.wrongly_declined == ()


def test_the_wrongly_declined_tell_what_would_have_been_said() -> None:
    found = details_of(
        judged(None, "x", confidence=0.1, others=["y"], question="better so"),
        judged(None, "x", confidence=0.4, others=["x", "y"], question="a pity"),
        judged(None, "x", confidence=0, question="no guess"),
        judged(None, confidence=0.5, question="rightly"),
    )
    assert found.wrongly_declined == (
        Case("a pity", (), ("x",), "x", 0.4, True),
        Case("better so", (), ("x",), "y", 0.1, False),
        Case("no guess", (), ("x",), "", 0, False),
    )
    assert found.wrong == ()


def test_lists_keep_the_first_twenty_also_over_many_batches() -> None:
    ledger, whole = DetailCollector(), []
    for at in range(50):
        batch = [
            judged(f"y{at}", "x", confidence=at % 25 / 25, question=f"wrong {at}"),
            judged(None, "x", confidence=at % 25 / 25, question=f"declined {at}"),
        ]
        ledger.add(batch)
        whole += batch
    found = ledger.details()
    assert MOST == len(found.wrong) == len(found.wrongly_declined) == len(found.confusions) == 20
    assert [case.question for case in found.wrong[:3]] == ["wrong 24", "wrong 49", "wrong 23"]
    assert [case.question for case in found.wrongly_declined[:2]] == ["declined 24", "declined 49"]
    assert found == details_of(*whole)


def test_the_curves_are_over_best_guesses() -> None:
    found = details_of(
        judged(None, "x", others=["x"], confidence=0.5), judged(None, confidence=0.25)
    )
    assert found.bins == (
        Bin(3 / 15, 4 / 15, 0.25, 0, 0, 1),
        Bin(7 / 15, 8 / 15, 0.5, 1, 0, 0),
    )
    assert found.risk_coverage == (RiskPoint(0.5, 0.5, 0), RiskPoint(0.25, 1, 0.5))
    assert found.roc == (RocPoint(1, 0, 0), RocPoint(0.5, 0, 1), RocPoint(0.25, 1, 1))
    assert found.thresholds == (Threshold(0.2501, 0, 1, 1), Threshold(0.5, 0, 1, 1))


def test_details_are_lists_and_objects_for_json_without_nan() -> None:
    found = details_of(
        judged("y", "x", confidence=float("nan"), question="好"), judged(None, confidence=0.2)
    )
    told = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert list(told) == [
        *("sources", "confusions", "wrong", "wrongly_declined"),
        *("thresholds", "bins", "risk_coverage", "roc"),
    ]
    assert told["wrong"] == [
        {
            "question": "好",
            "context": [],
            "wanted": ["x"],
            "guess": "y",
            "confidence": 0,
            "guessed_right": False,
        }
    ]
    assert told["risk_coverage"][-1] == {"threshold": 0, "coverage": 1, "risk": 1}
    assert told["sources"][0] == {"source": "generated", "replies": 1, "right": 0}


def test_without_replies_every_list_is_empty() -> None:
    assert DetailCollector().details() == Details()
    assert set(map(str, Details().as_json().values())) == {"()"}


def test_a_report_brings_its_details(registry: Registry) -> None:
    bot = TableBot(Parrot({"a": "b", "b": None, "ab": None}))
    wanted = [Exchange("a", "a"), Exchange("b", "b"), Exchange("ab", "")]
    report = evaluate(bot, wanted, registry)
    assert report.details.wrong == (Case("a", (), ("a",), "b", 0.9, False),)
    assert [case.question for case in report.details.wrongly_declined] == ["b"]
    assert "details" not in report.figures()


def test_cases_have_the_turns_that_were_read(registry: Registry) -> None:
    class Remembering(Parrot):
        def reply_all(
            self, questions: Sequence[str], contexts: Sequence[Sequence[str]] = ()
        ) -> Iterator[Reply]:
            return super().reply_all(questions)

    reader = QuestionEncoder(Letters(), context_turns=1)
    bot = TableBot(Remembering({"a": None}), reader=reader)
    report = evaluate(bot, [Exchange("a", "b", context=("a", "b"))], registry)
    assert report.details.wrongly_declined[0].context == ("b",)


def test_figures_and_details_do_not_disturb_the_progress(registry: Registry) -> None:
    *steps, report = evaluation(TableBot(), [Exchange("a", "a"), Exchange("b", "")], registry)
    assert steps == [Progress(2, 3), Progress(3, 3)]
    assert isinstance(report, Report)
    assert report.details.sources == (OfSource("generated", 2, 1),)
    assert NO_IDEA not in str(report.details)
