"""The loops of a chat: over a prompt, and over the lines of a pipe."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol, TextIO

from chatseq.repl.interrupts import Halt
from chatseq.repl.session import ReplSession

INTERRUPTED = 130


class Prompt(Protocol):
    """Asks the user for the next message."""

    def ask(self) -> str | None:
        """Return what was typed; None when the user leaves, or when `broken_off` is true."""


def broken_off(room: ReplSession) -> bool:
    """Tell whether the chat must end: a signal came, or the bot cannot be loaded."""
    return room.interrupts.pending or room.fault is not None


def converse(
    room: ReplSession,
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
    while not room.leaving:
        text = prompt.ask()
        if broken_off(room) or text is None:
            break
        if text.strip():
            with while_busy():
                room.handle(text)
        if room.interrupts.ending is not None:
            break
        room.interrupts.forget()
    if room.fault is not None:
        raise room.fault
    return _exit_code(room)


def converse_piped(room: ReplSession, lines: TextIO) -> int:
    """Answer each line with a line, and return the exit code: 1 when any could not be answered.

    Raises:
        ChatseqError: the bot cannot be loaded.
    """
    room.open()
    while not room.leaving and not broken_off(room):
        try:
            with room.interrupts.breakable():
                line = lines.readline()
        except Halt:
            break
        if not line:
            break
        text = line.lstrip("\ufeff").strip()
        if text:
            room.handle(text)
        else:
            room.show_reply(())  # an empty line for an empty line, so that both sides stay in step
    if room.fault is not None:
        raise room.fault
    return _exit_code(room) or int(room.failed)


def _exit_code(room: ReplSession) -> int:
    if room.interrupts.ending is not None:
        return room.interrupts.ending
    return INTERRUPTED if room.interrupts.pending else 0
