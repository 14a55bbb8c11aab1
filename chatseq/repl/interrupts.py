"""What a signal does, depending on what the chat is doing.

Ctrl-C stops a reply, never the chat. A signal may break off waiting and thinking at once; anything
else, above all writing to the history, is first done to its end.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from chatseq.bots.explain import explained
from chatseq.bots.responder import ReplyStream, Responder
from chatseq.core.exchange import Reply

ENDING = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
EXIT_OF_SIGNAL = 128  # plus its number, as shells count
PATIENCE = 3  # signals, before what does not let itself be stopped is broken off after all


class Halt(BaseException):
    """A signal broke off what may be broken off; never leaves this package."""


class Interrupts:
    """The signals that came while a chat runs."""

    def __init__(self) -> None:
        self.ending: int | None = None  # the exit code asked for by a signal
        self._stopped = False
        self._times = 0
        self._breakable = False
        self._wake: Callable[[], None] | None = None

    @property
    def pending(self) -> bool:
        """Whether something asked to stop what is going on."""
        return self._stopped or self.ending is not None

    def forget(self) -> None:
        """Begin something new: an earlier Ctrl-C does not count for it."""
        self._stopped = False
        self._times = 0

    def arrived(self, number: int, frame: FrameType | None = None) -> None:  # noqa: ARG002
        """Take in a signal; the handler that `installed` sets.

        Raises:
            KeyboardInterrupt: nothing has happened after several signals.
        """
        self._times += 1
        if number == signal.SIGINT:
            self._stopped = True
        else:
            self.ending = EXIT_OF_SIGNAL + number
        if self._wake is not None:
            self._wake()
        elif self._breakable:
            self._breakable = False
            raise Halt
        elif self._times >= PATIENCE:
            raise KeyboardInterrupt

    @contextmanager
    def breakable(self) -> Iterator[None]:
        """Let a signal end the block at once, with Halt; one that came before ends it unbegun."""
        self._breakable = True
        try:
            if self.pending:
                raise Halt
            yield
        finally:
            self._breakable = False

    @contextmanager
    def waking(self, wake: Callable[[], None]) -> Iterator[None]:
        """Have a function called for a signal instead, while a prompt owns the terminal."""
        self._wake = wake
        try:
            yield
        finally:
            self._wake = None

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Receive the signals of this process; only the main thread can."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.getsignal(number) for number in [signal.SIGINT, *ENDING]}
        for number in before:
            signal.signal(number, self.arrived)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class Interruptible:
    """A responder whose reply ends where a signal comes, as an interrupted reply.

    Who stores the conversation then sees a reply like any other and is never broken off itself.
    """

    def __init__(self, responder: Responder, interrupts: Interrupts) -> None:
        self._responder = responder
        self._interrupts = interrupts

    def stream(self, question: str, context: Sequence[str] = ()) -> ReplyStream:
        """Begin a reply that a signal can end."""
        return InterruptibleStream(self._responder.stream(question, context), self._interrupts)

    def reply(self, question: str, context: Sequence[str] = ()) -> Reply:
        """Return the finished reply; a signal does not stop it."""
        return self._responder.reply(question, context)

    def reply_all(
        self, questions: Sequence[str], contexts: Sequence[Sequence[str]] = ()
    ) -> Iterator[Reply]:
        """Answer many questions; a signal does not stop them."""
        return self._responder.reply_all(questions, contexts)

    def explain(self, question: str, reply: Reply, context: Sequence[str] = ()) -> Reply:
        """Explain a reply; a signal does not stop it."""
        return explained(self._responder, question, reply, context)


class InterruptibleStream:
    """A reply on its way that ends with its partial Reply where a signal comes."""

    def __init__(self, stream: ReplyStream, interrupts: Interrupts) -> None:
        self._stream = stream
        self._interrupts = interrupts
        self._broken_off = False

    def __iter__(self) -> Iterator[str | Reply]:
        return self

    def __next__(self) -> str | Reply:
        """Return the next piece, or the Reply."""
        if self._broken_off:
            raise StopIteration
        try:
            with self._interrupts.breakable():
                part = next(self._stream, None)
        except Halt:
            self._broken_off = True
            self._stream.close()
            return self._stream.partial()
        if part is None:
            raise StopIteration
        return part

    def close(self) -> None:
        """Stop the work."""
        self._stream.close()

    def partial(self) -> Reply:
        """Return what was yielded so far."""
        return self._stream.partial()
