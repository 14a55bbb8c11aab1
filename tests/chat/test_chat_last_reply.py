"""The reply that stands last: kept whole, forgotten in time, changed by a choice."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from chatseq.chat.chat import Chat
from chatseq.core.errors import HistoryError
from chatseq.core.exchange import Alternative, Piece, Reply, ReplySource
from chatseq.history.contracts import History, Message
from chatseq.history.memory import MemoryHistory
from chatseq.history.store import HistoryStore
from chatseq.testing import ScriptedResponder

POOL = Alternative("Seven to ten.", 0.3, "opening hours of the pool")
UNSURE = Reply(
    "Nine to six.",
    ReplySource.GENERATED,
    0.4,
    alternatives=(POOL, Alternative("Never.", 0.1)),
    unsure=True,
    pieces=(Piece("Nine", -0.1, (1.0,)),),
)


class Unsure(ScriptedResponder):
    """Says what it is told to, and is sure of nothing."""

    def stream(self, question: str, context: Sequence[str] = ()) -> object:  # type: ignore[override]
        self.contexts.append(tuple(context))
        return iter([UNSURE])


def unsure_chat(history: History) -> Chat:
    return Chat(Unsure(), lambda: history, bot="hours")


def test_the_last_reply_is_kept_with_all_that_the_history_does_not_keep() -> None:
    chat = unsure_chat(MemoryHistory())
    assert chat.last_reply is None
    list(chat.stream("when"))
    assert chat.last_reply is not None
    assert chat.last_reply.pieces == UNSURE.pieces
    assert chat.last_reply.bot == "hours"


def test_there_is_none_while_the_next_one_is_on_its_way() -> None:
    chat = Chat(ScriptedResponder(), MemoryHistory)
    list(chat.stream("one"))
    parts = chat.stream("two words")
    next(parts)
    assert chat.last_reply is None
    parts.close()
    assert chat.last_reply is not None
    assert (chat.last_reply.text, chat.last_reply.interrupted) == ("two ", True)


@pytest.mark.parametrize("act", ["undo", "new", "resume", "retry", "fail"])
def test_there_is_none_where_another_or_no_reply_stands_last(act: str) -> None:
    chat = Chat(ScriptedResponder({"broken": [RuntimeError("broken")]}), MemoryHistory)
    list(chat.stream("one"))
    if act == "fail":
        with pytest.raises(RuntimeError):
            list(chat.stream("broken"))
    elif act == "resume":
        chat.resume("last")
    else:
        getattr(chat, act)()
    assert chat.last_reply is None


def test_a_retried_reply_takes_the_place_of_the_first() -> None:
    chat = unsure_chat(MemoryHistory())
    list(chat.stream("when"))
    first = chat.last_reply
    list(chat.retry())
    assert chat.last_reply == first
    assert chat.last_reply is not first


@pytest.mark.parametrize("kept", [True, False])
def test_a_choice_is_stored_beside_the_first_reply(tmp_path: Path, kept: bool) -> None:
    history: History = HistoryStore(tmp_path / "history.db") if kept else MemoryHistory()
    chat = unsure_chat(history)
    list(chat.stream("when"))
    reply = chat.choose(1)
    assert (reply.text, reply.source, reply.unsure) == (POOL.text, ReplySource.RETRIEVED, False)
    assert chat.last_reply == reply
    asked, first, chosen = history.messages(chat.conversation or "")
    assert [first.parent, chosen.parent] == [asked.id, asked.id]
    assert [first.text, chosen.text] == ["Nine to six.", "Seven to ten."]
    assert [first.source, chosen.source] == ["generated", "retrieved"]
    assert [turn.text for turn in chat.turns] == ["when", "Seven to ten."]
    assert history.find("last").head == chosen.id
    history.close()


def test_what_was_chosen_is_what_the_next_question_follows() -> None:
    chat = unsure_chat(MemoryHistory())
    list(chat.stream("when"))
    chat.choose(2)
    list(chat.stream("and on Sundays?"))
    assert chat.responder.contexts[-1] == ("when", "Never.")  # type: ignore[attr-defined]


def test_an_undone_choice_takes_back_its_question() -> None:
    chat = unsure_chat(MemoryHistory())
    list(chat.stream("when"))
    chat.choose(1)
    assert chat.undo() == "when"
    assert chat.turns == ()


def test_without_a_reply_there_is_nothing_to_choose() -> None:
    with pytest.raises(ValueError, match="there is no reply to choose something else than"):
        unsure_chat(MemoryHistory()).choose(1)


class Full(MemoryHistory):
    """A history whose disk is full after the first reply."""

    replies = 0

    def add_reply(self, question: int, reply: Reply) -> Message:
        self.replies += 1
        if self.replies > 1:
            raise HistoryError("The history cannot be written: disk full. /h.db. Make room.")
        return super().add_reply(question, reply)


def test_a_choice_is_made_also_where_it_cannot_be_saved() -> None:
    chat = unsure_chat(Full())
    list(chat.stream("when"))
    assert chat.choose(1).text == POOL.text
    assert [turn.text for turn in chat.turns] == ["when", "Seven to ten."]
    assert chat.take_notices()[0].endswith("This chat goes on unsaved.")
