"""Slash commands: decorated functions, found by name or by the beginning of it.

A plugin brings one through the hook `chatseq_slash_commands`:

    @slash_command(usage="[name]")
    def greet(session: ReplSession, argument: str) -> None:
        \"""Say hello.\"""
        session.screen.say(f"Hello {argument}")

The first line of the docstring is what `/help` shows.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from chatseq.core.errors import ChatseqError, ErrorKind, PartError, did_you_mean, nearest
from chatseq.core.plugins import Registry
from chatseq.repl.session import ReplSession

KIND = "slash-command"
SLASH = "/"

Run = Callable[[ReplSession, str], None]


class ArgumentChoice(NamedTuple):
    """An argument worth offering."""

    text: str
    meaning: str = ""


Complete = Callable[[ReplSession], Iterable[ArgumentChoice]]


@dataclass(frozen=True, slots=True)
class SlashCommand:
    """What one slash command does and what is told about it."""

    run: Run
    summary: str
    usage: str = ""  # of the argument, "[name]"; empty where there is none
    doc: str = ""
    complete: Complete | None = None  # every argument worth offering

    def __call__(self, session: ReplSession, argument: str) -> None:
        """Do it.

        Raises:
            ChatseqError: it cannot be done; the chat goes on.
        """
        self.run(session, argument)


def slash_command(
    *, usage: str = "", complete: Complete | None = None
) -> Callable[[Run], SlashCommand]:
    """Turn a function into a slash command; its docstring is its help.

    Args:
        usage: of the argument, as `/help` shows it
        complete: returns every argument worth offering
    """

    def decorated(run: Run) -> SlashCommand:
        doc = inspect.getdoc(run) or ""
        summary = doc.split("\n")[0].rstrip(".")
        return SlashCommand(run, summary, usage=usage, doc=doc, complete=complete)

    return decorated


class TypedQuestion(NamedTuple):
    """Something to be answered by the bot."""

    text: str


class Command(NamedTuple):
    """A slash command as it was typed."""

    name: str  # without the slash, perhaps only the beginning
    argument: str


def parse(text: str) -> TypedQuestion | Command:
    """Tell a question from a command; `//` begins a question with a slash."""
    stripped = text.strip()
    if not stripped.startswith(SLASH):
        return TypedQuestion(stripped)
    if stripped.startswith(SLASH * 2):
        return TypedQuestion(stripped[1:])
    name, *rest = stripped[1:].split(maxsplit=1)[:2] or [""]
    return Command(name, rest[0] if rest else "")


def typed(question: str) -> str:
    """Return what has to be typed to ask this question."""
    return SLASH + question if question.lstrip().startswith(SLASH) else question


class CommandTable:
    """The commands of a chat; each is imported when it is asked for."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._parts = registry.parts(KIND)

    @property
    def names(self) -> list[str]:
        """All names, without the slash, in order."""
        return list(self._parts)

    def find(self, typed_name: str) -> SlashCommand:
        """Return a command by its name or by a beginning that no other name has.

        Raises:
            ChatseqError: no command is meant by it, or more than one.
        """
        if typed_name in self._parts:
            return self.load(typed_name)
        begun = [name for name in self.names if typed_name and name.startswith(typed_name.lower())]
        if len(begun) == 1:
            return self.load(begun[0])
        if begun:
            meant = " or ".join(f"/{name}" for name in begun)
            raise ChatseqError(f"'/{typed_name}' could be {meant}. Type more of it.")
        self._registry.refuse_if_off(KIND, typed_name)
        known = [f"/{name}" for name in self.names]
        hint = did_you_mean(f"/{typed_name}", known)
        raise ChatseqError(
            f"No command named '/{typed_name}'.{hint} The bot was not asked; "
            "begin a question with // to send a slash.",
            kind=ErrorKind.PART_NOT_FOUND,
            place=f"/{typed_name}",
            choices=nearest(f"/{typed_name}", known),
        )

    def load(self, name: str) -> SlashCommand:
        """Return the command of exactly this name.

        Raises:
            PartError: its plugin is broken.
        """
        part = self._parts[name]
        command = part.load()
        if not isinstance(command, SlashCommand):
            raise PartError(
                f"The command '/{name}' of plugin {part.plugin.name} is no SlashCommand. Write "
                "@slash_command() above it; see: chatseq plugins doctor"
            )
        return command

    def loaded(self) -> tuple[dict[str, SlashCommand], list[str]]:
        """Return the commands that work, by name, and what is wrong with the others."""
        working, faults = {}, []
        for name in self.names:
            try:
                working[name] = self.load(name)
            except PartError as fault:
                faults.append(str(fault))
        return working, faults
