"""The listing of `chatseq plugins list`: parts by kind, one line each, then the plugins."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from chatseq.cli.output import say
from chatseq.core.describe import summary_of
from chatseq.core.plugins import Disabled, Part, Registry
from chatseq.hookspecs import PART_HOOKS
from chatseq.text.terminal import safe_line

ACTIVE = "active"
CONTESTED = "contested"
OFF = "off"
SET_ASIDE = "set aside"
PLUGIN = "plugin"  # stands in for the kind, where parts are not known

Row = dict[str, Any]


def part_rows(registry: Registry) -> list[Row]:
    """Return a row for every part, and for every plugin whose parts are not known."""
    rows = [part_row(p, ACTIVE) for kind in PART_HOOKS for p in registry.parts(kind).values()]
    rows += [part_row(part, CONTESTED) for part in registry.contested()]
    rows += [row for plugin in registry.off for row in _rows_of_switched_off(plugin)]
    rows += [_row(PLUGIN, name, name, "", SET_ASIDE, what) for name, what in _set_aside(registry)]
    kinds = [*PART_HOOKS, PLUGIN]
    return sorted(rows, key=lambda row: kinds.index(row["kind"]))


def plugin_rows(registry: Registry) -> list[Row]:
    """Return a row for every plugin: name, version, import_ms and status."""
    rows: list[Row] = [
        {
            "name": plugin.name,
            "version": plugin.version,
            "import_ms": round(plugin.import_ms, 1),
            "status": ACTIVE,
        }
        for plugin in registry.plugins
    ]
    idle = [(plugin.name, plugin.version, OFF) for plugin in registry.off]
    idle += [(name, "", SET_ASIDE) for name, _ in _set_aside(registry)]
    for name, version, status in idle:
        rows.append({"name": name, "version": version, "import_ms": None, "status": status})
    return sorted(rows, key=lambda row: str(row["name"]))


def part_row(part: Part, status: str) -> Row:
    """Return the row of a part."""
    plugin = part.plugin
    row = _row(part.kind, part.name, plugin.name, plugin.version, status, summary_of(part))
    row["import_ms"] = round(plugin.import_ms, 1)
    return row


def say_listing(rows: Sequence[Row], plugins: Sequence[Row]) -> None:
    """Print the parts by kind and plugin, and then the plugins; it fits the terminal there is."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for kind, of_kind in groupby(rows, key=lambda row: str(row["kind"])):
        by_plugin = sorted(of_kind, key=lambda row: str(row["plugin"]))
        for plugin, parts in groupby(by_plugin, key=lambda row: str(row["plugin"])):
            say(f"{kind} ({safe_line(plugin)})")
            _say_columns([(safe_line(row["name"]), _told(row)) for row in parts], width)
            say()
    if not rows:
        say("No parts.")
        return
    say("plugins")
    _say_columns([_columns(plugin) for plugin in plugins], width)


def _columns(plugin: Row) -> tuple[str, ...]:
    took = plugin["import_ms"]
    imported = "" if took is None else f"{took:.1f} ms"
    return safe_line(plugin["name"]), plugin["version"], imported.rjust(9), plugin["status"]


def _told(row: Row) -> str:
    status = "" if row["status"] == ACTIVE else f"[{row['status']}] "
    return safe_line(f"{status}{row['summary']}")


def _say_columns(rows: Sequence[Sequence[str]], width: int | None) -> None:
    """Print rows of cells, all but the last as wide as the widest of their column."""
    from rich.cells import cell_len, set_cell_size  # wide characters take two columns

    widths = [max(map(cell_len, column)) for column in list(zip(*rows, strict=True))[:-1]]
    for *cells, last in rows:
        padded = [set_cell_size(cell, w) for cell, w in zip(cells, widths, strict=True)]
        line = "  ".join(["", *padded, last]).rstrip()
        if width is not None and cell_len(line) > width:
            line = set_cell_size(line, width - 1).rstrip() + "…"
        say(line)


def _rows_of_switched_off(plugin: Disabled) -> Iterator[Row]:
    told = f"Switched off; back on with: {plugin.way_back}"
    names = [(kind, name) for kind, names in plugin.parts.items() for name in names]
    for kind, name in names or [(PLUGIN, plugin.name)]:
        if kind in (*PART_HOOKS, PLUGIN):
            yield _row(kind, name, plugin.name, plugin.version, OFF, told)


def _set_aside(registry: Registry) -> Iterator[tuple[str, str]]:
    """Yield the name of each plugin that is not used at all, and what is wrong with it."""
    in_use = {plugin.name for plugin in registry.plugins}
    for fault in registry.faults:
        if fault.plugin not in in_use:
            yield fault.plugin, str(fault)


def _row(kind: str, name: str, plugin: str, version: str, status: str, summary: str) -> Row:
    return {
        "kind": kind,
        "name": name,
        "plugin": plugin,
        "version": version,
        "status": status,
        "summary": summary,
        "import_ms": None,
    }
