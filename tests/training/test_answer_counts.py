"""The answers that a bot will know, counted and used while it is still being trained."""

from __future__ import annotations

import pytest

from chatseq.bots.bundle import bot_folder, open_bundle
from chatseq.core.exchange import Exchange
from chatseq.engines.torch_engine import TorchEngine
from chatseq.model.build import build_model
from chatseq.training.answer_counts import counted_answers, known_answers
from chatseq.training.finalize import final_figures, finish
from chatseq.training.validation import Validator

from .conftest import ANSWERS, MakeJob, exchanges

KNOWN = ("decoding.strategy.name=known-answers", "decoding.max_length=30", "engine.name=torch")


def test_the_whole_corpus_is_counted_but_what_was_left_out(make_job: MakeJob) -> None:
    rows = [*exchanges(), Exchange("an endless one", "word " * 200, source="x.csv:1")]
    job = make_job(rows=rows)
    counted = counted_answers(job)
    assert set(counted) == set(ANSWERS.values())
    assert counted.total() == len(job.train.exchanges) + len(job.validation.exchanges)
    assert counted.total() == len(rows) - 1


def test_a_validation_says_only_known_answers(make_job: MakeJob) -> None:
    job = make_job(*KNOWN)
    model = build_model(job.registry, job.recipe, job.tokenizer.size)
    judged = Validator(job, model).validate()
    assert {sample.reply for sample in judged.samples} <= set(ANSWERS.values())
    assert judged.samples
    assert final_figures(job, TorchEngine(model))


def test_a_validation_leaves_stop_strings_out(make_job: MakeJob) -> None:
    stop = 'decoding.adjusters=[{name="stop-strings", strings=["e", "你", "。"]}]'
    job = make_job(*KNOWN, stop)
    judged = Validator(job, build_model(job.registry, job.recipe, job.tokenizer.size)).validate()
    assert not any(mark in sample.reply for sample in judged.samples for mark in "e你。")


@pytest.mark.usefixtures("home")
def test_a_stored_bot_holds_them_the_most_frequent_first(make_job: MakeJob) -> None:
    extra = [Exchange(f"one more {at}", ANSWERS["name"]) for at in range(9)]
    job = make_job(*KNOWN, rows=[*exchanges(), *extra])
    model = build_model(job.registry, job.recipe, job.tokenizer.size)
    finish(job, model)
    bundle = open_bundle(bot_folder(job.name))
    stored = bundle.answers()
    assert stored[0].text == ANSWERS["name"]
    assert dict(stored) == dict(counted_answers(job))
    assert known_answers(job).counted == tuple(stored)
