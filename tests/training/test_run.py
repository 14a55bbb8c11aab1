"""A whole run: its reports, its ends, its resumption, and the bot that it leaves."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from chatseq.bots.bundle import bot_folder, default_bot, open_bundle
from chatseq.bots.loader import load_bot
from chatseq.core.errors import BundleError, TrainingError
from chatseq.core.events import (
    FinishedReport,
    Remark,
    StepReport,
    TrainingEvent,
    ValidationReport,
)
from chatseq.core.exchange import Exchange
from chatseq.core.paths import runs_folder
from chatseq.core.plugins import Plugin, discover
from chatseq.model.seq2seq import Seq2Seq
from chatseq.training.collapse import diversity_of
from chatseq.training.job import Job
from chatseq.training.run import train
from chatseq.training.validation import ValidationResult, Validator
from chatseq_training_log.log import METRICS, read

from .conftest import MakeJob, exchanges
from .test_kill import finish, weights


def steps(events: list[TrainingEvent]) -> list[StepReport]:
    return [event for event in events if isinstance(event, StepReport)]


def validations(events: list[TrainingEvent]) -> list[ValidationReport]:
    return [event for event in events if isinstance(event, ValidationReport)]


def remarks(events: list[TrainingEvent]) -> str:
    return " ".join(event.text for event in events if isinstance(event, Remark))


def stop_after(count: int) -> Iterator[bool]:
    yield from [False] * (count - 1)
    while True:
        yield True


def test_a_run_goes_through_all_its_epochs_and_leaves_a_bot(job: Job) -> None:
    events = list(train(job))
    last = events[-1]
    assert isinstance(last, FinishedReport)
    assert last.reason == "epochs done"
    assert {step.epoch for step in steps(events)} == {0, 1, 2}
    assert [step.step for step in steps(events)] == list(range(1, last.step + 1))
    assert default_bot() == "faq"
    bundle = open_bundle(bot_folder("faq"), registry=job.registry)
    assert bundle.manifest.corpus.exchanges == 40
    assert bundle.manifest.corpus.sources == ("faq.csv",)
    assert {"chatseq_rnn", "chatseq_attention", "chatseq_subword"} <= set(bundle.manifest.plugins)
    assert bundle.recipe() == job.recipe


def test_the_bot_of_a_run_answers(job: Job) -> None:
    finish(job)
    bot = load_bot(job.registry, "faq")
    assert bot.responder.reply("how do I train").bot == "faq"


def test_steps_tell_how_far_the_run_is(job: Job) -> None:
    found = steps(list(train(job)))
    progress = [step.progress for step in found]
    assert progress == sorted(progress)
    assert progress[-1] == 1.0
    assert found[-1].seconds_left == 0.0
    assert all(step.tokens_per_second > 0 and step.tokens > 0 for step in found)
    assert found[-1].learning_rate < max(step.learning_rate for step in found)


def test_validations_come_as_often_as_the_recipe_says(make_job: MakeJob) -> None:
    found = validations(list(train(make_job("training.validations=4", "training.patience=9"))))
    assert len(found) == 4
    assert found[-1].step == max(report.step for report in found)
    assert all(len(report.samples) == 3 for report in found)
    assert all(report.perplexity == pytest.approx(math.exp(report.loss)) for report in found)


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(make_job: MakeJob) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        finish(make_job(f"training.seed={seed}", name=name))
    assert weights("a") == weights("b") != weights("c")


def test_the_figures_are_stored_with_the_bot(job: Job) -> None:
    last = finish(job)
    assert last.figures["exact_match"] is not None
    assert open_bundle(bot_folder("faq")).manifest.figures == last.figures
    assert "exact_match" in open_bundle(bot_folder("faq")).read_text("card.md")


def test_a_run_leaves_the_arithmetic_of_the_process_as_it_was(job: Job) -> None:
    smallest = 5e-324
    events = train(job)
    next(events)
    events.close()  # type: ignore[attr-defined]
    assert smallest / 2 + smallest > 0
    finish(job)
    assert torch.tensor(smallest, dtype=torch.float64).mul(1.0).item() > 0


def test_the_loss_falls(make_job: MakeJob) -> None:
    fast = ("training.max_epochs=12", "training.patience=99", "training.learning_rate=0.03")
    found = steps(list(train(make_job(*fast))))
    assert found[-1].loss < 0.8 * found[0].loss


def test_an_interrupted_run_leaves_a_bot_and_goes_on_to_the_same_end(make_job: MakeJob) -> None:
    finish(make_job(name="whole"))
    job = make_job()
    asked = stop_after(4)
    first = list(train(job, stop=lambda: next(asked)))
    assert isinstance(first[-1], FinishedReport)
    assert (first[-1].reason, first[-1].step) == ("interrupted", 4)
    assert validations(first)[-1].step == 4, "what is stored was judged"
    assert load_bot(job.registry, "faq").responder.reply("train").bot == "faq"
    rest = list(train(job, resume=True))
    assert steps(rest)[0].step == 5
    assert "Resumed after step 4." in remarks(rest)
    assert weights("faq") == weights("whole")


def test_a_finished_run_that_is_resumed_stores_the_same_bot_again(job: Job) -> None:
    finish(job)
    before = weights("faq")
    again = list(train(job, resume=True))
    assert steps(again) == []
    assert weights("faq") == before


def test_a_finished_run_goes_on_when_it_gets_more_epochs(make_job: MakeJob) -> None:
    finish(make_job("training.max_epochs=1", "training.patience=99"))
    more = list(train(make_job("training.max_epochs=2", "training.patience=99"), resume=True))
    assert {step.epoch for step in steps(more)} == {1}


def test_without_anything_to_resume_the_error_says_so(job: Job) -> None:
    with pytest.raises(TrainingError, match=r"nothing to resume for the bot 'faq'\. Train it with"):
        list(train(job, resume=True))


def test_another_corpus_cannot_resume(make_job: MakeJob) -> None:
    finish(make_job())
    other = make_job(rows=[replace(exchanges()[0], question="other"), *exchanges()])
    with pytest.raises(TrainingError, match="begun with another corpus"):
        list(train(other, resume=True))


def test_another_recipe_cannot_resume_but_another_length_can(make_job: MakeJob) -> None:
    finish(make_job())
    with pytest.raises(TrainingError, match="begun with another recipe"):
        list(train(make_job("training.learning_rate=0.1"), resume=True))
    list(train(make_job("training.minutes=5", "training.checkpoint_seconds=9"), resume=True))


def test_a_fresh_run_begins_at_the_first_step_with_a_new_log(job: Job) -> None:
    finish(job)
    assert steps(list(train(job)))[0].step == 1
    logged = [r["step"] for r in read(runs_folder() / "faq" / METRICS) if r["event"] == "step"]
    assert logged == sorted(set(logged))


def test_a_second_trainer_of_the_same_bot_is_refused(job: Job) -> None:
    first = train(job)
    next(first)
    with pytest.raises(TrainingError, match="is being trained already, by process"):
        next(train(job))
    first.close()  # type: ignore[attr-defined]
    finish(job)


def test_time_ends_a_run_and_is_counted_over_resumptions(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(10_000_000))
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))  # a second for each look
    asked = stop_after(3)
    limited = ("training.minutes=1", "training.max_epochs=1000", "training.patience=99")
    first = list(train(make_job(*limited), stop=lambda: next(asked)))
    rest = list(train(make_job(*limited), resume=True))
    last = rest[-1]
    assert isinstance(last, FinishedReport)
    assert last.reason == "time is up"
    assert 60 <= last.seconds < 70
    assert len(steps(first)) + len(steps(rest)) < 60
    rates = [step.learning_rate for step in steps(rest)]
    assert rates[-1] < 0.1 * max(rates), "the schedule follows the time"


def test_a_run_without_improvement_ends_early_with_its_best_weights(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged = iter([0.5, 0.4, 0.4, 0.3] + [0.2] * 20)

    def judge(self: Validator) -> ValidationResult:
        return ValidationResult(1.0, next(judged), (), diversity_of([], []))

    monkeypatch.setattr(Validator, "validate", judge)
    job = make_job("training.validations=12", "training.patience=3", "training.max_epochs=6")
    events = list(train(job))
    found = validations(events)
    assert [report.best for report in found] == [True, False, False, False]
    last = events[-1]
    assert isinstance(last, FinishedReport)
    assert last.reason == "no improvement"
    assert last.best_step == found[0].step
    asked = stop_after(found[0].step)
    judged = iter([0.5] * 20)
    list(train(make_job(*FIRST, name="first"), stop=lambda: next(asked)))
    assert weights("faq") == weights("first"), "the weights after the first validation"


FIRST = ("training.validations=12", "training.patience=3", "training.max_epochs=6")


@pytest.mark.parametrize(
    ("closed", "judgements", "best"),
    [
        (True, [(2.0, 0.1), (3.0, 0.2), (1.0, 0.1)], 1),
        (True, [(2.0, 0.1), (1.5, 0.1), (1.9, 0.1)], 1),
        (False, [(2.0, 0.9), (1.5, 0.1), (1.9, 0.5)], 1),
        (False, [(2.0, 0.9), (math.nan, 1.0), (math.inf, 1.0)], 0),
    ],
)
def test_the_best_weights_are_judged_by_replies_where_answers_recur(
    make_job: MakeJob,
    monkeypatch: pytest.MonkeyPatch,
    closed: bool,
    judgements: list[tuple[float, float]],
    best: int,
) -> None:
    given = iter([*judgements, *judgements[-1:] * 9])

    def judge(self: Validator) -> ValidationResult:
        loss, exact_match = next(given)
        return ValidationResult(loss, exact_match, (), diversity_of([], []))

    monkeypatch.setattr(Validator, "validate", judge)
    rows = exchanges() if closed else [replace(e, answer=e.question) for e in exchanges()]
    job = make_job("training.patience=99", rows=rows)
    assert job.answers_recur == closed
    events = list(train(job))
    assert isinstance(events[-1], FinishedReport)
    assert events[-1].best_step == validations(events)[best].step


def poison(monkeypatch: pytest.MonkeyPatch, bad: set[int]) -> None:
    """Give a loss that is no number at some steps, counted from 1."""
    real = Seq2Seq.loss
    count = iter(range(1, 10_000))

    def loss(self: Seq2Seq, batch: object, **objective: object) -> object:
        found = real(self, batch, **objective)  # type: ignore[arg-type]
        poisoned = self.training and next(count) in bad
        return found._replace(total=found.total * math.nan) if poisoned else found

    monkeypatch.setattr(Seq2Seq, "loss", loss)


def test_a_broken_step_is_dropped_and_told(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    poison(monkeypatch, {2, 5})
    events = list(train(job))
    assert [step.step for step in steps(events) if step.skipped] == [2, 5]
    assert "Step 2 was dropped, since its loss was not finite (1 so far)" in remarks(events)
    assert "(2 so far)" in remarks(events)
    assert isinstance(events[-1], FinishedReport)
    assert events[-1].reason == "epochs done"


def test_three_broken_steps_in_a_row_end_the_run_with_the_last_good_weights(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = stop_after(4)
    list(train(make_job("training.validations=1", name="good"), stop=lambda: next(asked)))
    job = make_job("training.validations=1")  # before: parts are tried with a loss of their own
    poison(monkeypatch, {5, 6, 7})
    events = list(train(job))
    last = events[-1]
    assert isinstance(last, FinishedReport)
    assert (last.reason, last.step) == ("diverged", 7)
    assert weights("faq") == weights("good")
    again = list(train(job, resume=True))
    assert steps(again) == [], "a run that diverged does not go on"


def test_observers_are_told_everything_with_the_folder(make_job: MakeJob) -> None:
    told: list[tuple[TrainingEvent, Path]] = []

    class Observer:
        @staticmethod
        def chatseq_training_event(event: TrainingEvent, run: Path) -> None:
            told.append((event, run))

    from chatseq.hookspecs import hookimpl

    hookimpl(Observer.chatseq_training_event)
    registry = discover()
    registry.add(Plugin("observer", Observer))
    job = replace(make_job(), registry=registry)
    events = list(train(job))
    assert [event for event, _ in told] == events
    assert {run for _, run in told} == {runs_folder() / "faq"}


def test_an_observer_that_fails_never_stops_the_run(make_job: MakeJob) -> None:
    class Broken:
        @staticmethod
        def chatseq_training_event(event: TrainingEvent) -> None:
            raise RuntimeError(f"no {type(event).__name__}")

    from chatseq.hookspecs import hookimpl

    hookimpl(Broken.chatseq_training_event)
    registry = discover()
    registry.add(Plugin("broken", Broken))
    assert finish(replace(make_job(), registry=registry)).reason == "epochs done"
    assert any("RuntimeError: no StepReport" in str(fault) for fault in registry.faults)


def test_the_log_holds_every_report_as_json(job: Job) -> None:
    events = list(train(job))
    file = runs_folder() / "faq" / METRICS
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert len(lines) == len(events)
    assert [line["event"] for line in lines].count("validation") == len(validations(events))
    assert lines[-1]["event"] == "finished"


def test_declined_questions_are_learnt_too(make_job: MakeJob) -> None:
    off_topic = [Exchange(f"what of the weather in {n}", "") for n in "abcdefghij"]
    assert finish(make_job(rows=[*exchanges(), *off_topic])).reason == "epochs done"


def test_a_bot_with_graphs_answers_without_the_weights_being_loaded(make_job: MakeJob) -> None:
    job = make_job("engine.name=onnx", "training.max_epochs=1")
    finish(job)
    bundle = open_bundle(bot_folder("faq"))
    assert bundle.has("encoder.onnx", "step.onnx")
    assert load_bot(job.registry, "faq").responder.reply("train").bot == "faq"


def test_a_name_that_leaves_the_folder_is_refused(make_job: MakeJob) -> None:
    with pytest.raises(BundleError, match="cannot be the name of a bot"):
        make_job(name="../x")
