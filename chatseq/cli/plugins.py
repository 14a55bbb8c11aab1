"""`chatseq plugins`: which parts there are, what one of them takes, and what is broken."""

from __future__ import annotations

import click

from chatseq.cli.main import registry_of
from chatseq.cli.output import say, say_json, say_table
from chatseq.describe import Description, describe
from chatseq.errors import PartError, did_you_mean
from chatseq.hookspecs import PART_HOOKS
from chatseq.paths import plugins_folder
from chatseq.plugins import Part, Registry

ACTIVE = "active"
CONTESTED = "contested"
SET_ASIDE = "set aside"


@click.group()
def plugins() -> None:
    """List the parts that plugins bring, show one, find what is broken."""


@plugins.command("list")
@click.option("--kind", help="Only one kind of part, for example attention.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def list_parts(ctx: click.Context, kind: str | None, as_json: bool) -> None:
    """List every part by kind and name."""
    _check_kind(kind)
    rows = [row for row in part_rows(registry_of(ctx)) if kind in (None, row["kind"])]
    if as_json:
        say_json(rows)
        return
    columns = ("kind", "name", "plugin", "version", "status", "summary")
    say_table(columns, [[row[column] for column in columns] for row in rows], empty="No parts.")


@plugins.command("show")
@click.argument("name")
@click.option("--kind", help="The kind, where one name serves several.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def show_part(ctx: click.Context, name: str, kind: str | None, as_json: bool) -> None:
    """Show what a part does and which options it takes."""
    _check_kind(kind)
    found = _named(registry_of(ctx), name, kind)
    if as_json:
        say_json([_as_value(part, describe(part)) for part in found])
        return
    for part in found:
        _say_part(part, describe(part))


@plugins.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def diagnose(ctx: click.Context, as_json: bool) -> int:
    """Check every plugin and load every part; exit 1 when one is broken."""
    registry = registry_of(ctx)
    faults = [str(fault) for fault in registry.faults] + _unloadable(registry)
    if as_json:
        say_json({"plugins": len(registry.plugins), "faults": faults})
    else:
        for plugin in registry.plugins:
            say(f"{plugin.name} {plugin.version} ({plugin.import_ms:.1f} ms): in use")
        for fault in faults:
            say(f"broken: {fault}")
        say(f"One-file plugins are looked for in {plugins_folder()}")
        say(f"{len(registry.plugins)} plugins in use, {len(faults)} faults.")
    return 1 if faults else 0


def part_rows(registry: Registry) -> list[dict[str, str]]:
    """Return a row for every part and every plugin that was set aside."""
    used = [(part, ACTIVE) for kind in PART_HOOKS for part in registry.parts(kind).values()]
    rows = [_row(part, status) for part, status in used]
    rows += [_row(part, CONTESTED) for part in registry.contested()]
    in_use = {plugin.name for plugin in registry.plugins}
    for fault in registry.faults:
        if fault.plugin not in in_use:
            text = {"kind": "plugin", "name": fault.plugin, "plugin": fault.plugin}
            rows.append({**text, "version": "", "status": SET_ASIDE, "summary": str(fault)})
    return rows


def _row(part: Part, status: str) -> dict[str, str]:
    return {
        "kind": part.kind,
        "name": part.name,
        "plugin": part.plugin.name,
        "version": part.plugin.version,
        "status": status,
        "summary": describe(part).summary,
    }


def _check_kind(kind: str | None) -> None:
    if kind is not None and kind not in PART_HOOKS:
        raise PartError(f"No kind of part named '{kind}'.{did_you_mean(kind, PART_HOOKS)}")


def _named(registry: Registry, name: str, kind: str | None) -> list[Part]:
    kinds = [kind] if kind else list(PART_HOOKS)
    found = [registry.parts(each)[name] for each in kinds if name in registry.parts(each)]
    if not found:
        names = {name for each in kinds for name in registry.parts(each)}
        raise PartError(f"No part named '{name}'.{did_you_mean(name, names)}")
    return found


def _as_value(part: Part, description: Description) -> dict[str, object]:
    options = [
        {"name": option.name, "type": option.type, "default": option.default}
        for option in description.options
    ]
    return {**_row(part, ACTIVE), "doc": description.doc, "options": options}


def _say_part(part: Part, description: Description) -> None:
    say(f"{part.kind} {part.name}, from plugin {part.plugin.name} {part.plugin.version}".rstrip())
    say()
    say(description.doc or "It has no description.")
    say()
    rows = [(option.name, option.type, option.default) for option in description.options]
    say_table(("option", "type", "default"), rows, empty="It has no options.")
    say()


def _unloadable(registry: Registry) -> list[str]:
    broken = []
    for kind in PART_HOOKS:
        for part in registry.parts(kind).values():
            try:
                part.load()
            except PartError as fault:
                broken.append(str(fault))
    return broken
