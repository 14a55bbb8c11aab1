"""The program: find the plugins, hand their commands to click, turn faults into one line.

No command is known here by name. `chatseq` alone chats.
"""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from typing import Any, TextIO

import click

from chatseq.cli.output import take_any_text, tell, tell_error
from chatseq.composition import installed_plugins
from chatseq.core.errors import ChatseqError, OldName, PartError
from chatseq.core.plugins import Registry
from chatseq.core.version import VERSION

INTERRUPTED = 130
DEFAULT_COMMAND = "chat"


class CommandGroup(click.Group):
    """A group whose commands are the parts of kind `command`, each imported when asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        listed = []
        for name, part in registry_of(ctx).parts("command").items():
            try:
                part.load()
            except PartError as fault:  # help must work whatever one plugin does
                tell(str(fault))
            else:
                listed.append(name)
        return listed

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        registry = registry_of(ctx)
        part = registry.parts("command").get(cmd_name)
        if part is None:
            registry.refuse_if_off("command", cmd_name)
            return None
        command = part.load()
        if not isinstance(command, click.Command):
            raise ChatseqError(
                f"The command '{cmd_name}' of plugin {part.plugin.name} is no click command. "
                "See: chatseq plugins doctor"
            )
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # caught here, since click itself would exit with 1
            # The reader has left (`chatseq history list | head`); closing must not complain again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0


@click.group(
    cls=CommandGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(VERSION, prog_name="chatseq")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def cli(ctx: click.Context, debug: bool) -> int:
    """Turn a file of questions and answers into a private chatbot.

    Without a command it chats; the first time, it trains the starter bot.
    """
    ctx.ensure_object(dict)["debug"] = debug
    if ctx.invoked_subcommand is None:
        command = cli.get_command(ctx, DEFAULT_COMMAND)
        if command is not None:
            return int(ctx.invoke(command) or 0)
    return 0


def registry_of(ctx: click.Context) -> Registry:
    """Return the plugins of this run; they are looked for once."""
    root = ctx.find_root()
    kept: dict[str, Any] = root.ensure_object(dict)
    if "registry" not in kept:
        kept["registry"] = installed_plugins()
    found = kept["registry"]
    assert isinstance(found, Registry)  # noqa: S101  (put there two lines above or by a test)
    return found


def overrides(strategy: str | None, settings: tuple[str, ...]) -> tuple[str, ...]:
    """Return the settings that the options of a command ask for."""
    return (*((f"decoding.strategy.name={strategy}",) if strategy else ()), *settings)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program and exit: 0 good, 1 error, 2 usage, 130 interrupted."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code."""
    take_any_text()
    with warnings.catch_warnings():
        warnings.simplefilter("default", OldName)  # each once
        warnings.showwarning = _show_warning
        return _run(list(sys.argv[1:] if arguments is None else arguments))


def _run(given: list[str]) -> int:
    try:
        outcome = cli.main(args=given, prog_name="chatseq", standalone_mode=False)
    except click.exceptions.Abort:
        return INTERRUPTED
    except KeyboardInterrupt:
        return INTERRUPTED
    except click.ClickException as fault:
        fault.show()
        return fault.exit_code
    except ChatseqError as fault:
        _show(fault, given)
        return fault.exit_code
    except Exception as fault:  # the last resort: a user never sees a traceback unasked
        _show(fault, given, "This is a fault of chatseq; --debug shows where it happened.")
        return 1
    return outcome if isinstance(outcome, int) else 0


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Tell of an old name on one line; other warnings are for developers."""
    if issubclass(category, OldName):
        tell(str(message))
    else:
        (file or sys.stderr).write(
            warnings.formatwarning(message, category, filename, lineno, line)
        )


def _show(fault: Exception, given: list[str], hint: str = "") -> None:
    if "--debug" in given:
        traceback.print_exception(fault)
    message = str(fault) if isinstance(fault, ChatseqError) else f"{type(fault).__name__}: {fault}"
    tell_error(f"{message} {hint}".strip())
