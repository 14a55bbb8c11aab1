"""What a user thinks of a reply: which reply is meant, and what happens without a history."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatseq.chat.chat import Chat
from chatseq.core.errors import ChatseqError, HistoryError
from chatseq.history.contracts import Feedback, History, Verdict
from chatseq.history.memory import MemoryHistory
from chatseq.history.store import HistoryStore
from chatseq.testing import ScriptedResponder


def chat_with(history: History, *questions: str) -> Chat:
    chat = Chat(ScriptedResponder({"break": [RuntimeError("broken")]}), lambda: history, bot="faq")
    for question in questions:
        list(chat.stream(question))
    return chat


def test_the_last_reply_is_judged() -> None:
    history = MemoryHistory()
    chat = chat_with(history, "one", "two")
    said = chat.judge(Verdict.CORRECT, "three")
    assert (said.question, said.reply, said.correction) == ("two", "two", "three")
    assert (said.message, said.bot) == (chat.turns[-1].id, "faq")
    assert history.feedback() == (said,)


def test_after_undo_the_reply_before_is_the_last_one() -> None:
    chat = chat_with(MemoryHistory(), "one", "two")
    chat.undo()
    assert chat.judge(Verdict.GOOD).question == "one"


def test_after_retry_the_new_reply_is_judged_and_the_first_keeps_its_verdict() -> None:
    history = MemoryHistory()
    chat = chat_with(history, "one")
    first = chat.judge(Verdict.BAD)
    list(chat.retry())
    second = chat.judge(Verdict.GOOD)
    assert second.message != first.message
    assert history.feedback() == (second, first)


def test_a_reply_of_a_resumed_conversation_can_be_judged() -> None:
    history = MemoryHistory()
    chat_with(history, "one")
    chat = chat_with(history)
    chat.resume("last")
    assert chat.judge(Verdict.GOOD).question == "one"


def test_without_a_reply_there_is_nothing_to_judge() -> None:
    message = r"^There is no reply to judge. Ask a question first.$"
    chat = chat_with(MemoryHistory())
    with pytest.raises(ChatseqError, match=message):
        chat.judge(Verdict.GOOD)
    list(chat.stream("one"))
    with pytest.raises(RuntimeError):
        list(chat.stream("break"))
    with pytest.raises(ChatseqError, match=message):  # rather than judging the reply before it
        chat.judge(Verdict.GOOD)


class Refusing(HistoryStore):
    """A history that can keep messages, but no feedback."""

    def add_feedback(self, reply: int, verdict: Verdict, correction: str = "") -> Feedback:
        raise HistoryError("The disk is full.")


def test_a_history_that_fails_is_told_and_the_verdict_is_kept_for_this_chat(
    tmp_path: Path,
) -> None:
    store = Refusing(tmp_path / "history.db")
    chat = chat_with(store, "one", "two")
    assert (chat.saved, chat.unsaved) == (True, None)
    said = chat.judge(Verdict.CORRECT, "right")
    assert chat.take_notices() == ["The disk is full. This chat goes on unsaved."]
    assert chat.unsaved is not None
    assert chat.unsaved.feedback(bot="faq") == (said,)
    assert (said.question, said.reply) == ("two", "two")
    chat.new()
    assert chat.unsaved is None
    store.close()


def test_a_chat_in_memory_is_its_own_unsaved_history() -> None:
    history = MemoryHistory()
    assert chat_with(history).unsaved is history
