"""The prompt: keys, completion, toolbar, what was asked before; typed through a pipe input."""

from __future__ import annotations

import io
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import NamedTuple

import pytest
from chatting import Seen, room_of
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput
from prompt_toolkit.utils import get_cwidth

from chatseq.core.exchange import Reply, ReplySource
from chatseq.core.plugins import Plugin, Registry, discover
from chatseq.history.contracts import History
from chatseq.history.memory import MemoryHistory
from chatseq.hookspecs import hookimpl
from chatseq.repl.commands import ArgumentChoice, slash_command
from chatseq.repl.dispatch import Dispatcher
from chatseq.repl.loops import converse
from chatseq.repl.prompt import (
    LEAVE_HINT,
    SECOND_CHANCE,
    CommandCompleter,
    LinePrompt,
    PastQuestions,
    TerminalPrompt,
    toolbar,
)
from chatseq.repl.session import ReplSession
from chatseq.repl.terminal_screen import PLAIN, Look

ENTER, ALT_ENTER, CTRL_C, CTRL_D, CTRL_R, UP = "\r", "\x1b\r", "\x03", "\x04", "\x12", "\x1b[A"
PASTE = "\x1b[200~{}\x1b[201~"


class Typing(NamedTuple):
    """A prompt with someone at its keys."""

    room: ReplSession
    seen: Seen
    prompt: TerminalPrompt
    keys: PipeInput

    def type(self, *texts: str) -> str | None:
        """Type, and return what the prompt made of it."""
        for text in texts:
            self.keys.send_text(text)
        return self.prompt.ask()

    def type_later(self, text: str, after: float) -> None:
        """Type in a while, while the prompt is waiting."""
        threading.Timer(after, self.keys.send_text, [text]).start()


Sit = Callable[..., Typing]


@pytest.fixture
def sit(registry: Registry) -> Iterator[Sit]:
    """Return what sits someone down at a prompt."""
    with create_pipe_input() as keys:

        def sit_down(**options: object) -> Typing:
            room, seen = room_of(registry, **options)  # type: ignore[arg-type]
            prompt = TerminalPrompt(room, Look(), input=keys, output=DummyOutput())
            return Typing(room, seen, prompt, keys)

        yield sit_down


def asked_before(*questions: str) -> Callable[[], History]:
    history = MemoryHistory()
    for question in questions:
        asked = history.add_question(question, conversation=None, parent=None)
        history.add_reply(asked.id, Reply("so", ReplySource.GENERATED, 1.0))
    return lambda: history


def test_enter_sends_what_was_typed(sit: Sit) -> None:
    assert sit().type("hello 退货", ENTER) == "hello 退货"


def test_alt_enter_begins_a_new_line(sit: Sit) -> None:
    assert sit().type("one", ALT_ENTER, "two", ENTER) == "one\ntwo"


def test_a_paste_of_several_lines_is_one_message(sit: Sit) -> None:
    assert sit().type(PASTE.format("one\ntwo\n"), "three", ENTER) == "one\ntwo\nthree"


def test_ctrl_c_clears_what_was_typed(sit: Sit) -> None:
    assert sit().type("wrong", CTRL_C, "right", ENTER) == "right"


def test_a_second_ctrl_c_on_an_empty_line_leaves(sit: Sit) -> None:
    assert sit().type(CTRL_C, CTRL_C) is None


def test_a_first_ctrl_c_only_hints(sit: Sit) -> None:
    at = sit()
    assert at.type(CTRL_C, "stay", ENTER) == "stay"


def test_clearing_a_line_does_not_count_as_the_first_of_two(sit: Sit) -> None:
    at = sit()
    assert at.type("x", CTRL_C, CTRL_C, "stay", ENTER) == "stay"


def test_a_second_ctrl_c_that_comes_late_only_hints_again(sit: Sit) -> None:
    at = sit()
    at.type_later(CTRL_C + "stay" + ENTER, after=SECOND_CHANCE + 1.5)
    assert at.type(CTRL_C) == "stay"


def test_ctrl_d_on_an_empty_line_leaves(sit: Sit) -> None:
    assert sit().type(CTRL_D) is None


def test_ctrl_d_in_a_text_deletes_a_character(sit: Sit) -> None:
    assert sit().type("ab", "\x01", CTRL_D, ENTER) == "b"


def test_up_brings_what_was_asked_in_earlier_chats(sit: Sit) -> None:
    at = sit(history=asked_before("older", "newer"))
    at.type_later(UP + UP + ENTER, after=0.5)
    assert at.prompt.ask() == "older"


def test_ctrl_r_searches_what_was_asked_in_earlier_chats(sit: Sit) -> None:
    at = sit(history=asked_before("how do I train?", "who are you?"))
    at.type_later(CTRL_R + "train" + ENTER + ENTER, after=0.5)
    assert at.prompt.ask() == "how do I train?"


def test_ctrl_c_in_a_search_gives_it_up(sit: Sit) -> None:
    at = sit(history=asked_before("how do I train?"))
    at.type_later(CTRL_R + "train" + CTRL_C + "x" + ENTER, after=0.5)
    assert at.prompt.ask() == "x"


def test_a_question_with_a_slash_comes_back_as_it_is_typed() -> None:
    recalled = PastQuestions(lambda: ["/etc", "plain", "\x1b[2J"]).load_history_strings()
    assert list(recalled) == ["//etc", "plain", "\ufffd[2J"]


def test_a_history_that_cannot_be_read_recalls_nothing() -> None:
    def broken() -> list[str]:
        raise RuntimeError("no history")

    assert list(PastQuestions(broken).load_history_strings()) == []


def test_the_bot_is_loaded_only_once_the_prompt_is_drawn(sit: Sit) -> None:
    at = sit()
    begun: list[bool] = []
    at.room.open = lambda: begun.append(True)  # type: ignore[method-assign]
    assert begun == []
    at.type("x", ENTER)
    assert begun[:1] == [True]


def test_a_bot_that_cannot_be_loaded_ends_the_prompt(sit: Sit) -> None:
    at = sit(bot="absent")
    assert at.prompt.ask() == ""
    assert at.room.fault is not None


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_the_prompt(sit: Sit, number: int, code: int) -> None:
    at = sit()
    with at.room.interrupts.installed():
        threading.Timer(0.3, os.kill, [os.getpid(), number]).start()
        assert converse(at.room, at.prompt) == code


def test_an_interrupt_from_outside_ends_the_chat_with_its_code(sit: Sit) -> None:
    at = sit()
    with at.room.interrupts.installed():
        threading.Timer(0.3, os.kill, [os.getpid(), signal.SIGINT]).start()
        assert converse(at.room, at.prompt) == 130


def test_a_ctrl_c_too_late_for_a_reply_does_not_end_the_chat(sit: Sit) -> None:
    at = sit()
    with at.room.interrupts.installed():
        os.kill(os.getpid(), signal.SIGINT)  # before the prompt
        at.prompt._prompt_session.app.pre_run_callables.append(
            lambda: os.kill(os.getpid(), signal.SIGINT)  # the prompt is on its way
        )
        assert at.type("still here", ENTER) == "still here"
        assert not at.room.interrupts.pending


def test_a_whole_chat_over_the_keys(sit: Sit) -> None:
    at = sit()
    for text in ("hello", ENTER, "/hlep", ENTER, ENTER, "//x", ENTER, CTRL_D):
        at.keys.send_text(text)
    assert converse(at.room, at.prompt) == 0
    assert at.seen.lines[0] == "bot hello [greedy]"
    assert at.seen.lines[1].startswith("error No command named '/hlep'.")
    assert at.seen.lines[2:] == ["bot /x [greedy]"]


def test_what_was_asked_in_this_chat_comes_back_too(sit: Sit) -> None:
    at = sit()
    assert at.type("/set", ENTER) == "/set"
    at.type_later(UP + ENTER, after=0.5)
    assert at.prompt.ask() == "/set"


def completed(room: ReplSession, text: str) -> list[str]:
    found = CommandCompleter(room).get_completions(Document(text), CompleteEvent())
    return [completion.text for completion in found]


def test_commands_and_their_arguments_are_completed(registry: Registry) -> None:
    room, _ = room_of(registry)
    Dispatcher(room).handle("hello")
    assert completed(room, "/re") == ["resume", "retry"]
    assert completed(room, "/help s") == ["sessions", "set"]
    assert set(completed(room, "/retry ")) >= {"beam", "greedy"}
    assert completed(room, "/set decoding.m") == ["decoding.max_length="]
    assert completed(room, "/resume ") == [room.conversation]


@pytest.mark.parametrize("text", ["", "re", "hello /re", "//re", "/quit ", "/nope "])
def test_nothing_else_is_completed(registry: Registry, text: str) -> None:
    assert completed(room_of(registry)[0], text) == []


def test_a_completer_that_fails_completes_nothing() -> None:
    def fail(room: ReplSession) -> list[ArgumentChoice]:
        raise RuntimeError("no")

    @slash_command(complete=fail)
    def bad(room: ReplSession, argument: str) -> None:
        """Do nothing."""

    registry = discover()
    plugin = SimpleNamespace(chatseq_slash_commands=hookimpl(lambda: {"bad": bad}))
    registry.add(Plugin("test", plugin))
    assert completed(room_of(registry)[0], "/bad x") == []


def test_completing_does_not_wait_for_the_bot(registry: Registry) -> None:
    room, _ = room_of(registry)
    assert completed(room, "/set ") == []
    assert completed(room, "/resume ") == []
    assert not room.ready


def test_the_toolbar_tells_bot_strategy_and_conversation(registry: Registry) -> None:
    room, _ = room_of(registry)
    assert toolbar(room, 100).startswith("parrot (loading), new conversation  ")
    Dispatcher(room).handle("我想申请退货，请问应该怎么做才好呢？谢谢")
    line = toolbar(room, 100)
    assert line.startswith("parrot (greedy), 我想申请退货，请问应该怎...  ")
    assert line.endswith("Ctrl-D: leave ")
    assert get_cwidth(line) == 100


@pytest.mark.parametrize("columns", [20, 40, 60, 80, 200])
def test_the_toolbar_drops_hints_rather_than_breaking(registry: Registry, columns: int) -> None:
    line = toolbar(room_of(registry)[0], columns)
    assert line.startswith("parrot (loading), new conversation")
    assert get_cwidth(line) <= max(columns, 34)


def line_prompt(registry: Registry, text: str) -> tuple[ReplSession, Seen, LinePrompt, io.StringIO]:
    room, seen = room_of(registry)
    out = io.StringIO()
    return room, seen, LinePrompt(room, PLAIN, io.StringIO(text), out), out


def test_a_plain_prompt_asks_for_lines_until_they_end(registry: Registry) -> None:
    room, seen, prompt, out = line_prompt(registry, "a\nb\n")
    assert converse(room, prompt) == 0
    assert seen.lines == ["bot a [greedy]", "bot b [greedy]"]
    assert out.getvalue() == "you> you> you> \n"


class Impatient(io.StringIO):
    """A keyboard on which Ctrl-C is pressed some times, then lines are typed."""

    def __init__(self, times: int, text: str) -> None:
        super().__init__(text)
        self.times = times

    def readline(self, *size: object) -> str:
        if self.times:
            self.times -= 1
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(30)
        return super().readline()


@pytest.mark.parametrize(("times", "answers"), [(1, ["bot a [greedy]"]), (2, [])])
def test_a_plain_prompt_is_left_by_the_second_ctrl_c(
    registry: Registry, times: int, answers: list[str]
) -> None:
    room, seen = room_of(registry)
    prompt = LinePrompt(room, PLAIN, Impatient(times, "a\n"), io.StringIO())
    with room.interrupts.installed():
        assert converse(room, prompt) == 0
    assert seen.lines == [f"note {LEAVE_HINT}", *answers]
