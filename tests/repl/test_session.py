"""The room: what is typed is carried out, and nothing that goes wrong ends the chat."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from chatting import Seen, load, room_of

from chatseq.core.errors import BundleError, HistoryError
from chatseq.core.exchange import Reply, ReplySource
from chatseq.core.plugins import Registry
from chatseq.history.contracts import History, Role, Status
from chatseq.history.memory import MemoryHistory
from chatseq.repl.dispatch import MOST_QUESTION, Dispatcher
from chatseq.repl.loading import LoadedBot
from chatseq.repl.session import ReplSession


def talk(registry: Registry, *texts: str) -> tuple[ReplSession, list[str]]:
    """Return a room in which these were typed, and what was shown."""
    room, seen = room_of(registry)
    for text in texts:
        Dispatcher(room).handle(text)
    return room, seen.lines


def test_a_question_is_answered(registry: Registry) -> None:
    assert talk(registry, "hello there")[1] == ["bot hello there [greedy]"]


def test_a_literal_slash_is_asked_without_its_guard(registry: Registry) -> None:
    room, lines = talk(registry, "//etc")
    assert lines == ["bot /etc [greedy]"]
    assert room.first_question == "/etc"


def test_an_exception_of_a_responder_is_told_on_one_line(registry: Registry) -> None:
    room, lines = talk(registry, "break", "hello")
    assert lines == ["error RuntimeError: a string. The chat goes on.", "bot hello [greedy]"]
    assert room.failed


def test_a_fault_that_explains_itself_is_told_as_it_is(registry: Registry) -> None:
    assert talk(registry, "refuse")[1] == ["error The parrot will not. Ask nicely."]


def test_a_question_of_absurd_length_is_not_sent(registry: Registry) -> None:
    room, lines = talk(registry, "x" * (MOST_QUESTION + 1))
    assert lines == [
        "error The question has 20001 characters; at most 20000 are taken. Shorten it."
    ]
    assert room.conversation is None


def test_retry_answers_again_beside_the_first_reply(registry: Registry) -> None:
    room, lines = talk(registry, "hello", "/retry")
    assert lines == ["bot hello [greedy]"] * 2
    roles = [m.role for m in room.chat.history.messages(room.conversation or "")]
    assert roles == [Role.QUESTION, Role.REPLY, Role.REPLY]


def test_retry_takes_another_strategy_this_once(registry: Registry) -> None:
    lines = talk(registry, "a", "/retry beam", "b")[1]
    assert lines == ["bot a [greedy]", "bot a [beam]", "bot b [greedy]"]


def test_retry_with_an_unknown_strategy_changes_nothing(registry: Registry) -> None:
    lines = talk(registry, "a", "/retry bean", "/retry")[1]
    assert lines[1] == "error No strategy named 'bean'. Choose from: beam, greedy."
    assert lines[2] == "bot a [greedy]"


def test_retry_and_undo_need_a_question(registry: Registry) -> None:
    lines = talk(registry, "/retry", "/undo")[1]
    assert lines == [
        "error There is nothing to retry yet. Ask a question first.",
        "error There is nothing to undo yet. Ask a question first.",
    ]


def test_undo_takes_back_the_last_question(registry: Registry) -> None:
    room, lines = talk(registry, "a", "b", "/undo")
    assert lines[-1] == "note Taken back: b"
    assert [turn.text for turn in room.chat.turns] == ["a", "a [greedy]"]


def test_new_begins_another_conversation(registry: Registry) -> None:
    room, lines = talk(registry, "a", "/new")
    assert lines[-1] == "note A new conversation."
    assert room.conversation is None


def test_sessions_are_listed_with_the_present_one_marked(registry: Registry) -> None:
    room, lines = talk(registry, "/sessions", "first\x1b[2J", "/new", "second", "/sessions")
    assert lines[0] == "say No conversations yet."
    newest, oldest = lines[-1].removeprefix("say ").split("\n")
    assert newest.startswith(f"* {room.conversation}")
    assert newest.endswith("   2  second")
    assert oldest.startswith("  ")
    assert oldest.endswith("first\ufffd[2J")


def test_resume_goes_on_with_the_conversation_before(registry: Registry) -> None:
    room, lines = talk(registry, "first", "/new", "second", "/resume", "third")
    assert lines[3].endswith(": first")
    assert lines[4:] == ["you first", "bot first [greedy]", "bot third [greedy]"]
    assert room.first_question == "first"


def test_resume_takes_the_beginning_of_an_id(registry: Registry) -> None:
    room, _ = talk(registry, "first")
    begun = room.conversation
    Dispatcher(room).handle("/new")
    Dispatcher(room).handle(f"/resume {str(begun)[:10]}")
    assert room.conversation == begun


def test_resume_without_an_earlier_conversation_says_so(registry: Registry) -> None:
    lines = talk(registry, "only", "/resume")[1]
    assert lines[-1] == "error There is no earlier conversation to resume. See /sessions."


def test_resume_of_an_unknown_id_is_told(registry: Registry) -> None:
    assert talk(registry, "/resume zzzz")[1][0].startswith("error ")


def test_set_changes_a_setting_for_the_rest_of_the_chat(registry: Registry) -> None:
    room, lines = talk(registry, "/set decoding.strategy.name=beam", "a")
    assert lines == ["note Set decoding.strategy.name=beam", "bot a [beam]"]
    assert room.strategy == "beam"


def test_set_alone_shows_the_settings_and_with_a_beginning_some(registry: Registry) -> None:
    lines = talk(registry, "/set", "/set decoding.max", "/set nope")[1]
    assert lines == [
        "say decoding.max_length = 64\ndecoding.strategy.name = greedy",
        "say decoding.max_length = 64",
        "error No setting begins with 'nope'. /set alone shows all of them.",
    ]


def test_a_setting_that_does_not_exist_changes_nothing(registry: Registry) -> None:
    room, lines = talk(registry, "/set decoding.max=3", "a")
    assert lines == ["error No setting named 'decoding.max' in --set.", "bot a [greedy]"]
    assert room.settings == ()


def test_another_bot_answers_in_the_same_conversation(registry: Registry) -> None:
    room, lines = talk(registry, "a", "/bot macaw", "b")
    assert lines[1] == "note The bot 'macaw' answers now."
    messages = room.chat.history.messages(room.conversation or "")
    assert [m.bot for m in messages if m.role is Role.QUESTION] == ["parrot", "macaw"]


def test_settings_hold_for_the_next_bot_too(registry: Registry) -> None:
    lines = talk(registry, "/set decoding.strategy.name=beam", "/bot macaw", "a")[1]
    assert lines[-1] == "bot a [beam]"


def test_an_unknown_bot_leaves_the_present_one(registry: Registry) -> None:
    room, lines = talk(registry, "/bot absent", "a")
    assert lines == ["error No bot named 'absent'. Did you mean 'parrot'?", "bot a [greedy]"]
    assert room.bot_name == "parrot"


def test_bots_are_listed_or_missed(registry: Registry, home: Path) -> None:
    assert talk(registry, "/bot")[1] == ["say No bots yet. Train one: chatseq train FILE"]
    (home / "bots" / "parrot").mkdir(parents=True)
    (home / "bots" / "macaw").mkdir()
    assert talk(registry, "/bot")[1] == ["say   macaw\n* parrot"]


def test_help_lists_every_command_and_explains_one(registry: Registry) -> None:
    lines = talk(registry, "/help", "/help retry", "/help /set", "/help nope")[1]
    assert "/retry [strategy]  Answer the last question again" in lines[0]
    assert "The earlier reply stays in the history." in lines[1]
    assert lines[2].startswith("say Show the settings of the bot")
    assert lines[3].startswith("error No command named '/nope'.")


def test_quit_ends_the_chat(registry: Registry) -> None:
    assert talk(registry, "/quit")[0].leaving


def test_clear_empties_the_screen_and_keeps_the_conversation(registry: Registry) -> None:
    room, lines = talk(registry, "a", "/clear")
    assert lines == []
    assert room.conversation is not None


class Failing(MemoryHistory):
    """A history whose disk is full."""

    def add_question(self, *args: object, **more: object) -> object:  # type: ignore[override]
        raise HistoryError("The history cannot be written: disk full. Make room.")


def test_a_history_that_fails_is_told_once_and_the_chat_goes_on(registry: Registry) -> None:
    room, seen = room_of(registry, history=Failing)
    Dispatcher(room).handle("a")
    Dispatcher(room).handle("b")
    assert seen.lines == [
        "bot a [greedy]",
        "note The history cannot be written: disk full. Make room. This chat goes on unsaved.",
        "bot b [greedy]",
    ]


def test_a_history_kept_in_memory_says_why(registry: Registry) -> None:
    room, seen = room_of(registry, history=lambda: MemoryHistory(notices=("Not saved.",)))
    Dispatcher(room).handle("a")
    assert seen.lines == ["bot a [greedy]", "note Not saved."]
    assert not room.is_saved


def test_past_questions_come_newest_first_over_all_conversations(registry: Registry) -> None:
    history = MemoryHistory()
    for conversation in (("a", "b"), ("c",)):
        begun = None
        for text in conversation:
            asked = history.add_question(text, conversation=begun, parent=None)
            history.add_reply(asked.id, Reply(f"re {text}", ReplySource.GENERATED, 1.0))
            begun = asked.conversation
    room, _ = room_of(registry, history=lambda: history)
    room.open()
    assert list(room.past_questions()) == ["c", "b", "a"]


def slow_room(registry: Registry, work: Callable[[], None]) -> tuple[ReplSession, Seen]:
    """Return a room whose bot is loaded after some work."""
    seen = Seen()

    def load_late(name: str, overrides: Sequence[str]) -> LoadedBot:
        work()
        return load(name, overrides)

    room = ReplSession(registry, seen, bot="parrot", load=load_late, history=MemoryHistory)
    return room, seen


def test_a_question_waits_for_the_bot_with_a_word_about_it(registry: Registry) -> None:
    room, seen = slow_room(registry, lambda: time.sleep(0.7))
    room.open()
    assert (room.ready, room.strategy) == (False, "")
    Dispatcher(room).handle("a")
    assert seen.lines == ["note Still loading; your message waits.", "bot a [greedy]"]
    assert (room.ready, room.strategy) == (True, "greedy")


def test_help_does_not_wait_for_the_bot(registry: Registry) -> None:
    gate = threading.Event()
    room, seen = slow_room(registry, lambda: gate.wait(20) and None)
    room.open()
    Dispatcher(room).handle("/help")
    assert not room.ready
    gate.set()
    assert "/quit" in seen.lines[0]


def test_ctrl_c_while_waiting_does_not_send_the_question(registry: Registry) -> None:
    gate = threading.Event()
    room, seen = slow_room(registry, lambda: gate.wait(20) and None)
    with room.interrupts.installed():
        threading.Timer(0.1, os.kill, [os.getpid(), signal.SIGINT]).start()
        Dispatcher(room).handle("a")
    gate.set()
    assert seen.lines == ["note Not sent. Press Up to have it back."]
    Dispatcher(room).handle("b")
    assert [turn.text for turn in room.chat.turns] == ["b", "b [greedy]"]


def test_a_bot_that_cannot_be_loaded_ends_the_chat(registry: Registry) -> None:
    room, _ = room_of(registry, bot="absent")
    with pytest.raises(BundleError, match="No bot named 'absent'"):
        Dispatcher(room).handle("a")
    assert room.fault is not None


def test_closing_closes_the_history_also_when_nothing_was_said(registry: Registry) -> None:
    closed: list[bool] = []

    class Closing(MemoryHistory):
        def close(self) -> None:
            closed.append(True)

    def opened() -> History:
        return Closing()

    room, _ = room_of(registry, history=opened)
    room.open()
    room.close()
    assert closed == [True]
    room_of(registry, history=opened)[0].close()
    assert closed == [True]


def test_a_failed_question_is_marked(registry: Registry) -> None:
    room, _ = talk(registry, "refuse")
    assert room.chat.history.messages(room.conversation or "")[0].status is Status.FAILED
