"""/why in a room: the last reply explained, what is left of it later, and what it refuses."""

from __future__ import annotations

import re

from chatting import room_of

from chatseq.core.plugins import Registry
from chatseq.history.contracts import History
from chatseq.history.memory import MemoryHistory
from chatseq.repl.dispatch import Dispatcher
from chatseq.repl.session import ReplSession
from chatseq.repl.why import KEPT

UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]")


def talk(registry: Registry, *texts: str) -> tuple[ReplSession, list[str]]:
    """Return a room in which these were typed, and what was shown."""
    room, seen = room_of(registry)
    for text in texts:
        Dispatcher(room).handle(text)
    return room, seen.lines


def test_the_last_reply_is_explained(registry: Registry) -> None:
    shown = talk(registry, "first", "hello", "/why")[1][-1]
    assert shown.split("\n") == [
        "say Generated: written by the network, token by token; confidence 0.90",
        "Candidates:",
        "  0.90  hello [greedy]",
        "bot parrot, strategy greedy",
    ]


def test_why_is_found_by_its_first_letter(registry: Registry) -> None:
    assert talk(registry, "hello", "/w")[1][-1].startswith("say Generated: ")


def test_before_a_question_there_is_nothing_to_explain(registry: Registry) -> None:
    room, lines = talk(registry, "/why")
    assert lines == ["error There is nothing to explain yet. Ask a question first."]
    Dispatcher(room).handle("hello")
    Dispatcher(room).handle("/new")
    Dispatcher(room).handle("/why")
    assert lines[-1] == lines[0]


def test_a_question_without_a_reply_is_told_of(registry: Registry) -> None:
    lines = talk(registry, "hello", "refuse", "/why")[1]
    assert lines[-1] == "error The last question has no reply to explain. /retry asks it again."


def test_after_undo_the_reply_before_is_told_as_the_history_keeps_it(registry: Registry) -> None:
    lines = talk(registry, "unsure", "hello", "/undo", "/why")[1]
    told = lines[-2].split("\n")
    assert told[0] == "say Generated: written by the network, token by token; confidence 0.90"
    assert told[2] == "  0.90  unsure [greedy]"
    assert "Seven to ten." in told[3]
    assert lines[-1] == f"note {KEPT}"


def test_an_earlier_conversation_says_what_was_stored(registry: Registry) -> None:
    history: History = MemoryHistory()
    Dispatcher(room_of(registry, history=lambda: history)[0]).handle("unsure")
    room, seen = room_of(registry, history=lambda: history)
    Dispatcher(room).handle("/resume last")
    Dispatcher(room).handle("/why")
    assert "Seven to ten." in seen.lines[-2]
    assert seen.lines[-1] == f"note {KEPT}"
    Dispatcher(room).handle("/retry")
    Dispatcher(room).handle("/why")
    assert seen.lines[-1].startswith("say Generated: ")


def test_a_stopped_reply_is_explained_as_such(registry: Registry) -> None:
    room, seen = room_of(registry)
    parts = room.chat.stream("one two three")
    next(parts)
    parts.close()
    Dispatcher(room).handle("/why")
    assert "stopped before its end, so there is no confidence" in seen.lines[-1]


def test_what_is_explained_is_safe_before_it_reaches_a_screen(registry: Registry) -> None:
    shown = talk(registry, "evil", "/why")[1][-1]
    assert "evil.txt:1" in shown
    assert "note" in shown
    assert not UNSAFE.search(shown)
