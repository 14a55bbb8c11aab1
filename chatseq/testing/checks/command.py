"""What every command of the command line must keep to: it is click's, and explains itself."""

from __future__ import annotations

from collections.abc import Iterator

import click
from click.testing import CliRunner

from chatseq.testing.check import Context, Make, check, require


@check()
def it_is_a_click_command(make: Make, context: Context) -> None:
    """The reference is a command or a group of click, not a plain function."""
    command = make()
    found = type(command).__name__
    require(isinstance(command, click.Command), f"it is a {found}. Write @click.command above it.")


@check()
def it_says_what_it_does(make: Make, context: Context) -> None:
    """The command and all below it have a line for listings."""
    for path, command in _commands(make()):
        line = command.get_short_help_str(limit=200)
        require(bool(line.strip()), f"'{path}' has no help. Write a docstring.")


@check()
def every_option_is_documented(make: Make, context: Context) -> None:
    """Each option of the command and of those below it is told in the help."""
    for path, command in _commands(make()):
        for option in command.params:
            untold = isinstance(option, click.Option) and not option.help and not option.hidden
            require(not untold, f"the option {option.opts[0]} of '{path}' has no help=")


@check()
def help_is_shown(make: Make, context: Context) -> None:
    """`--help` prints and ends without an error, whatever the command needs to run."""
    command = make()
    for arguments in _help_of(command):
        shown = CliRunner().invoke(command, arguments)
        what = f"{' '.join(arguments)} ends with {shown.exit_code}: {shown.exception!r}"
        require(shown.exit_code == 0 and "Usage:" in shown.output, what)


def _commands(command: click.Command, path: str = "") -> Iterator[tuple[str, click.Command]]:
    """Yield a command and all below it, with how they are called."""
    path = f"{path} {command.name}".strip()
    yield path, command
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            yield from _commands(inner, path)


def _help_of(command: click.Command) -> Iterator[list[str]]:
    yield ["--help"]
    if isinstance(command, click.Group):
        yield from ([name, "--help"] for name in command.commands)
