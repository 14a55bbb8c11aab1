"""`chatseq plugins show`: what a part does, and everything that can be set."""

from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Iterator

import click

from chatseq.cli.main import registry_of
from chatseq.cli.output import say, say_json
from chatseq.cli.plugins_list import ACTIVE, part_row
from chatseq.core.describe import Description, OptionText, describe
from chatseq.core.errors import ErrorKind, PartError, did_you_mean, nearest
from chatseq.core.plugins import Part, Registry, no_kind
from chatseq.hookspecs import PART_HOOKS
from chatseq.scaffold.kinds import how_to_use

WIDEST = 100  # columns of prose
_MOST_NAMED = 30  # names that an error lists
_LITERAL = re.compile(r"(?:\w+\.)?Literal\[([^\]]*)\]")


@click.command()
@click.argument("name")
@click.option("--kind", help="The kind, where one name serves several.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def show(ctx: click.Context, name: str, kind: str | None, as_json: bool) -> None:
    """Show what a part does, its options and its papers, or all parts of a plugin."""
    check_kind(kind)
    found = named(registry_of(ctx), name, kind)
    if as_json:
        say_json([_as_value(part, describe(part)) for part in found])
        return
    width = min(shutil.get_terminal_size().columns, WIDEST)
    for number, part in enumerate(found):
        if number:
            say()
        for line in _lines(part, describe(part), width):
            say(line)


def check_kind(kind: str | None) -> None:
    """Refuse what is no kind of part.

    Raises:
        PartError: it is none.
    """
    if kind is not None and kind not in PART_HOOKS:
        raise no_kind(kind)


def named(registry: Registry, name: str, kind: str | None) -> list[Part]:
    """Return the parts of this name, or all parts of the plugin of this name.

    Raises:
        PartError: there are none, or what has them is switched off or contested.
    """
    kinds = [kind] if kind else list(PART_HOOKS)
    parts = [part for each in kinds for part in registry.parts(each).values()]
    found = [part for part in parts if part.name == name]
    found = found or [part for part in parts if part.plugin.name == name]
    if found:
        return found
    for each in kinds:
        registry.refuse_if_off(each, name)
    for part in registry.contested():
        if part.name == name and part.kind in kinds:
            registry.find(part.kind, name)
    names = {part.name for part in parts}
    hint = did_you_mean(name, names)
    if len(names) > _MOST_NAMED and all(each in hint for each in names):
        hint = " See: chatseq plugins list"
    hint += registry.off_hint()
    raise PartError(
        f"No part named '{name}'.{hint}",
        kind=ErrorKind.PART_NOT_FOUND,
        place=name,
        choices=nearest(name, names),
    )


def _as_value(part: Part, description: Description) -> dict[str, object]:
    options = [
        {"name": each.name, "type": each.type, "default": each.default, "doc": each.doc}
        for each in description.options
    ]
    return {
        **part_row(part, ACTIVE),
        "doc": description.doc,
        "options": options,
        "papers": list(description.papers),
        "place": description.place,
    }


def _lines(part: Part, description: Description, width: int) -> Iterator[str]:
    yield f"{part.kind} {part.name}"
    yield f"  plugin  {part.plugin.name} {part.plugin.version}".rstrip()
    if description.place:
        yield f"  file    {description.place}"
    for paper in description.papers:
        yield f"  paper   {paper}"
    yield f"  use     {how_to_use(part.kind, part.name)}"
    yield ""
    for paragraph in (description.prose or "It has no description.").split("\n\n"):
        yield from _filled(paragraph, width)
        yield ""
    yield "options" if description.options else "It has no options."
    for option in description.options:
        yield from _option_lines(option, width)


def _filled(paragraph: str, width: int) -> list[str]:
    """Return a paragraph in lines of this width; lists, tables and code stay as they are."""
    lines = paragraph.split("\n")
    if any(line[:1] in (" ", "-", "*", "|") for line in lines):
        return lines
    return textwrap.wrap(" ".join(paragraph.split()), width)


def _option_lines(option: OptionText, width: int) -> Iterator[str]:
    default = f" = {option.default}" if option.default else "  (must be given)"
    yield f"  {option.name}: {_readable(option.type)}{default}"
    yield from textwrap.wrap(option.doc, width, initial_indent=" " * 6, subsequent_indent=" " * 6)


def _readable(kind: str) -> str:
    return _LITERAL.sub(lambda found: found[1].replace(", ", " | "), kind) or "anything"
