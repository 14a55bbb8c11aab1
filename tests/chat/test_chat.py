"""One conversation: what is stored when, retry, undo, resume, and a history that fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from chatseq.chat.chat import Chat
from chatseq.core.errors import ChatseqError, HistoryError
from chatseq.core.exchange import MOST_CONTEXT_TURNS, Reply
from chatseq.history.contracts import History, Message, Status
from chatseq.history.memory import MemoryHistory
from chatseq.testing import ScriptedResponder


def chat_with(
    history: History, answers: dict[str, list[str | BaseException]] | None = None
) -> Chat:
    return Chat(ScriptedResponder(answers), lambda: history, bot="faq")


def texts(chat: Chat) -> list[str]:
    return [turn.text for turn in chat.turns]


def stored(history: History, which: str = "last") -> list[tuple[str, str]]:
    kept = history.messages(history.find(which).id)
    return [(message.text, message.status.value) for message in kept]


def test_the_reply_comes_in_pieces_and_last_as_a_whole() -> None:
    *pieces, reply = chat_with(MemoryHistory()).stream("hello big world")
    assert pieces == ["hello ", "big ", "world"]
    assert isinstance(reply, Reply)
    assert reply.text == "hello big world"


def test_the_question_is_stored_before_the_reply_begins() -> None:
    history = MemoryHistory()
    parts = chat_with(history).stream("hello world")
    assert next(parts) == "hello "
    assert stored(history) == [("hello world", "pending")]


def test_the_reply_is_stored_before_it_is_yielded_as_finished() -> None:
    history = MemoryHistory()
    for part in chat_with(history).stream("hello"):
        if isinstance(part, Reply):
            assert stored(history) == [("hello", "complete"), ("hello", "complete")]


def test_turns_follow_each_other_in_one_conversation() -> None:
    history = MemoryHistory()
    chat = chat_with(history)
    list(chat.stream("one"))
    list(chat.stream("two"))
    assert texts(chat) == ["one", "one", "two", "two"]
    assert [turn.parent for turn in chat.turns] == [None, *[turn.id for turn in chat.turns[:-1]]]
    assert {turn.conversation for turn in chat.turns} == {chat.conversation}
    assert {turn.bot for turn in chat.turns} == {"faq"}


def test_the_responder_gets_the_earlier_turns_oldest_first() -> None:
    responder = ScriptedResponder({"one": ["1"], "two": ["2"]})
    chat = Chat(responder, MemoryHistory)
    for question in ("one", "two", "three"):
        list(chat.stream(question))
    assert responder.contexts == [(), ("one", "1"), ("one", "1", "two", "2")]


def test_the_context_is_no_longer_than_promised() -> None:
    responder = ScriptedResponder()
    chat = Chat(responder, MemoryHistory)
    for number in range(MOST_CONTEXT_TURNS):
        list(chat.stream(str(number)))
    assert len(responder.contexts[-1]) == MOST_CONTEXT_TURNS
    assert responder.contexts[-1][-1] == str(MOST_CONTEXT_TURNS - 2)


def test_closing_keeps_the_part_marked_interrupted() -> None:
    history = MemoryHistory()
    chat = chat_with(history)
    parts = chat.stream("hello big world")
    assert [next(parts), next(parts)] == ["hello ", "big "]
    parts.close()
    assert stored(history)[1] == ("hello big ", "interrupted")
    assert chat.turns[-1].status is Status.INTERRUPTED


def test_an_interrupt_before_the_first_piece_keeps_an_empty_part() -> None:
    history = MemoryHistory()
    chat = chat_with(history, {"hello": [KeyboardInterrupt()]})
    with pytest.raises(KeyboardInterrupt):
        list(chat.stream("hello"))
    assert stored(history) == [("hello", "complete"), ("", "interrupted")]


def test_ctrl_c_within_a_reply_keeps_the_part_and_the_chat_goes_on() -> None:
    history = MemoryHistory()
    chat = chat_with(history, {"hello": ["hel", KeyboardInterrupt(), "lo"]})
    with pytest.raises(KeyboardInterrupt):
        list(chat.stream("hello"))
    list(chat.stream("again"))
    assert stored(history)[1:3] == [("hel", "interrupted"), ("again", "complete")]
    assert chat.responder.contexts[-1] == ("hello", "hel")  # type: ignore[attr-defined]


def test_closing_after_the_end_stores_nothing_more() -> None:
    history = MemoryHistory()
    parts = chat_with(history).stream("hello")
    while not isinstance(next(parts), Reply):
        pass
    parts.close()
    assert stored(history) == [("hello", "complete"), ("hello", "complete")]


def test_a_question_whose_reply_fails_is_marked_failed() -> None:
    history = MemoryHistory()
    chat = chat_with(history, {"hello": [RuntimeError("broken engine")]})
    with pytest.raises(RuntimeError, match="broken engine"):
        list(chat.stream("hello"))
    assert stored(history) == [("hello", "failed")]


def test_a_reply_that_fails_midway_keeps_what_was_shown() -> None:
    history = MemoryHistory()
    chat = chat_with(history, {"hello": ["hel", RuntimeError("broken engine")]})
    with pytest.raises(RuntimeError, match="broken engine"):
        list(chat.stream("hello"))
    assert stored(history)[1] == ("hel", "interrupted")


def test_a_responder_that_ends_without_a_reply_is_told_of() -> None:
    class Silent(ScriptedResponder):
        def stream(self, question: str, context: object = ()) -> object:  # type: ignore[override]
            parts = super().stream(question)
            parts.close()
            return parts

    history = MemoryHistory()
    chat = Chat(Silent(), lambda: history, bot="faq")
    with pytest.raises(ChatseqError, match="The bot 'faq' ended without a reply. Tell the author"):
        list(chat.stream("hello"))
    assert stored(history) == [("hello", "failed")]


def test_retry_stores_another_reply_to_the_same_question() -> None:
    history = MemoryHistory()
    chat = chat_with(history)
    list(chat.stream("hello"))
    first = chat.turns[-1]
    *_, reply = chat.retry()
    assert isinstance(reply, Reply)
    assert [turn.parent for turn in chat.turns] == [None, chat.turns[0].id]
    assert chat.turns[-1].id != first.id
    assert [m.parent for m in history.messages(first.conversation)][1:] == [first.parent] * 2
    assert history.find("last").head == chat.turns[-1].id


def test_retry_sees_the_same_context_as_the_first_try() -> None:
    responder = ScriptedResponder()
    chat = Chat(responder, MemoryHistory)
    list(chat.stream("one"))
    list(chat.stream("two"))
    list(chat.retry())
    assert responder.contexts[1] == responder.contexts[2] == ("one", "one")


def test_an_interrupted_reply_can_be_tried_again() -> None:
    chat = chat_with(MemoryHistory())
    parts = chat.stream("hello world")
    next(parts)
    parts.close()
    list(chat.retry())
    assert texts(chat) == ["hello world", "hello world"]


def test_undo_takes_back_the_last_question_and_its_reply() -> None:
    history = MemoryHistory()
    chat = chat_with(history)
    list(chat.stream("one"))
    list(chat.stream("two"))
    assert chat.undo() == "two"
    assert texts(chat) == ["one", "one"]
    assert history.find("last").head == chat.turns[-1].id
    assert len(stored(history)) == 4  # nothing is lost: it is another branch now
    list(chat.stream("three"))
    assert texts(chat) == ["one", "one", "three", "three"]


def test_everything_can_be_undone_and_the_conversation_goes_on() -> None:
    history = MemoryHistory()
    chat = chat_with(history)
    list(chat.stream("one"))
    chat.undo()
    assert chat.turns == ()
    list(chat.stream("two"))
    assert chat.turns[0].parent is None
    assert len(history.conversations()) == 1


@pytest.mark.parametrize("act", ["retry", "undo"])
def test_without_a_question_there_is_nothing_to_take_back(act: str) -> None:
    chat = chat_with(MemoryHistory())
    with pytest.raises(ChatseqError, match=f"There is nothing to {act} yet. Ask a question first."):
        getattr(chat, act)()


def test_new_begins_another_conversation_with_its_first_question() -> None:
    history = MemoryHistory()
    chat = chat_with(history)
    list(chat.stream("one"))
    chat.new()
    assert (chat.conversation, chat.turns) == (None, ())
    assert len(history.conversations()) == 1  # an empty one is not stored
    list(chat.stream("two"))
    assert [c.title for c in history.conversations()] == ["two", "one"]


def test_resume_goes_on_where_a_conversation_stood() -> None:
    history = MemoryHistory()
    earlier = chat_with(history)
    for question in ("one", "two", "three"):
        list(earlier.stream(question))
    earlier.undo()
    later = chat_with(history)
    assert later.resume("last").id == earlier.conversation
    assert later.turns == earlier.turns
    list(later.stream("four"))
    assert texts(later) == ["one", "one", "two", "two", "four", "four"]
    assert later.responder.contexts == [("one", "one", "two", "two")]  # type: ignore[attr-defined]


def test_resuming_what_is_not_there_leaves_the_chat_as_it_was() -> None:
    chat = chat_with(MemoryHistory())
    list(chat.stream("one"))
    with pytest.raises(HistoryError, match="No conversation 'zzz'"):
        chat.resume("zzz")
    assert texts(chat) == ["one", "one"]
    assert chat.take_notices() == []


def test_an_unanswered_question_can_be_answered_after_resuming() -> None:
    history = MemoryHistory()
    history.add_question("What?", conversation=None, parent=None)
    chat = chat_with(history)
    chat.resume("last")
    list(chat.retry())
    assert stored(history) == [("What?", "complete"), ("What?", "complete")]


def test_the_history_is_opened_once_and_not_before_it_is_needed() -> None:
    opened: list[MemoryHistory] = []

    def opening() -> History:
        opened.append(MemoryHistory(notices=("The history was damaged.",)))
        return opened[-1]

    chat = Chat(ScriptedResponder(), opening)
    assert opened == []
    list(chat.stream("one"))
    list(chat.stream("two"))
    assert len(opened) == 1
    assert chat.take_notices() == ["The history was damaged."]
    assert chat.take_notices() == []


class Failing(MemoryHistory):
    """A history that fails from some call of some method on, as on a full disk."""

    saved = True

    def __init__(self, method: str, after: int) -> None:
        super().__init__()
        self.method, self.left, self.whole = method, after, False

    def _tick(self, method: str) -> None:
        if method == self.method and not self.whole:
            self.left -= 1
            if self.left < 0:
                raise HistoryError("The history cannot be written: disk full. /h.db. Make room.")

    def add_question(self, *args: object, **keys: object) -> Message:  # type: ignore[override]
        self._tick("add_question")
        return super().add_question(*args, **keys)  # type: ignore[arg-type]

    def add_reply(self, question: int, reply: Reply) -> Message:
        self._tick("add_reply")
        return super().add_reply(question, reply)

    def move_head(self, conversation: str, message: int | None) -> None:
        self._tick("move_head")
        super().move_head(conversation, message)

    def mark_failed(self, question: int) -> None:
        self._tick("mark_failed")
        super().mark_failed(question)


@pytest.mark.parametrize("method", ["add_question", "add_reply", "move_head", "mark_failed"])
@pytest.mark.parametrize("after", [0, 1, 2])
def test_the_chat_goes_on_unsaved_when_the_history_fails(method: str, after: int) -> None:
    chat = chat_with(Failing(method, after), {"broken": [RuntimeError("broken engine")]})
    for number in range(3):
        list(chat.stream(f"question {number}"))
        with pytest.raises(RuntimeError):
            list(chat.stream("broken"))
        assert chat.undo() == "broken"
        list(chat.retry())
    assert texts(chat) == [text for n in range(3) for text in [f"question {n}"] * 2]
    assert chat.take_notices() == [
        "The history cannot be written: disk full. /h.db. Make room. This chat goes on unsaved."
    ]


def test_a_new_conversation_is_saved_again_once_the_history_is_whole() -> None:
    history = Failing("add_question", 1)
    chat = chat_with(history)
    list(chat.stream("one"))
    list(chat.stream("lost"))
    assert not chat.saved
    history.whole = True
    list(chat.stream("lost as well"))
    chat.new()
    list(chat.stream("two"))
    assert chat.saved
    assert [c.title for c in history.conversations()] == ["two", "one"]
    assert len(chat.take_notices()) == 1


def test_a_deleted_conversation_goes_on_unsaved() -> None:
    history = MemoryHistory()
    chat = chat_with(history)
    list(chat.stream("one"))
    history.delete(chat.conversation or "")
    list(chat.stream("two"))
    assert texts(chat) == ["one", "one", "two", "two"]
    (notice,) = chat.take_notices()
    assert notice.startswith("No conversation '")
    assert notice.endswith("This chat goes on unsaved.")


@pytest.mark.parametrize("make", [lambda _: MemoryHistory(), None])
def test_a_whole_chat_reads_the_same_from_every_history(
    tmp_path: Path, make: Callable[[Path], History] | None
) -> None:
    from chatseq.history.store import HistoryStore

    history = make(tmp_path) if make else HistoryStore(tmp_path / "history.db")
    chat = chat_with(history)
    list(chat.stream("one"))
    list(chat.retry())
    list(chat.stream("two"))
    chat.undo()
    chat.stream("unfinished").close()  # never begun: nothing is stored
    parts = chat.stream("three words here")
    next(parts)
    parts.close()
    again = chat_with(history)
    again.resume("last")
    assert texts(again) == ["one", "one", "three words here", "three "]
    assert [t.status for t in again.turns] == [*[Status.COMPLETE] * 3, Status.INTERRUPTED]
    history.close()
