"""Text filters: a bot reads what it is asked as training read it, and keeps nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatseq.bots.bot import Bot
from chatseq.bots.bundle.pairs import Pairs
from chatseq.bots.filtering import FilteredCorrections
from chatseq.bots.loader import load_bot
from chatseq.bots.responder import Correction
from chatseq.core.errors import ErrorKind, RecipeError, TrainingError
from chatseq.core.exchange import Exchange
from chatseq.core.plugins import Registry
from chatseq.evaluation.perplexity import pair_of
from chatseq.evaluation.report import evaluate
from chatseq.hookspecs import hookimpl
from chatseq.testing import babbling_bot, builtin_registry
from chatseq.text.filters import TextFilters
from chatseq.training.accepted import Accepted
from chatseq.training.job import Job, prepare
from chatseq.training.run import train
from chatseq.training.warm_start import prepare_warm_start

from .conftest import exchanges, small_recipe

FILTERS = 'question.filters=[{name="normalise"},{name="scrub"}]'
ADDRESS = "jo@example.com"
ROWS = [
    Exchange(f"my mail  is {ADDRESS}", "We wrote.", (f"I am {ADDRESS}", "Hi, jo"), (), "faq.csv:2"),
    Exchange("“who” are you", "I am  a bot.", (), (), "faq.csv:3"),
    Exchange("call 030 1234 5678", "Mail info@example.com", (), (), "faq.csv:4"),
]  # fmt: skip
READ = ["my mail is <email>", '"who" are you', "call <phone>"]


def job_of(registry: Registry, rows: list[Exchange], *settings: str, name: str = "faq") -> Job:
    return prepare(registry, rows, small_recipe(FILTERS, *settings), name=name)


def test_training_learns_questions_and_turns_as_the_filters_leave_them(registry: Registry) -> None:
    job = job_of(registry, ROWS, "question.context_turns=2")
    assert [each.question for each in job.train.exchanges] == READ
    assert job.train.exchanges[0].context == ("I am <email>", "Hi, jo")
    assert [each.answer for each in job.train.exchanges] == [each.answer for each in ROWS]


def test_without_filters_nothing_is_changed(registry: Registry) -> None:
    job = prepare(registry, ROWS, small_recipe(), name="faq")
    assert [each.question for each in job.train.exchanges] == [each.question for each in ROWS]


def test_a_question_of_which_nothing_is_left_is_not_learnt_and_told() -> None:
    class Mute:
        """Leave nothing of what begins with a hash."""

        def __call__(self, text: str) -> str:
            return "" if text.startswith("#") else text

    class Plugin:
        @hookimpl
        def chatseq_text_filters(self) -> dict[str, object]:
            return {"mute": Mute}

    registry = builtin_registry(Plugin())
    recipe = small_recipe('question.filters=[{name="mute"}]')
    job = prepare(registry, [*ROWS, Exchange("# no", "yes")], recipe, name="faq")
    assert len(job.train.exchanges) == 3
    assert (
        "1 exchanges were left out, since question.filters leave nothing of the question."
        in job.remarks
    )
    with pytest.raises(TrainingError, match="leave nothing of any question") as caught:
        prepare(registry, [Exchange("#", "yes")], recipe, name="faq")
    assert caught.value.kind is ErrorKind.NOTHING_TO_LEARN


@pytest.fixture(scope="module")
def bot(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Bot:
    """A bot with filters, trained for a moment on what needs them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHATSEQ_HOME", str(tmp_path_factory.mktemp("filtered")))
        rows = [*ROWS, *exchanges()]
        settings = ("question.context_turns=2", "training.max_epochs=1", "training.validations=1")
        for _ in train(job_of(registry, rows, *settings)):
            pass
        return load_bot(registry, "faq", corrections=lambda _: CORRECTIONS)


CORRECTIONS = (Correction(f"what  is {ADDRESS}", "An address."),)


def test_a_bot_reads_what_it_is_asked_as_training_read_it(registry: Registry, bot: Bot) -> None:
    """The ids of every row are the same, whoever turns it into ids."""
    job = job_of(registry, [*ROWS, *exchanges()], "question.context_turns=2")
    raw = {each.source: each for each in [*ROWS, *exchanges()]}
    for row, learnt in enumerate(job.train.exchanges):
        asked = raw[learnt.source] if learnt.source in {r.source for r in ROWS} else learnt
        question, turns = bot.filters(asked.question), bot.filters.turns(asked.context)
        ids = tuple(job.train.batch([row]).question_ids[0].tolist())
        assert bot.reader.read(question, turns).ids == ids
        assert pair_of(bot.reader, question, asked.answer, turns).question.ids == ids


def test_no_secret_of_a_question_lands_in_the_bundle(bot: Bot) -> None:
    assert bot.folder is not None
    kept = [each for each in Pairs(bot.folder) if each.source.startswith("faq.csv")]
    assert {each.question for each in kept} >= set(READ)
    for file in sorted(bot.folder.parent.rglob("*")):
        assert not file.is_file() or ADDRESS.encode() not in file.read_bytes(), file


def test_however_it_is_asked_the_reply_is_that_to_the_filtered_question(bot: Bot) -> None:
    for each in ROWS:
        wanted = bot.responder.inner.reply(  # type: ignore[attr-defined]
            bot.filters(each.question), bot.filters.turns(each.context)
        )
        *_, streamed = bot.responder.stream(each.question, each.context)
        (at_once,) = bot.responder.reply_all([each.question], [each.context])
        for reply in (bot.responder.reply(each.question, each.context), streamed, at_once):
            assert not isinstance(reply, str)
            assert (reply.text, reply.confidence) == (wanted.text, pytest.approx(wanted.confidence))


def test_a_correction_is_found_by_what_its_question_is_read_as(bot: Bot) -> None:
    reply = bot.responder.reply("what is someone.else@example.org")
    assert (reply.text, reply.source) == ("An address.", "corrected")
    assert bot.corrections() is bot.corrections(), "else they are indexed for every question"


def test_an_evaluation_knows_what_was_in_training_and_reads_it_alike(
    registry: Registry, bot: Bot
) -> None:
    typed = evaluate(bot, ROWS, registry)
    read = evaluate(bot, [bot.filters.exchange(each) for each in ROWS], registry)
    assert typed.seen_exact_match is not None
    assert typed.unseen_exact_match is None, "rows of the training corpus are taken for others"
    assert typed.perplexity_teacher_forced == pytest.approx(read.perplexity_teacher_forced)
    assert typed.exact_match == read.exact_match


def test_filters_are_fixed_once_a_bot_is_trained(bot: Bot) -> None:
    with pytest.raises(RecipeError, match=r"'question.filters' is fixed once a bot is trained"):
        bot.with_overrides(["question.filters=[]"])


def test_a_bot_with_other_settings_keeps_its_filters(bot: Bot) -> None:
    other = bot.with_overrides(["responder.name=seq2seq"])
    assert other.filters(f"to {ADDRESS}") == "to <email>"


def test_what_is_learnt_on_top_is_filtered_too(registry: Registry, faq_bot: Path) -> None:
    """The corpus in the bundle is filtered already; what was accepted in a chat is not."""
    recipe = faq_bot / "recipe.toml"
    assert recipe.is_file()
    taught = Accepted(Exchange(f"mail {ADDRESS}  now", "Sent.", (), (), "history:1"), corrects=True)
    plain = prepare_warm_start(registry, [taught], name="faq")
    assert plain.train.exchanges[-1].question == f"mail {ADDRESS}  now"
    rows = [*ROWS, *exchanges()]
    settings = ("training.max_epochs=1", "training.validations=1", "responder.name=seq2seq")
    for _ in train(job_of(registry, rows, *settings, name="scrubbed")):
        pass
    job = prepare_warm_start(registry, [taught], name="scrubbed")
    assert job.train.exchanges[-1].question == "mail <email> now"
    assert job.oversampled == (len(job.train) - 1,)
    whole = prepare(registry, rows, small_recipe(FILTERS), name="faq", accepted=[taught])
    assert "mail <email> now" in {each.question for each in whole.train.exchanges}


def test_corrections_that_have_not_changed_are_the_same_tuple() -> None:
    given: list[tuple[Correction, ...]] = [CORRECTIONS]
    corrections = FilteredCorrections(lambda: given[0], TextFilters([str.upper]))
    first = corrections()
    assert first == (Correction(f"WHAT  IS {ADDRESS.upper()}", "An address."),)
    assert corrections() is first
    given[0] = (*CORRECTIONS, Correction("b", "c"))
    assert [each.question for each in corrections()] == [f"WHAT  IS {ADDRESS.upper()}", "B"]


def test_a_bot_without_filters_has_nothing_in_front_of_its_responder() -> None:
    bot = babbling_bot()
    assert not bot.filters
    assert type(bot.responder).__name__ == "ScriptedResponder"
