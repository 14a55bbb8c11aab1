"""Signals: what they break off at once, and what they wait for."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence

import pytest
from chatting import Parrot, ParrotStream, room_of

from chatseq.core.exchange import Reply
from chatseq.core.plugins import Registry
from chatseq.history.contracts import Status
from chatseq.repl.dispatch import Dispatcher
from chatseq.repl.interrupts import ENDING, Halt, Interruptible, Interrupts
from chatseq.testing import ScriptedResponder


class Sleeper(Parrot):
    """Says one word and then sleeps in a way that only a signal ends."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = False

    def stream(self, question: str, context: Sequence[str] = ()) -> ParrotStream:
        sleeper = self

        class Stream(ParrotStream):
            def close(self) -> None:
                sleeper.closed = True

        return Stream(self._sleep(), "greedy")

    def _sleep(self) -> Iterator[str]:
        yield "one"
        time.sleep(30)
        yield " two"


@pytest.fixture
def interrupts() -> Iterator[Interrupts]:
    made = Interrupts()
    with made.installed():
        yield made


def send(number: int, after: float = 0.0) -> None:
    """Send this process a signal, as `kill` does."""
    threading.Timer(after, os.kill, [os.getpid(), number]).start()


def test_a_signal_breaks_off_what_may_be_broken_off(interrupts: Interrupts) -> None:
    send(signal.SIGINT, after=0.1)
    started = time.monotonic()
    with pytest.raises(Halt), interrupts.breakable():
        time.sleep(30)
    assert time.monotonic() - started < 5
    assert interrupts.pending
    assert interrupts.ending is None


def test_a_signal_lets_everything_else_come_to_its_end(interrupts: Interrupts) -> None:
    os.kill(os.getpid(), signal.SIGINT)
    done = "yes"
    assert (done, interrupts.pending) == ("yes", True)


def test_an_earlier_signal_ends_the_block_before_it_begins(interrupts: Interrupts) -> None:
    os.kill(os.getpid(), signal.SIGINT)
    with pytest.raises(Halt), interrupts.breakable():
        pytest.fail("the block was entered")


def test_a_forgotten_ctrl_c_does_not_count(interrupts: Interrupts) -> None:
    os.kill(os.getpid(), signal.SIGINT)
    interrupts.forget()
    with interrupts.breakable():
        assert not interrupts.pending


@pytest.mark.parametrize("number", ENDING)
def test_a_request_to_end_gives_the_exit_code_of_the_shells(
    interrupts: Interrupts, number: signal.Signals
) -> None:
    os.kill(os.getpid(), number)
    interrupts.forget()
    assert interrupts.ending == 128 + number
    assert interrupts.pending


def test_what_never_stops_is_broken_off_by_the_third_signal(interrupts: Interrupts) -> None:
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)


def test_a_prompt_is_woken_instead_of_broken_off(interrupts: Interrupts) -> None:
    woken: list[bool] = []
    with interrupts.waking(lambda: woken.append(interrupts.pending)):
        os.kill(os.getpid(), signal.SIGINT)
    assert woken == [True]


def test_the_handlers_of_before_come_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    with Interrupts().installed():
        assert signal.getsignal(signal.SIGINT) != before
    assert signal.getsignal(signal.SIGINT) == before


def test_outside_the_main_thread_no_handler_is_set() -> None:
    seen: list[object] = []

    def work() -> None:
        with Interrupts().installed():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGINT)]


def test_a_reply_that_is_left_alone_is_unchanged() -> None:
    parts = list(Interruptible(Parrot(), Interrupts()).stream("a b"))
    assert parts[:-1] == ["a", " b", " [greedy]"]
    assert isinstance(parts[-1], Reply)
    assert not parts[-1].interrupted


def test_a_signal_ends_a_reply_amid_a_step_with_what_had_come(interrupts: Interrupts) -> None:
    sleeper = Sleeper()
    send(signal.SIGINT, after=0.1)
    first, reply = Interruptible(sleeper, interrupts).stream("?")
    assert first == "one"
    assert isinstance(reply, Reply)
    assert (reply.text, reply.interrupted) == ("one", True)
    assert sleeper.closed


def test_the_part_of_a_stopped_reply_is_stored_and_the_chat_goes_on(
    registry: Registry, interrupts: Interrupts
) -> None:
    room, seen = room_of(registry)
    room.chat.responder = Interruptible(Sleeper(), room.interrupts)
    with room.interrupts.installed():
        send(signal.SIGINT, after=0.1)
        Dispatcher(room).handle("sleep")
        room.chat.responder = Interruptible(Parrot(), room.interrupts)
        Dispatcher(room).handle("again")
    assert seen.lines == ["bot one [stopped]", "bot again [greedy]"]
    stored = room.chat.history.messages(room.conversation or "")
    assert [(m.text, m.status) for m in stored][1] == ("one", Status.INTERRUPTED)
    assert [m.status for m in stored][2:] == [Status.COMPLETE, Status.COMPLETE]


def test_earlier_turns_reach_the_responder_behind() -> None:
    inner = ScriptedResponder()
    responder = Interruptible(inner, Interrupts())
    list(responder.stream("a", ["b"]))
    responder.reply("a", ["c"])
    list(responder.reply_all(["a", "b"], [["d"], []]))
    assert inner.contexts == [("b",), ("c",), ("d",), ()]
