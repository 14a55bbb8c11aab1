"""How commands print: safe text, tables, and JSON that shares stdout with nothing."""

from __future__ import annotations

import io
import json
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click

from chatseq.text.display_width import Page, takes_unicode
from chatseq.text.terminal import safe, safe_json, safe_line


def take_any_text() -> None:
    """Let no byte that is no text end the program, and no character that stdout cannot hold."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # None, for example, without a console
            stream.reconfigure(errors="replace")


def say(text: str = "") -> None:
    """Print text that may come from anywhere."""
    click.echo(safe(text))


def tell(text: str) -> None:
    """Print a remark to stderr, so that stdout holds results alone."""
    click.echo(safe(text), err=True)


def tell_error(text: str) -> None:
    """Print an error as one line on stderr."""
    click.echo(f"Error: {safe_line(text)}", err=True)


def say_json(value: Any) -> None:
    """Print one JSON value on one line."""
    document = json.dumps(value, ensure_ascii=not _prints_unicode(), allow_nan=False)
    click.echo(safe_json(document))


def page() -> Page:
    """Return what fits on a line of stdout; the usual length where it is no terminal."""
    return Page(shutil.get_terminal_size().columns - 1, blocks=_prints_unicode())


def _prints_unicode() -> bool:
    return takes_unicode(getattr(sys.stdout, "encoding", None))


def say_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str = "") -> None:
    """Print a table that fits the terminal; `empty` is said instead when there are no rows."""
    listed = [[safe_line(str(cell)) for cell in row] for row in rows]
    if not listed:
        say(empty)
        return
    from rich.console import Console  # 0.1 s that JSON output need not pay
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in listed:
        table.add_row(*(Text(cell) for cell in row))
    Console(soft_wrap=False).print(table)
