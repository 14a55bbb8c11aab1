"""What every command of the chat must keep to: it explains itself and never ends the chat.

Commands are run here, in a session with a bot that answers from a table, and in a home of its own.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from tempfile import TemporaryDirectory

from chatseq.core.errors import ChatseqError
from chatseq.core.exchange import Reply
from chatseq.core.plugins import Registry, discover
from chatseq.history.memory import MemoryHistory
from chatseq.repl.commands import ArgumentChoice, SlashCommand
from chatseq.repl.dispatch import Dispatcher
from chatseq.repl.loading import LoadedBot
from chatseq.repl.session import ReplSession
from chatseq.testing.check import Context, Make, check, require
from chatseq.testing.responders import ScriptedResponder
from chatseq.text.display_width import Page

ARGUMENTS = ("", "hello", "no such thing", "=", "a=b", "\x1b[31m", "-1", "x" * 5000)


@contextmanager
def steadily() -> Iterator[None]:
    """Keep the files that a command writes away from the user's."""
    before = dict(os.environ)
    with TemporaryDirectory(prefix="chatseq-check-") as folder:
        os.environ["CHATSEQ_HOME"] = folder
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


@check()
def it_is_a_slash_command(make: Make, context: Context) -> None:
    """The reference is a SlashCommand, not a plain function."""
    found = type(make()).__name__
    what = f"it is a {found}. Write @slash_command() above it."
    require(isinstance(make(), SlashCommand), what)


@check()
def it_says_what_it_does(make: Make, context: Context) -> None:
    """Its docstring begins with a line for /help, its argument is shown in brackets."""
    command: SlashCommand = make()
    require(bool(command.summary.strip()), "it has no docstring. Write one line.")
    brackets = not command.usage or (command.usage[0] in "[<" and command.usage[-1] in "]>")
    require(brackets, f"its usage is {command.usage!r}; write an argument as [name]")


@check()
def any_argument_is_taken(make: Make, context: Context) -> None:
    """Whatever is typed behind it is done, or refused in a line, before and after a question."""
    for asked in ((), ("hello",)):
        for argument in ARGUMENTS:
            with _session(asked) as session:
                try:
                    make()(session, argument)
                except ChatseqError as fault:
                    require("\n" not in str(fault), f"{argument[:20]!r} gives more than a line")


@check()
def the_chat_goes_on_after_it(make: Make, context: Context) -> None:
    """A question that follows is answered, unless the command leaves."""
    with _session(("hello",)) as session:
        with suppress(ChatseqError):
            make()(session, "")
        if not session.leaving:
            shown: _Shown = session.screen  # type: ignore[assignment]
            before = len(shown.replies)
            Dispatcher(session).handle("are you there")
            require(len(shown.replies) == before + 1, "a question after it gets no reply")


@check()
def what_it_offers_are_choices(make: Make, context: Context) -> None:
    """Completion gives choices with texts, at any time and at once."""
    command: SlashCommand = make()
    for asked in ((), ("hello",)):
        with _session(asked) as session:
            offered = list(command.complete(session)) if command.complete else []
            for each in offered:
                fits = isinstance(each, ArgumentChoice) and bool(each.text)
                require(fits, f"it offers {each!r}, which is no ArgumentChoice with a text")


class _Shown:
    """A screen that remembers replies."""

    page = Page()

    def __init__(self) -> None:
        self.replies: list[str] = []

    def say(self, text: str) -> None:
        _text(text)

    def note(self, text: str) -> None:
        _text(text)

    def error(self, text: str) -> None:
        _text(text)

    def question(self, text: str) -> None:
        _text(text)

    def answer(self, text: str) -> None:
        _text(text)

    def play(self, parts: Iterable[str | Reply]) -> None:
        self.replies += [part.text for part in parts if isinstance(part, Reply)]

    def clear(self) -> None:
        pass


def _text(text: object) -> None:
    require(isinstance(text, str), f"{text!r} is shown, which is no text")


@contextmanager
def _session(asked: Sequence[str]) -> Iterator[ReplSession]:
    """Yield a session in which these questions were asked."""
    session = ReplSession(_registry(), _Shown(), bot="scripted", load=_load, history=MemoryHistory)
    dispatcher = Dispatcher(session)
    session.open()
    try:
        for question in asked:
            dispatcher.handle(question)
        yield session
    finally:
        session.close()


@cache
def _registry() -> Registry:
    return discover()


def _load(name: str, overrides: Sequence[str]) -> LoadedBot:
    def change(further: Sequence[str]) -> LoadedBot:
        return _load(name, (*overrides, *further))

    settings = (("decoding.max_length", "64"), ("decoding.strategy.name", "greedy"))
    return LoadedBot(name, ScriptedResponder(), "greedy", settings, change)
