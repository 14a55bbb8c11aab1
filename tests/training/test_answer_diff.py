"""The report on what a bot's learning did to its answers, worked out by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from chatseq.cli.answer_diff_view import answer_diff_lines
from chatseq.core.errors import TrainingError
from chatseq.core.events import Remark, StepReport, TrainingEvent
from chatseq.core.exchange import Exchange, Reply, ReplySource
from chatseq.core.paths import runs_folder
from chatseq.testing.responders import ScriptedResponder
from chatseq.training import answer_diff
from chatseq.training.answer_diff import (
    BEFORE,
    AnswerDiff,
    AnswerDiffReport,
    Change,
    ProbeQuestion,
    answers,
    compare,
    probe_questions,
)
from chatseq.training.job import Job

from .conftest import MakeJob, exchanges

# A question, its right answers, what was said before and what is said now.
CASES = (
    ("kept", ("a",), "a", "a"),
    ("lost", ("a",), "a", "x"),
    ("shy", ("a",), "a", ""),
    ("bold", ("a",), "", "x"),
    ("still wrong", ("a",), "x", "y"),
    ("still right", ("a", "b"), "a", "b"),
    ("honest", ("a",), "x", ""),
    ("found", ("a",), "", "a"),
    ("won", ("a",), "x", "a"),
    ("rightly silent", ("",), "x", ""),
    ("silent as ever", ("",), "", ""),
)
CORRECTED = (("c1", ("new",), "old", "new"), ("c2", ("new",), "old", "old"))


def compared(
    old: Sequence[tuple[str, tuple[str, ...], str, str]] = CASES,
    accepted: Sequence[tuple[str, tuple[str, ...], str, str]] = CORRECTED,
) -> AnswerDiffReport:
    both = [*old, *accepted]
    asked = [ProbeQuestion(question, wanted) for question, wanted, _, _ in both]
    return compare(
        "faq",
        asked[: len(old)],
        asked[len(old) :],
        [before for _, _, before, _ in both],
        [after for _, _, _, after in both],
    )


def test_the_counts_are_those_worked_out_by_hand() -> None:
    found = compared()
    assert (found.asked, found.right_before, found.right_after) == (11, 5, 6)
    assert (found.worse, found.better) == (3, 4)
    assert found.kinds() == {
        "right -> wrong": 1,
        "right -> declined": 1,
        "declined -> wrong": 1,
        "wrong -> other wrong": 1,
        "right -> other right": 1,
        "wrong -> declined": 1,
        "declined -> right": 1,
        "wrong -> right": 2,
    }


def test_changes_come_worst_first_and_what_stayed_does_not_come() -> None:
    assert [change.question for change in compared().changes] == [
        "lost", "shy", "bold", "still wrong", "still right", "honest", "found", "won",
        "rightly silent",
    ]  # fmt: skip


def test_corrections_are_told_apart_and_counted_when_they_are_said() -> None:
    found = compared()
    assert [change.question for change in found.corrections] == ["c1", "c2"]
    assert found.said == 1
    assert compared(accepted=()).said == 0


def test_the_file_holds_all_of_it() -> None:
    value = json.loads(json.dumps(compared().value()))
    assert list(value) == [
        "bot", "asked", "right_before", "right_after", "better", "worse", "kinds", "changes",
        "corrections",
    ]  # fmt: skip
    assert value["changes"][0] == {
        "question": "lost",
        "before": "a",
        "after": "x",
        "wanted": ["a"],
        "context": [],
        "kind": "right -> wrong",
        "gain": -2,
    }
    assert len(value["changes"]) == 9


def test_the_lines_tell_the_counts_what_was_not_learnt_and_the_worst() -> None:
    lines = list(answer_diff_lines(compared()))
    counts = (
        "Of 11 old questions from the corpus, 9 are answered otherwise: 3 worse, 4 better, "
        "2 neither. Right before: 45.5%; now: 54.5%."
    )
    assert lines[:9] == [
        "1 of 2 accepted answers is said now.",
        "  not learnt: c2",
        "    before: old",
        "    now:    old",
        "    wanted: new",
        counts,
        "  right -> wrong: lost",
        "    before: a",
        "    now:    x",
    ]
    assert lines[-4:] == [
        "  wrong -> right: rightly silent",
        "    before: x",
        "    now:    (declined)",
        "    wanted: (declined)",
    ]


def test_ten_changes_are_shown_and_the_rest_counted() -> None:
    lines = list(answer_diff_lines(compared([("q", ("a",), "a", "x")] * 13, CORRECTED[:1])))
    assert sum("right -> wrong" in line for line in lines) == 10
    assert lines[-1] == "  and 3 more"


def test_without_changes_one_line_says_so() -> None:
    assert list(answer_diff_lines(compared(CASES[:1], CORRECTED[:1]))) == [
        "1 of 1 accepted answer is said now.",
        "Of 1 old question from the corpus, none is answered otherwise.",
    ]


def test_no_text_of_a_report_can_harm_the_terminal() -> None:
    evil = "\x1b[2J\nevil"
    report = compared([(evil, (evil,), evil, f"{evil}!")], [(evil, (evil,), evil, "x")])
    shown = "".join(answer_diff_lines(report))
    assert "evil" in shown
    assert not {"\x1b", "\n"} & set(shown)


def test_what_is_said_is_compared_without_margins_and_declining_whatever_its_words() -> None:
    class Declining(ScriptedResponder):
        def reply_all(
            self, questions: Sequence[str], contexts: Sequence[Sequence[str]] = ()
        ) -> Iterator[Reply]:
            assert list(contexts) == [("before",), ()]
            yield Reply(f" {questions[0]} ", ReplySource.RETRIEVED, 1.0)
            yield Reply("No idea.", ReplySource.DECLINED, 0.1)

    asked = [ProbeQuestion("cafe\u0301", ("x",), ("before",)), ProbeQuestion("b", ("x",))]
    assert answers(Declining(), asked) == ["caf\u00e9", ""]


def test_questions_of_the_corpus_are_asked_once_with_all_their_answers(make_job: MakeJob) -> None:
    rows = [*exchanges(), replace(exchanges()[0], answer="another")]
    job = replace(make_job(rows=rows), oversampled=(1,))
    old, accepted = probe_questions(job)
    assert len(old) == 39
    assert sum(one.wanted[1:] == ("another",) for one in old) == 1
    oversampled = job.train.exchanges[1]
    assert accepted == [ProbeQuestion(oversampled.question, (oversampled.answer,))]


def test_held_back_questions_are_asked_too(make_job: MakeJob) -> None:
    job = make_job()
    assert {one.question for one in probe_questions(job)[0]} == {e.question for e in exchanges()}


def test_no_more_than_the_most_are_asked(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer_diff, "MOST_ASKED", 4)
    job = replace(make_job(), oversampled=(0, 1))
    old, accepted = probe_questions(job)
    assert (len(old), len(accepted)) == (4, 2)


def test_a_question_is_asked_with_the_turns_that_are_read(make_job: MakeJob) -> None:
    rows = [replace(e, context=("far", e.question, "near")) for e in exchanges()]
    job = make_job("question.context_turns=2", rows=[*rows, *exchanges()])
    old, _ = probe_questions(job)
    assert len(old) == 80
    assert all(one.context in ((), (one.question, "near")) for one in old)


class Bots:
    """Stands for the stored bot, which says everything louder each time it is loaded."""

    def __init__(self) -> None:
        self.loaded = 0

    def load(self, registry: object, name: str) -> Bots:
        assert name == "faq"
        self.loaded += 1
        return self

    @property
    def responder(self) -> ScriptedResponder:
        loud = "!" * self.loaded
        return ScriptedResponder({e.question: [e.question + loud] for e in exchanges()})


@pytest.fixture
def bots(monkeypatch: pytest.MonkeyPatch) -> Bots:
    found = Bots()
    monkeypatch.setattr(answer_diff, "load_bot", found.load)
    (runs_folder() / "faq").mkdir(parents=True)
    return found


STEP = StepReport(1, 0, 1.0, 1, 1.0, 0.1, 1.0, False, 0.5, 1.0)


def run_of(answer_diff: AnswerDiff) -> list[TrainingEvent]:
    return list(answer_diff.watch(iter([Remark("first"), STEP, STEP])))


def test_both_bots_are_asked_and_the_report_is_written(job: Job, bots: Bots) -> None:
    answer_diff = AnswerDiff(replace(job, oversampled=(0,)))
    assert run_of(answer_diff) == [Remark("first"), STEP, STEP]
    report = answer_diff.report()
    assert bots.loaded == 2
    assert len(report.changes) == report.asked == 39
    assert all(change.after == change.before + "!" for change in report.changes)
    assert answer_diff.file.read_text(encoding="utf-8") == json.dumps(report.value(), indent=1)
    assert answer_diff.file == runs_folder() / "faq" / "regression.json"
    assert answer_diff.file.stat().st_mode & 0o077 == 0


def test_a_resumed_run_is_compared_with_the_bot_that_it_began_with(job: Job, bots: Bots) -> None:
    run_of(AnswerDiff(job))
    bots.loaded = 5  # other bots came since
    report = AnswerDiff(job, resume=True).report()
    assert all(change.before.count("!") == 1 for change in report.changes)
    assert all(change.after.count("!") == 6 for change in report.changes)


@pytest.mark.parametrize("content", ["", "[]", "{}", "[1]", '[["q", [], "a"]]', None])
def test_a_record_that_is_not_of_these_questions_is_not_used(
    job: Job, bots: Bots, content: str | None
) -> None:
    if content is not None:
        (runs_folder() / "faq" / BEFORE).write_text(content, encoding="utf-8")
    AnswerDiff(job, resume=True)
    assert bots.loaded == 1


def test_nothing_is_kept_before_the_first_step(job: Job, bots: Bots) -> None:
    list(AnswerDiff(job).watch(iter([Remark("wipes the folder")])))
    assert not (runs_folder() / "faq" / BEFORE).exists()
    assert bots.loaded == 1


@pytest.mark.usefixtures("bots")
def test_a_full_disk_is_told(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(file: object, data: object) -> None:
        raise OSError(28, "No space left on device")

    comparison = AnswerDiff(job)
    monkeypatch.setattr(answer_diff, "write_whole", fail)
    with pytest.raises(TrainingError, match=r"Cannot write .*regression\.json: No space left"):
        comparison.report()


def test_the_answer_of_a_change_is_the_first_of_those_wanted() -> None:
    change = Change("q", "x", "y", ("first", "second"))
    report = AnswerDiffReport("faq", 1, 0, 0, (change,), ())
    assert "    wanted: first" in list(answer_diff_lines(report))


def test_exchanges_that_decline_are_asked_as_well(make_job: MakeJob) -> None:
    rows = [*exchanges(), Exchange("will it rain", "")]
    wanted = {one.question: one.wanted for one in probe_questions(make_job(rows=rows))[0]}
    assert wanted["will it rain"] == ("",)
