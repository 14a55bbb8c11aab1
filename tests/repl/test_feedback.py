"""/good, /bad and /correct: what is stored, what is said about it, what is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from chatting import Seen, room_of

from chatseq.core.plugins import Registry
from chatseq.history.contracts import History, Review, Verdict
from chatseq.history.memory import MemoryHistory
from chatseq.history.store import HistoryStore
from chatseq.repl.dispatch import Dispatcher
from chatseq.repl.feedback import REVIEW, UNSAVED
from chatseq.repl.session import ReplSession

Talk = Callable[..., list[str]]


class Chatting:
    """A room with a history that is saved, and what it showed."""

    def __init__(self, registry: Registry, history: Callable[[], History]) -> None:
        self.room: ReplSession
        self.seen: Seen
        self.room, self.seen = room_of(registry, history=history)

    def __call__(self, *texts: str) -> str:
        """Type these, and return the last line that was shown."""
        for text in texts:
            Dispatcher(self.room).handle(text)
        return self.seen.lines[-1]


@pytest.fixture
def chatting(registry: Registry, tmp_path: Path) -> Iterator[Chatting]:
    begun = Chatting(registry, lambda: HistoryStore(tmp_path / "history.db"))
    yield begun
    begun.room.close()


def stored(chatting: Chatting) -> list[tuple[str, Verdict, str]]:
    said = chatting.room.chat.history.feedback()
    return [(one.question, one.verdict, one.correction) for one in said]


def test_each_command_is_acknowledged_with_what_happens(chatting: Chatting) -> None:
    assert chatting("hello", "/good") == f"note Noted as good. {REVIEW}"
    assert chatting("/bad") == f"note Noted as bad. Say what is right with /correct. {REVIEW}"
    assert chatting("/correct Hi.") == (
        "note Noted. The next time this is asked, that is the answer. "
        "Review: chatseq history feedback list"
    )


def test_the_last_reply_is_judged_and_the_last_verdict_counts(chatting: Chatting) -> None:
    chatting("one", "/good", "two", "/bad", "/correct  The right\nanswer ", "/new", "three", "/bad")
    assert stored(chatting) == [
        ("three", Verdict.BAD, ""),
        ("two", Verdict.CORRECT, "The right\nanswer"),
        ("one", Verdict.GOOD, ""),
    ]
    assert {said.status for said in chatting.room.chat.history.feedback()} == {Review.NEW}


@pytest.mark.parametrize("typed", ["/correct", "/correct   ", "/corr"])
def test_a_correction_without_text_is_told(chatting: Chatting, typed: str) -> None:
    assert chatting("hello", typed) == (
        "error The right answer is missing. Write it behind: /correct <text>"
    )
    assert stored(chatting) == []


@pytest.mark.parametrize("typed", ["/good", "/bad", "/correct x"])
def test_without_a_reply_there_is_nothing_to_judge(chatting: Chatting, typed: str) -> None:
    assert chatting(typed) == "error There is no reply to judge. Ask a question first."


def test_an_unsaved_chat_says_that_it_lasts_no_longer(registry: Registry) -> None:
    chatting = Chatting(registry, MemoryHistory)
    assert chatting("hello", "/good") == f"note Noted as good. {UNSAVED}"
    assert chatting("/correct Hi.") == (
        "note Noted. The next time this is asked, that is the answer. "
        "This chat is not saved, so that it counts in this chat only."
    )
    assert chatting.room.unsaved is not None
    assert [said.correction for said in chatting.room.unsaved.feedback()] == ["Hi."]


def test_a_room_has_no_unsaved_history_before_its_chat_or_when_it_is_saved(
    chatting: Chatting,
) -> None:
    assert chatting.room.unsaved is None
    chatting("hello")
    assert chatting.room.unsaved is None
