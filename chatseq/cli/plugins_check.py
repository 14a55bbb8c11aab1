"""`chatseq plugins check`: run the contract checks on what a plugin brings."""

from __future__ import annotations

import contextlib
import io
import textwrap
import warnings
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from chatseq.cli.main import registry_of
from chatseq.cli.output import say, say_json
from chatseq.cli.plugins_show import check_kind, named
from chatseq.core.errors import PartError
from chatseq.core.plugins import Part, Registry
from chatseq.text.terminal import safe_line

if TYPE_CHECKING:
    from chatseq.testing.check import Outcome

WIDTH = 80
INDENT = 27  # of a reason, below the name of its check


@click.command()
@click.argument("name")
@click.option("--kind", help="The kind, where one name serves several.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def check(ctx: click.Context, name: str, kind: str | None, as_json: bool) -> int:
    """Check that a part keeps to what its kind must, or all parts of a plugin.

    Exit 1 when a check is broken. What a part raises is told as such; one that never returns is
    not stopped.
    """
    check_kind(kind)
    parts = _found(registry_of(ctx), name, kind)
    outcomes = [(part, outcome) for part in parts for outcome in _checked(part)]
    if as_json:
        say_json([_as_value(part, outcome) for part, outcome in outcomes])
    else:
        for part in parts:
            _say_part(part, [outcome for of, outcome in outcomes if of is part])
    return 1 if any(outcome.result == "broken" for _, outcome in outcomes) else 0


def _found(registry: Registry, name: str, kind: str | None) -> list[Part]:
    """Return what to check.

    Raises:
        PartError: there is no such part or plugin, or the plugin was set aside.
    """
    if name not in {plugin.name for plugin in registry.plugins}:
        for fault in registry.faults:
            if fault.plugin == name:
                raise PartError(f"{fault}. Mend that first; nothing of it is in use.")
    return named(registry, name, kind)


def _checked(part: Part) -> list[Outcome]:
    """Check a part in silence: what it prints is not what this command says."""
    from chatseq.testing.run import check_installed  # the checks of networks import torch

    with _silence():
        return check_installed(part)


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    nowhere = io.StringIO()
    quiet = contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere)
    with quiet[0], quiet[1], warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _as_value(part: Part, outcome: Outcome) -> dict[str, object]:
    return {
        "kind": part.kind,
        "name": part.name,
        "check": outcome.check.name,
        "result": outcome.result.value,
        "reason": outcome.reason,
        "milliseconds": outcome.milliseconds,
    }


def _say_part(part: Part, outcomes: list[Outcome]) -> None:
    say(f"{part.kind} {part.name}, of plugin {part.plugin.name}")
    for outcome in outcomes:
        result, took = outcome.result.value, f"{outcome.milliseconds:.0f} ms"
        say(f"  {result:14} {took:>8}  {outcome.check.name}")
        for line in textwrap.wrap(safe_line(outcome.reason), WIDTH - INDENT):
            say(" " * INDENT + line)
    counts = Counter(outcome.result.value for outcome in outcomes)
    say(", ".join(f"{count} {result}" for result, count in counts.most_common()))
    say()
