"""`chatseq bots`: the trained bots on this computer; hand one on as a file, take one in."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from chatseq.api import list_bots as list_of_bots
from chatseq.bots.bundle import (
    Bundle,
    BundleListing,
    Manifest,
    bot_folder,
    find_bot,
    open_bundle,
)
from chatseq.cli.output import say, say_json, say_table, tell
from chatseq.core.errors import BundleError
from chatseq.text.terminal import safe_line

SUFFIX = ".chatseq"


@click.group()
def bots() -> None:
    """List, show and remove trained bots; export and import them as files."""


@bots.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_bots(as_json: bool) -> None:
    """List the bots; a star marks the one that answers by default."""
    from chatseq.bots.bundle import default_bot

    default = default_bot()
    listed = list_of_bots()
    if as_json:
        say_json([_row_value(bot, default) for bot in listed])
        return
    columns = ("", "bot", "trained", "exchanges", "right", "size")
    rows = [_row(bot, default) for bot in listed]
    say_table(columns, rows, empty="No bots yet. Train one: chatseq train FILE")
    for bot in listed:
        if bot.fault:
            tell(f"Damaged: {bot.fault}")


@bots.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(name: str, as_json: bool) -> None:
    """Show what a bot was trained on, what it needs and how good it is."""
    bundle = open_bundle(find_bot(name))
    if as_json:
        value = {"name": bundle.name, "folder": str(bundle.folder), **_shown(bundle.manifest)}
        say_json({**value, "recipe": bundle.recipe().model_dump(mode="json")})
        return
    for key, text in _lines(bundle):
        say(f"{key:<10} {safe_line(text)}")
    say()
    say(bundle.recipe().to_toml().rstrip())


@bots.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(names: tuple[str, ...], yes: bool) -> None:
    """Remove bots for good; the corpora they were trained on stay."""
    from chatseq.bots.bundle import remove_bundle

    for name in names:
        if bot_folder(name).is_dir() and not (yes or _confirmed(name)):
            tell(f"The bot '{name}' was kept.")
            continue
        remove_bundle(name)
        tell(f"Removed the bot '{name}'.")


@bots.command()
@click.argument("name")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The file; NAME.chatseq.")
def export(name: str, output: Path | None) -> None:
    """Write a bot as one file that others can import."""
    from chatseq.bots.bundle import export_bundle

    file = export_bundle(name, output or Path(f"{name}{SUFFIX}"))
    say(str(file))


@bots.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--bot", help="Its name here; its own by default.")
@click.option("--replace", is_flag=True, help="Replace a bot of that name.")
def import_(file: Path, bot: str | None, replace: bool) -> None:
    """Take in a bot from a file; only files that a bot has are unpacked."""
    from chatseq.bots.bundle import import_bundle

    name = import_bundle(file, name=bot, replace=replace)
    say(name)
    tell(f"Chat with it: chatseq chat --bot {name}")


def _confirmed(name: str) -> bool:
    """Ask on a terminal; elsewhere nobody can answer.

    Raises:
        BundleError: there is no terminal to ask on.
    """
    if not sys.stdin.isatty():
        raise BundleError(f"The bot '{name}' was not removed: nobody can be asked. Add --yes.")
    return click.confirm(f"Remove the bot '{name}' for good?", err=True)


def _row(bot: BundleListing, default: str | None) -> tuple[object, ...]:
    value = _row_value(bot, default)
    star = "*" if value["default"] else ""
    if bot.manifest is None:
        return star, bot.name, "damaged", "", "", ""
    right = value["exact_match"]
    return (
        star,
        bot.name,
        _when(bot.manifest.created),
        value["exchanges"],
        "" if right is None else f"{right:.0%}",
        _size(bot.manifest),
    )


def _row_value(bot: BundleListing, default: str | None) -> dict[str, Any]:
    """Return what `list --json` tells of a bot."""
    manifest = bot.manifest
    return {
        "name": bot.name,
        "default": bot.name == default,
        "status": "damaged" if manifest is None else "good",
        "created": manifest.created if manifest else "",
        "exchanges": manifest.corpus.exchanges if manifest else 0,
        "exact_match": manifest.figures.get("exact_match") if manifest else None,
        "bytes": sum(file.size for file in manifest.files.values()) if manifest else 0,
        "fault": bot.fault,
    }


def _shown(manifest: Manifest) -> dict[str, Any]:
    """Return what `show` tells of a manifest; the checksums of single files say nobody anything."""
    return {
        "trained_as": manifest.name,
        "created": manifest.created,
        "chatseq": manifest.chatseq,
        "licence": manifest.licence,
        "plugins": dict(manifest.plugins),
        "corpus": asdict(manifest.corpus),
        "figures": dict(manifest.figures),
        "bytes": {name: record.size for name, record in manifest.files.items()},
    }


def _lines(bundle: Bundle) -> Iterator[tuple[str, str]]:
    """Yield what `show` tells people, by its name."""
    manifest = bundle.manifest
    yield "bot", bundle.name
    yield "folder", str(bundle.folder)
    yield "trained", f"{_when(manifest.created)} by chatseq {manifest.chatseq}"
    yield "corpus", f"{manifest.corpus.exchanges} exchanges {', '.join(manifest.corpus.sources)}"
    yield "licence", manifest.licence or "not stated"
    for name, figure in manifest.figures.items():
        yield "figure", f"{name} {'does not apply' if figure is None else f'{figure:.4g}'}"
    yield "plugins", ", ".join(f"{name} {version}" for name, version in manifest.plugins.items())
    yield "size", _size(manifest)


def _when(created: str) -> str:
    return created[:16].replace("T", " ")


def _size(manifest: Manifest) -> str:
    return f"{sum(file.size for file in manifest.files.values()) / 1e6:.1f} MB"
