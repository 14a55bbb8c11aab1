"""A conversation in a program: it remembers, streams, takes back, and is kept on request."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import TAUGHT

from chatseq import Bot, ChatseqError
from chatseq.core.paths import history_file
from chatseq.core.plugins import Registry
from chatseq.history.contracts import Verdict
from chatseq.history.store import HistoryStore

QUESTION, ANSWER = next(iter(TAUGHT.items()))


@pytest.fixture
def bot(tiny_bot: Path, registry: Registry) -> Bot:
    return Bot.load("tiny", registry=registry)


def test_a_conversation_remembers_what_was_said_and_keeps_no_file(bot: Bot) -> None:
    with bot.chat() as chat:
        assert chat.id is None
        assert chat.ask(QUESTION).text == ANSWER
        assert "".join(chat.stream("bye")) == TAUGHT["bye"]
        assert [turn.text for turn in chat.turns] == [QUESTION, ANSWER, "bye", TAUGHT["bye"]]
        assert not chat.saved
        assert chat.take_notices() == []
    assert not history_file().exists()


def test_a_question_is_taken_back_or_answered_again(bot: Bot) -> None:
    chat = bot.chat()
    chat.ask(QUESTION)
    assert chat.retry().text == ANSWER
    assert chat.undo() == QUESTION
    assert chat.turns == ()
    with pytest.raises(ChatseqError, match="nothing to retry"):
        chat.retry()


def test_a_stream_that_is_closed_leaves_its_part_in_the_conversation(bot: Bot) -> None:
    chat = bot.chat()
    stream = chat.stream(QUESTION)
    first = next(stream)
    stream.close()
    assert (stream.reply.text, stream.reply.interrupted) == (first, True)
    assert [turn.text for turn in chat.turns] == [QUESTION, first]


def test_a_correction_in_memory_counts_in_this_conversation_alone(bot: Bot) -> None:
    chat, other = bot.chat(), bot.chat()
    chat.ask(QUESTION)
    chat.correct("Good day.")
    assert chat.ask(QUESTION).text == "Good day."
    assert other.ask(QUESTION).text == ANSWER
    assert not history_file().exists()


def test_corrections_stay_out_of_a_bot_that_wants_none(tiny_bot: Path, registry: Registry) -> None:
    chat = Bot.load("tiny", corrections=False, registry=registry).chat()
    chat.ask(QUESTION)
    chat.correct("Good day.")
    assert chat.ask(QUESTION).text == ANSWER


def test_a_saved_conversation_goes_on_in_another_program(bot: Bot) -> None:
    with bot.chat(saved=True) as chat:
        chat.ask(QUESTION)
        chat.judge(Verdict.GOOD)
        assert chat.saved
    with bot.chat(resume="last") as again:
        assert again.id == chat.id
        assert [turn.text for turn in again.turns] == [QUESTION, ANSWER]
    store = HistoryStore(history_file())
    assert [each.verdict for each in store.feedback(bot="tiny")] == [Verdict.GOOD]
    store.close()


def test_a_conversation_that_is_not_there_cannot_be_resumed(bot: Bot) -> None:
    with pytest.raises(ChatseqError) as caught:
        bot.chat(resume="zzzz")
    assert caught.value.kind == "conversation-not-found"
