"""Each check of commands, and of commands of the chat, finds the command that breaks it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
import pytest
from mutants import Mutant, assert_found, assert_proved, found_by, mutant

from chatseq.core.errors import ChatseqError
from chatseq.repl.commands import ArgumentChoice, slash_command
from chatseq.repl.session import ReplSession


@click.group()
def honest() -> None:
    """Greet people."""


@honest.command()
@click.option("--loud", is_flag=True, help="In capitals.")
def hello(loud: bool) -> None:
    """Say hello."""


def greet() -> None:
    """Say hello, without click."""


@click.command()
def silent() -> None: ...


@click.command()
@click.option("--loud", is_flag=True)
def unexplained(loud: bool) -> None:
    """Say hello."""


class Shy(click.Command):
    """A command that does not explain itself."""

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        raise RuntimeError("there is nothing to say")


@click.command(cls=Shy)
def shy() -> None:
    """Say hello."""


COMMANDS = {
    "it is a click command": mutant(
        greet, "it is a function. Write @click.command above it", "it says what it does",
        "every option is documented", "help is shown",
    ),
    "it says what it does": mutant(silent, "'silent' has no help"),
    "every option is documented": mutant(unexplained, "the option --loud of 'unexplained'"),
    "help is shown": mutant(shy, "RuntimeError('there is nothing to say')"),
}  # fmt: skip


def test_every_check_of_commands_has_its_mutant() -> None:
    assert_proved("command", COMMANDS)


def test_an_honest_command_breaks_nothing() -> None:
    assert found_by("command", honest) == {}


@pytest.mark.parametrize("check", COMMANDS)
def test_a_check_finds_its_command(check: str) -> None:
    assert_found("command", check, COMMANDS[check])


def test_what_stands_below_a_group_is_checked_as_well() -> None:
    group = click.Group("outer", {"inner": silent}, help="Hold another.")
    assert found_by("command", group)["it says what it does"].startswith("'outer silent' has no")


# Commands of the chat.


def slash(usage: str = "", complete: Any = None) -> Callable[..., Any]:
    """Return what makes a command of a function, under a name that mypy lets pass."""
    return slash_command(usage=usage, complete=complete)


@slash("[name]", lambda room: [ArgumentChoice("Ada"), ArgumentChoice("Bob", "the second")])
def polite(room: ReplSession, argument: str) -> None:
    """Say hello."""
    if argument == "no such thing":
        raise ChatseqError("Nobody is called that. Try Ada.")
    room.screen.say(f"Hello {argument}")


@slash("name")
def brackets(room: ReplSession, argument: str) -> None:
    """Say hello."""


@slash()
def crashes(room: ReplSession, argument: str) -> None:
    """Take a number."""
    int(argument or "0")


@slash()
def ends_it_all(room: ReplSession, argument: str) -> None:
    """Take the bot away."""
    room.chat.responder = None  # type: ignore[assignment]


@slash("[name]", lambda room: ["Ada"])
def offers_texts(room: ReplSession, argument: str) -> None:
    """Say hello."""


SLASHES: dict[str, Mutant] = {
    "it is a slash command": mutant(
        greet, "it is a function. Write @slash_command() above it", "it says what it does",
        "any argument is taken", "the chat goes on after it", "what it offers are choices",
    ),
    "it says what it does": mutant(brackets, "write an argument as [name]"),
    "any argument is taken": mutant(crashes, "ValueError"),
    "the chat goes on after it": mutant(ends_it_all, "a question after it gets no reply"),
    "what it offers are choices": mutant(offers_texts, "which is no ArgumentChoice with a text"),
}  # fmt: skip


def test_every_check_of_slash_commands_has_its_mutant() -> None:
    assert_proved("slash-command", SLASHES)


def test_an_honest_slash_command_breaks_nothing() -> None:
    assert found_by("slash-command", polite) == {}


@pytest.mark.parametrize("check", SLASHES)
def test_a_check_finds_its_slash_command(check: str) -> None:
    assert_found("slash-command", check, SLASHES[check])


def test_commands_are_run_in_a_home_of_their_own(home: Any) -> None:
    from chatseq.core.paths import home as home_now

    seen = []

    @slash()
    def looks(room: ReplSession, argument: str) -> None:
        """Look where it is."""
        seen.append(home_now())

    assert found_by("slash-command", looks) == {}
    assert seen
    assert home not in seen
    assert home_now() == home


def test_more_than_a_line_of_an_error_is_told() -> None:
    @slash()
    def chatters(room: ReplSession, argument: str) -> None:
        """Refuse at length."""
        raise ChatseqError("No.\nNever.")

    found = found_by("slash-command", chatters)
    assert found["any argument is taken"] == "'' gives more than a line"
