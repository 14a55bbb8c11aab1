"""`chatseq plugins`: which parts there are, and what is broken; more commands lie beside it."""

from __future__ import annotations

import click

from chatseq.cli.main import registry_of
from chatseq.cli.output import say, say_json
from chatseq.cli.plugins_check import check
from chatseq.cli.plugins_list import part_rows, plugin_rows, say_listing
from chatseq.cli.plugins_new import new
from chatseq.cli.plugins_show import check_kind, show
from chatseq.cli.plugins_switch import off, on
from chatseq.core.disabled import read_disabled
from chatseq.core.errors import PartError
from chatseq.core.paths import plugins_folder
from chatseq.core.plugins import Registry
from chatseq.hookspecs import PART_HOOKS


@click.group()
def plugins() -> None:
    """List the parts that plugins bring, show, check, write and switch them."""


for _command in (check, new, off, on, show):
    plugins.add_command(_command)


@plugins.command("list")
@click.option("--kind", help="Only one kind of part, for example attention.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def list_parts(ctx: click.Context, kind: str | None, as_json: bool) -> None:
    """List every part by kind and name, and the plugins that bring them."""
    check_kind(kind)
    registry = registry_of(ctx)
    rows = [row for row in part_rows(registry) if kind in (None, row["kind"])]
    if as_json:
        say_json(rows)
        return
    named = {row["plugin"] for row in rows}
    of_plugins = [row for row in plugin_rows(registry) if kind is None or row["name"] in named]
    say_listing(rows, of_plugins)


@plugins.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def diagnose(ctx: click.Context, as_json: bool) -> int:
    """Check every plugin and load every part; exit 1 when one is broken."""
    registry = registry_of(ctx)
    damage = read_disabled().fault
    faults = [str(fault) for fault in registry.faults] + _unloadable(registry)
    faults += [damage] if damage else []
    switched_off = [plugin.name for plugin in registry.off]
    if as_json:
        say_json({"plugins": len(registry.plugins), "faults": faults, "off": switched_off})
        return 1 if faults else 0
    for plugin in registry.plugins:
        say(f"{plugin.name} {plugin.version} ({plugin.import_ms:.1f} ms): in use")
    for name in switched_off:
        say(f"{name}: switched off; back on with: chatseq plugins on {name}")
    for fault in faults:
        say(f"broken: {fault}")
    say(f"One-file plugins are looked for in {plugins_folder()}")
    say(f"{len(registry.plugins)} plugins in use, {len(faults)} faults.")
    return 1 if faults else 0


def _unloadable(registry: Registry) -> list[str]:
    broken = []
    for kind in PART_HOOKS:
        for part in registry.parts(kind).values():
            try:
                part.load()
            except PartError as fault:
                broken.append(str(fault))
    return broken
