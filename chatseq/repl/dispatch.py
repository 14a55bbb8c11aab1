"""Carry out what is typed: a question is answered, a slash command run."""

from __future__ import annotations

from chatseq.chat.choices import chosen_number
from chatseq.core.errors import ChatseqError
from chatseq.core.plugins import first_line
from chatseq.repl.commands import Command, CommandTable, parse
from chatseq.repl.interrupts import Halt
from chatseq.repl.session import ReplSession
from chatseq.repl.showing import show_notices, show_reply

MOST_QUESTION = 20_000  # characters; far more than any bot reads


class Dispatcher:
    """Carries out, one after the other, what is typed in a session."""

    def __init__(self, session: ReplSession) -> None:
        self._session = session
        self._commands = CommandTable(session.registry)

    def handle(self, text: str) -> None:
        """Do what was typed. Told faults never end the chat.

        Raises:
            ChatseqError: the bot cannot be loaded.
        """
        session = self._session
        session.interrupts.forget()
        try:
            self._do(text)
        except Halt:
            session.screen.note("Not sent. Press Up to have it back.")
        except BrokenPipeError:
            raise
        except Exception as fault:
            if fault is session.fault:
                raise
            self._tell(fault)
        show_notices(session)

    def _do(self, text: str) -> None:
        wanted = parse(text)
        if isinstance(wanted, Command):
            self._commands.find(wanted.name)(self._session, wanted.argument)
            return
        if len(wanted.text) > MOST_QUESTION:
            raise ChatseqError(
                f"The question has {len(wanted.text)} characters; at most {MOST_QUESTION} are "
                "taken. Shorten it."
            )
        self._ask(wanted.text)

    def _ask(self, text: str) -> None:
        """Answer a question, or take the number of what was offered instead of the last reply."""
        chat = self._session.chat
        number = chosen_number(text, chat.last_reply)
        parts = chat.stream(text) if number is None else [chat.choose(number)]
        show_reply(self._session, parts)

    def _tell(self, fault: Exception) -> None:
        """Show what went wrong on one line."""
        self._session.failed = True
        known = isinstance(fault, ChatseqError)
        text = str(fault) if known else f"{type(fault).__name__}: {first_line(fault)}"
        self._session.screen.error(text if known else f"{text}. The chat goes on.")
