"""What accepted feedback teaches, and how it joins a corpus."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chatseq.core.errors import TrainingError
from chatseq.core.exchange import Exchange, Reply, ReplySource
from chatseq.core.plugins import Registry
from chatseq.history.contracts import History, Review, Verdict
from chatseq.history.memory import MemoryHistory
from chatseq.text.normalise import question_key
from chatseq.training.accepted import (
    Accepted,
    accepted_feedback,
    join_accepted,
    rows_accepted,
)
from chatseq.training.job import prepare

from .conftest import exchanges, small_recipe


def judge(
    history: History,
    question: str,
    verdict: Verdict = Verdict.CORRECT,
    correction: str = "",
    *,
    reply: str = "what it said",
    source: ReplySource = ReplySource.GENERATED,
    status: Review = Review.ACCEPTED,
    after: int | None = None,
    bot: str = "faq",
) -> int:
    """Ask, judge the reply, decide about it, and return the number of the reply's message."""
    before = None if after is None else history.conversations()[0].id
    asked = history.add_question(question, conversation=before, parent=after, bot=bot)
    said = history.add_reply(asked.id, Reply(reply, source, 0.5, bot=bot))
    kept = history.add_feedback(said.id, verdict, correction)
    if status is not Review.NEW:
        history.review(kept.id, status)
    return said.id


def correction(question: str, answer: str, *context: str, at: int = 1) -> Accepted:
    return Accepted(Exchange(question, answer, context, source=f"history:{at}"), True)


def good(question: str, answer: str) -> Accepted:
    return Accepted(Exchange(question, answer, source="history:9"), False)


def test_corrections_and_good_replies_become_exchanges_newest_first() -> None:
    history = MemoryHistory()
    judge(history, "one", correction="first")
    judge(history, "two", Verdict.GOOD, reply="it is so")
    assert accepted_feedback(history, "faq") == [
        Accepted(Exchange("two", "it is so", source="history:2"), False),
        Accepted(Exchange("one", "first", source="history:1"), True),
    ]


def test_what_is_new_or_rejected_or_of_another_bot_teaches_nothing() -> None:
    history = MemoryHistory()
    judge(history, "yes", correction="taught")
    judge(history, "new", correction="x", status=Review.NEW)
    judge(history, "no", correction="x", status=Review.REJECTED)
    judge(history, "other", correction="x", bot="shop")
    judge(history, " ", correction="to a blank question")
    assert [taught.exchange.question for taught in accepted_feedback(history, "faq")] == ["yes"]


def test_a_good_refusal_teaches_to_decline() -> None:
    history = MemoryHistory()
    judge(history, "rain?", Verdict.GOOD, reply="I do not know.", source=ReplySource.DECLINED)
    (taught,) = accepted_feedback(history, "faq")
    assert taught.exchange.answer == ""


def test_the_earlier_turns_of_the_conversation_come_along() -> None:
    history = MemoryHistory()
    first = judge(history, "when are you open", Verdict.GOOD, reply="from nine")
    judge(history, "and on Sundays?", correction="closed", after=first)
    newest, _ = accepted_feedback(history, "faq")
    assert newest.exchange.context == ("when are you open", "from nine")


@pytest.mark.parametrize(
    ("waiting", "told"),
    [(0, "none waits for review"), (1, "1 waits for review"), (3, "3 wait for review")],
)
def test_where_nothing_is_accepted_the_error_counts_what_waits(waiting: int, told: str) -> None:
    history = MemoryHistory()
    judge(history, "bad", Verdict.BAD, status=Review.NEW)  # which can never be accepted
    for number in range(waiting):
        judge(history, f"q{number}", correction="x", status=Review.NEW)
    with pytest.raises(TrainingError) as fault:
        accepted_feedback(history, "faq")
    assert str(fault.value) == (
        f"No feedback about the bot 'faq' is accepted, and {told}. Look through what was said with "
        "/good and /correct, and accept it: chatseq history feedback list --bot faq"
    )


def test_a_correction_wins_over_the_corpus_and_that_is_told() -> None:
    old = [
        Exchange("When are you  OPEN", "from nine", source="faq.csv:2"),
        Exchange("who are you", "a bot", source="faq.csv:3"),
    ]
    joined = join_accepted(old, [], [correction("when are you open", "from ten")], 0)
    assert [(e.question, e.answer, e.source) for e in joined.train] == [
        ("who are you", "a bot", "faq.csv:3"),
        ("when are you open", "from ten", "history:1"),
    ]
    assert joined.remarks == (
        "1 exchange of the corpus was left out, since corrections say otherwise: faq.csv:2.",
    )


def test_of_many_contradictions_three_places_are_told() -> None:
    old = [Exchange("q", f"a{at}", source=f"\x1b{at}") for at in range(5)]
    (remark,) = join_accepted(old, [], [correction("q", "new")], 0).remarks
    assert remark == (
        "5 exchanges were left out, since corrections say otherwise: \ufffd0, \ufffd1, \ufffd2, …."
    )


def test_a_question_that_differs_by_a_mark_that_means_something_is_another_one() -> None:
    old = [Exchange("what is C", "a language"), Exchange("what is C#", "another language")]
    joined = join_accepted(old, [], [correction("what is c#", "a note")], 0)
    assert [e.answer for e in joined.train] == ["a language", "a note"]


def test_a_good_reply_stands_beside_other_answers() -> None:
    old = [Exchange("hi", "hello"), Exchange("hi", "hey")]
    joined = join_accepted(old, [], [good("hi", "good day")], 0)
    assert [e.answer for e in joined.train] == ["hello", "hey", "good day"]
    assert joined.remarks == ()


def test_what_the_corpus_says_already_keeps_its_place_and_source() -> None:
    old = [Exchange("hi", "hello ", source="faq.csv:2"), Exchange("bye", "so long")]
    for taught in (good("Hi", "hello"), correction("Hi", "hello")):
        assert join_accepted(old, [], [taught], 0).train == old


def test_all_spellings_of_an_accepted_question_are_learnt_and_none_validates() -> None:
    held_back = [Exchange("Hi!", "hello"), Exchange("bye", "so long"), Exchange("hi", "nonsense")]
    joined = join_accepted([], held_back, [correction("hi", "hello")], 0)
    assert joined.held_back == [held_back[1]]
    assert joined.train == [held_back[0], correction("hi", "hello").exchange]


def test_joining_again_changes_nothing() -> None:
    taught = [correction("a", "new"), good("b", "fine"), good("c", "as it was"), good("d", "")]
    train = [Exchange("A", "old"), Exchange("b", "known"), Exchange("e", "x")]
    held_back = [Exchange("c", "as it was"), Exchange("f", "y"), Exchange("a?", "old")]
    once = join_accepted(train, held_back, taught, 0)
    again = join_accepted(once.train, once.held_back, taught, 0)
    assert (again.train, again.held_back, again.remarks) == (once.train, once.held_back, ())


def test_of_one_question_the_newest_word_counts() -> None:
    taught = [good("Hi", "newest"), correction("hi", "older", at=2), correction("hi ", "oldest")]
    joined = join_accepted([Exchange("hi", "old")], [], taught, 0)
    assert [e.answer for e in joined.train] == ["old", "newest"]


def test_a_correction_after_other_turns_contradicts_only_what_follows_the_same_turns() -> None:
    taught = correction("why?", "because", "far", "it rains")
    rows = [
        Exchange("why?", "for fun", ("it snows",)),
        Exchange("why?", "so it is", ("another", "it rains")),
    ]
    with_turns = join_accepted(rows, [], [taught], 1)
    assert [(e.answer, e.context) for e in with_turns.train] == [
        ("for fun", ("it snows",)),
        ("because", ("it rains",)),
    ]
    without = join_accepted(rows, [], [taught], 0)
    assert [(e.answer, e.context) for e in without.train] == [("because", ())]


def test_what_was_accepted_is_found_among_exchanges_once_each() -> None:
    rows = [Exchange("hi", "x"), Exchange("HI", "y"), Exchange("hi", "y"), Exchange("bye", "z")]
    assert rows_accepted(rows, [correction("hi", "y"), good("bye", "other")], 0) == (1,)


@pytest.mark.parametrize("seed", range(3))
def test_training_on_files_learns_what_was_accepted_and_never_holds_it_back(
    registry: Registry, seed: int
) -> None:
    recipe = small_recipe(f"training.seed={seed}", "data.validation_share=0.5")
    taught = [correction(e.question.upper(), "new") for e in exchanges()[:8]]
    job = prepare(registry, exchanges(), recipe, name="faq", accepted=taught)
    learnt = {e.question: e.answer for e in job.train.exchanges}
    assert all(learnt[each.exchange.question] == "new" for each in taught)
    held_back = {question_key(e.question) for e in job.validation.exchanges}
    assert held_back
    assert not held_back & {question_key(e.question) for e in job.train.exchanges}
    assert "8 exchanges were left out, since corrections say otherwise" in job.remarks[0]
    assert job.corpus.sources == ("faq.csv", "history")
    assert job.corpus.held_back == len(job.validation)


def test_without_held_back_questions_none_counts_as_held_back(registry: Registry) -> None:
    rows = [replace(e, answer="") for e in exchanges()[:8]]
    job = prepare(registry, rows, small_recipe(), name="faq", accepted=[correction("q", "a")])
    assert job.validation is job.train
    assert (job.corpus.held_back, job.corpus.exchanges) == (0, 9)
