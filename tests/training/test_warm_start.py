"""A bot that learns on: from its own weights, with the corpus that it keeps."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from chatseq.bots.bundle import Bundle, bot_folder, open_bundle, write_bundle
from chatseq.bots.bundle.manifest import FOLDER, MANIFEST, WEIGHTS
from chatseq.bots.bundle.pairs import Pairs
from chatseq.bots.loader import load_bot
from chatseq.core.errors import BundleError, ChatseqError, RecipeError, TrainingError
from chatseq.core.events import FinishedReport, StepReport
from chatseq.core.exchange import Exchange
from chatseq.core.plugins import Registry
from chatseq.training.accepted import Accepted
from chatseq.training.answer_diff import MOST_ASKED, AnswerDiff, AnswerDiffReport, Change
from chatseq.training.dry_run import dry_run
from chatseq.training.initial_weights import build_initial_model, load_initial_weights
from chatseq.training.job import Job
from chatseq.training.run import train
from chatseq.training.step_plan import StepPlan
from chatseq.training.warm_start import (
    EPOCHS,
    FEWEST_STEPS,
    FEWEST_TIMES,
    MOST_TIMES,
    RATE_SHARE,
    SHARE,
    STEPS_SHARE,
    prepare_warm_start,
    times_an_epoch,
)

from .conftest import LEARNS, MakeJob, exchanges
from .test_accepted import correction, good
from .test_kill import ALWAYS, finish, weights

ASKED, OLD, NEW = "can you stop", "Press Ctrl-C; the bot is stored.", "My name is chatseq."
TAUGHT = (correction(ASKED, NEW, at=3),)
SHORT = ("training.min_steps=8", ALWAYS)


def learning(
    registry: Registry, *settings: str, taught: Sequence[Accepted] = TAUGHT, name: str = "faq"
) -> Job:
    return prepare_warm_start(registry, taught, name=name, settings=settings)


@pytest.fixture
def bundle(faq_bot: Path) -> Bundle:
    return open_bundle(faq_bot)


@pytest.mark.parametrize(
    ("rows", "accepted", "times"),
    [(40, 1, 4), (1000, 1, 10), (100_000, 1, 32), (1000, 500, 2), (12, 10, 1), (3, 10, 1)],
)
def test_each_accepted_exchange_is_a_small_share_of_an_epoch(
    rows: int, accepted: int, times: int
) -> None:
    assert times_an_epoch(rows, accepted) == times


def test_a_correction_is_learnt_and_the_rest_is_kept(registry: Registry, bundle: Bundle) -> None:
    before = load_bot(registry, "faq").responder.reply(ASKED)
    assert before.text == OLD, "else this test tells nothing"
    job = learning(registry, "training.min_steps=100")
    answer_diff = AnswerDiff(job)
    assert isinstance(list(answer_diff.watch(train(job)))[-1], FinishedReport)
    report = answer_diff.report()
    assert [(c.before, c.after, c.wanted) for c in report.corrections] == [(OLD, NEW, (NEW,))]
    assert report.asked == 39
    assert report.right_before >= 37
    assert report.right_after >= 37
    new = open_bundle(bot_folder("faq"))
    assert new.tokenizer_json() == bundle.tokenizer_json()
    kept = list(Pairs(new.data_folder))
    assert [e for e in kept if e.question == ASKED] == [Exchange(ASKED, NEW, source="history:3")]
    assert len(kept) == new.manifest.corpus.exchanges == 40
    assert new.manifest.corpus.sources == ("faq.csv", "history")
    assert "- history\n" in new.read_text("card.md")
    again = learning(registry, "training.min_steps=100")
    assert again.recipe == job.recipe, "else the rate would fall with each time"


def test_the_bot_keeps_the_recipe_that_it_was_made_by(registry: Registry, bundle: Bundle) -> None:
    made_by = bundle.recipe()
    finish(learning(registry, *SHORT, "decoding.max_length=30"))
    assert open_bundle(bot_folder("faq")).recipe() == made_by.apply(["decoding.max_length=30"])


@pytest.mark.usefixtures("faq_bot")
def test_a_short_and_slow_run_is_derived_from_the_recipe(registry: Registry) -> None:
    training = learning(registry).recipe.training
    assert training.learning_rate == pytest.approx(0.03 / 4)
    assert (training.max_epochs, training.min_steps, training.validations) == (2, 200, 1)
    assert (training.batch_tokens, training.word_dropout) == (80, 0.1)
    given = learning(registry, "training.max_epochs=5", " training.seed=3").recipe.training
    assert (given.max_epochs, given.seed, given.min_steps) == (5, 3, 200)


def test_the_fewest_steps_follow_those_of_the_recipe(registry: Registry, make_job: MakeJob) -> None:
    finish(make_job("training.min_steps=1500", "training.minutes=0.001", *LEARNS[-1:], name="b"))
    training = learning(registry, name="b").recipe.training
    assert (training.min_steps, training.minutes) == (300, 0.001)


@pytest.mark.usefixtures("faq_bot")
def test_the_run_begins_with_the_weights_of_the_bot(registry: Registry) -> None:
    job = learning(registry)
    model = build_initial_model(job)
    assert list(load_initial_weights(job, model)) == ["Begins with the weights of the bot 'faq'."]
    assert dry_run(job).losses[0] < 2 < dry_run(replace(job, warm_start=None)).losses[0]


@pytest.mark.usefixtures("faq_bot")
def test_the_same_questions_validate_but_for_those_that_were_accepted(
    registry: Registry, make_job: MakeJob
) -> None:
    first = make_job(*LEARNS)
    held_back = [e.question for e in first.validation.exchanges]
    assert len(held_back) == 4
    job = learning(registry, taught=[*TAUGHT, good(held_back[1], "something")])
    again = [e.question for e in job.validation.exchanges]
    assert again == [held_back[0], *held_back[2:]]
    assert job.corpus.held_back == 3
    learnt = {e.question for e in job.train.exchanges}
    assert learnt == {e.question for e in exchanges()} - set(again)


@pytest.mark.usefixtures("faq_bot")
def test_an_epoch_holds_what_was_accepted_several_times(registry: Registry) -> None:
    job = learning(registry)
    (row,) = job.oversampled
    assert job.train.exchanges[row].answer == NEW
    assert len(job.train) == 36
    assert job.oversampling == 4
    shown = job.epoch_examples
    assert [e.answer for e in shown.exchanges[36:]] == [NEW] * 3
    batches = StepPlan(job).of_epoch(0)
    assert sorted(int(at) for rows in batches for at in rows) == list(range(39))
    assert shown.batch([38]).answer_ids.equal(job.train.batch([row]).answer_ids)
    assert shown.batch([38]).question_ids.equal(job.train.batch([row]).question_ids)


def test_rows_may_be_picked_several_times_and_are_what_they_were(job: Job) -> None:
    picked = job.train.picked([3, 0, 3])
    assert [picked.exchanges[at] for at in (0, 2)] == [job.train.exchanges[3]] * 2
    assert picked.question_lengths.tolist() == job.train.question_lengths[[3, 0, 3]].tolist()
    assert np.array_equal(picked.batch([0, 1]).answer_ids, job.train.batch([3, 0]).answer_ids)
    assert len(job.train) == 36, "they are still there"


@pytest.mark.slow("trains a bot several times; test_run does so in the fast run")
@pytest.mark.usefixtures("faq_bot")
def test_a_killed_run_goes_on_bit_for_bit(registry: Registry, taught_faq: Path) -> None:
    shutil.copytree(taught_faq, bot_folder("whole"))
    finish(learning(registry, *SHORT, name="whole"))
    events = train(learning(registry, *SHORT))
    for event in events:
        if isinstance(event, StepReport) and event.step == 5:
            break
    events.close()  # type: ignore[attr-defined]
    finish(learning(registry, *SHORT), resume=True)
    assert weights("faq") == weights("whole") != (taught_faq / WEIGHTS).read_bytes()


@pytest.mark.slow("trains a bot several times; test_run does so in the fast run")
@pytest.mark.usefixtures("faq_bot")
def test_an_interrupted_run_goes_on_though_its_bot_has_changed(
    registry: Registry, taught_faq: Path
) -> None:
    shutil.copytree(taught_faq, bot_folder("whole"))
    finish(learning(registry, *SHORT, name="whole"))
    answer_diff = AnswerDiff(job := learning(registry, *SHORT))
    asked = iter([False] * 4 + [True] * 9)
    last = list(answer_diff.watch(train(job, stop=lambda: next(asked))))[-1]
    assert isinstance(last, FinishedReport)
    assert last.reason == "interrupted"
    assert weights("faq") not in (weights("whole"), (taught_faq / WEIGHTS).read_bytes())
    again = learning(registry, *SHORT)
    assert (again.compatibility_key(), again.train.exchanges) == (
        job.compatibility_key(),
        job.train.exchanges,
    )
    resumed = AnswerDiff(again, resume=True)
    list(resumed.watch(train(again, resume=True)))
    assert weights("faq") == weights("whole")
    assert resumed.report().corrections[0].before == OLD, "what the bot said before both runs"


@pytest.mark.parametrize(
    ("taught", "told"),
    [
        ([correction(ASKED, "another")], "begun with another corpus"),
        ([*TAUGHT, good("what of stop?", OLD)], "begun with another choice of corrections"),
    ],
)
@pytest.mark.usefixtures("faq_bot")
def test_a_run_on_other_feedback_cannot_be_resumed(
    registry: Registry, taught: list[Accepted], told: str
) -> None:
    finish(learning(registry, *SHORT))
    with pytest.raises(TrainingError, match=told):
        list(train(learning(registry, *SHORT, taught=taught), resume=True))


@pytest.mark.usefixtures("faq_bot")
def test_a_run_of_another_bot_of_that_name_cannot_be_resumed(registry: Registry) -> None:
    job = learning(registry, *SHORT)
    assert "tokenizer" in job.compatibility_key()
    finish(replace(job, warm_start=None))  # as if chance alone had begun it
    with pytest.raises(TrainingError, match="begun with another tokenizer"):
        list(train(job, resume=True))


def rewritten(bundle: Bundle, *without: str) -> None:
    """Store the bot again without some of its files."""
    copy = bundle.folder.with_name("copy")
    shutil.copytree(bundle.folder, copy)
    (copy / MANIFEST).unlink()

    def fill(place: Path) -> None:
        for file in copy.rglob("*"):
            target = place / file.relative_to(copy)
            if file.is_file() and target.name not in without:
                target.parent.mkdir(exist_ok=True)
                shutil.copy(file, target)

    write_bundle(bundle.folder, replace(bundle.manifest, files={}), fill)


def test_a_bot_without_its_corpus_is_told_to_be_trained_again(
    registry: Registry, bundle: Bundle
) -> None:
    rewritten(bundle, "pairs.jsonl", "pairs.npy")
    with pytest.raises(TrainingError) as fault:
        learning(registry)
    assert str(fault.value) == (
        "The bot 'faq' has no corpus to go on with, for an older chatseq trained it. Train it "
        "again on its file: chatseq train FILE --from-history --bot faq"
    )


def test_a_corpus_that_cannot_be_read_is_told(registry: Registry, bundle: Bundle) -> None:
    rewritten(bundle, "pairs.jsonl")
    with pytest.raises(TrainingError, match=rf"for the corpus in .*{FOLDER} cannot be read: "):
        learning(registry)


@pytest.mark.usefixtures("faq_bot")
def test_answers_that_are_all_too_long_are_told(registry: Registry) -> None:
    with pytest.raises(TrainingError) as fault:
        learning(registry, taught=[correction(ASKED, "qwertzuiop " * 40)])
    assert str(fault.value) == (
        "All accepted answers are longer than data.max_answer_tokens (64), which is fixed in the "
        "bot 'faq'. Train it anew: chatseq train FILE --from-history --bot faq "
        "--set data.max_answer_tokens=200"
    )


@pytest.mark.usefixtures("faq_bot")
def test_one_answer_that_is_too_long_is_counted(registry: Registry) -> None:
    job = learning(registry, taught=[*TAUGHT, correction("what of stop?", "qwertzuiop " * 40)])
    assert len(job.oversampled) == 1
    contradicted, too_long = job.remarks
    assert contradicted == (
        "2 exchanges were left out, since corrections say otherwise: faq.csv:1, faq.csv:1."
    )
    assert too_long.startswith("1 exchanges were left out, since their answers are longer than")


@pytest.mark.parametrize(
    ("setting", "error", "told"),
    [
        ("model.dropout=0.1", RecipeError, "'model.dropout' is fixed once a bot is trained"),
        ("data.max_answer_tokens=9", RecipeError, "is fixed once a bot is trained"),
        ("training.sed=1", RecipeError, "No setting named 'sed'"),
        ("training", RecipeError, "'training' is no setting"),
        ("decoding.strategy.name=greedi", ChatseqError, "Did you mean 'greedy'"),
    ],
)
@pytest.mark.usefixtures("faq_bot")
def test_settings_that_do_not_fit_are_told(
    registry: Registry, setting: str, error: type[ChatseqError], told: str
) -> None:
    with pytest.raises(error, match=told):
        learning(registry, setting)


def test_a_bot_that_does_not_exist_is_told(registry: Registry) -> None:
    with pytest.raises(BundleError, match="No bot named 'faq'"):
        learning(registry)


def test_a_bot_that_is_replaced_before_the_run_begins_is_told(
    registry: Registry, bundle: Bundle
) -> None:
    job = learning(registry)
    rewritten(bundle)
    with pytest.raises(TrainingError) as fault:
        list(train(job))
    assert str(fault.value) == (
        f"Cannot begin with the weights of the bot 'faq': the bot was replaced meanwhile. "
        f"{bundle.weights}. Start again, or train the bot on its file: chatseq train FILE"
    )


def test_weights_that_cannot_be_read_are_told(registry: Registry, bundle: Bundle) -> None:
    job = learning(registry)
    bundle.weights.write_bytes(b"x")
    with pytest.raises(TrainingError, match=r"Cannot begin with the weights of the bot 'faq': "):
        list(train(job))


def test_a_bot_that_held_nothing_back_validates_on_what_it_learns(
    registry: Registry, bundle: Bundle
) -> None:
    corpus = replace(bundle.manifest.corpus, held_back=0)
    rewritten(replace(bundle, manifest=replace(bundle.manifest, corpus=corpus)))
    job = learning(registry)
    assert job.validation is job.train
    assert len(job.train) == 40
    assert job.corpus.held_back == 0


def test_the_page_tells_the_numbers_of_the_code() -> None:
    page = Path(__file__).parents[2] / "docs" / "training.md"
    text = " ".join(page.read_text(encoding="utf-8").split())
    told = (
        f"as often as {SHARE:.0%} of an epoch has rows".replace("%", " %"),
        f"at least {FEWEST_TIMES} and at most {MOST_TIMES} times",
        f"`training.max_epochs` {EPOCHS}, a quarter of the recipe's `training.learning_rate`",
        f"a fifth of its `training.min_steps` and at least {FEWEST_STEPS}",
        f"up to {MOST_ASKED:,} others",
    )
    assert [words for words in told if words not in text] == []
    assert (RATE_SHARE, STEPS_SHARE) == (1 / 4, 1 / 5)
    value = AnswerDiffReport("faq", 1, 0, 0, (), (Change("q", "a", "b", ("c",)),)).value()
    names = [name for name in (*value, *value["corrections"][0]) if name != "bot"]
    assert [name for name in names if f"`{name}`" not in text] == []
