"""The loops of a chat: over a prompt, and over the lines of a pipe."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol, TextIO

from chatseq.repl.dispatch import Dispatcher
from chatseq.repl.interrupts import Halt
from chatseq.repl.session import ReplSession

INTERRUPTED = 130


class Prompt(Protocol):
    """Asks the user for the next message."""

    def ask(self) -> str | None:
        """Return what was typed; None when the user leaves, or when `broken_off` is true."""


def broken_off(session: ReplSession) -> bool:
    """Tell whether the chat must end: a signal came, or the bot cannot be loaded."""
    return session.interrupts.pending or session.fault is not None


def converse(
    session: ReplSession,
    prompt: Prompt,
    *,
    while_busy: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> int:
    """Chat until the user leaves, and return the exit code.

    Args:
        while_busy: entered while something typed is carried out

    Raises:
        ChatseqError: the bot cannot be loaded.
    """
    dispatcher = Dispatcher(session)
    while not session.leaving:
        text = prompt.ask()
        if broken_off(session) or text is None:
            break
        if text.strip():
            with while_busy():
                dispatcher.handle(text)
        if session.interrupts.ending is not None:
            break
        session.interrupts.forget()
    if session.fault is not None:
        raise session.fault
    return _exit_code(session)


def converse_piped(session: ReplSession, lines: TextIO) -> int:
    """Answer each line with a line, and return the exit code: 1 when any could not be answered.

    Raises:
        ChatseqError: the bot cannot be loaded.
    """
    dispatcher = Dispatcher(session)
    session.open()
    while not session.leaving and not broken_off(session):
        try:
            with session.interrupts.breakable():
                line = lines.readline()
        except Halt:
            break
        if not line:
            break
        text = line.lstrip("\ufeff").strip()
        if text:
            dispatcher.handle(text)
        else:
            session.screen.play(())  # an empty line for an empty one: both sides stay in step
    if session.fault is not None:
        raise session.fault
    return _exit_code(session) or int(session.failed)


def _exit_code(session: ReplSession) -> int:
    if session.interrupts.ending is not None:
        return session.interrupts.ending
    return INTERRUPTED if session.interrupts.pending else 0
