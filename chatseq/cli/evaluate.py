"""`chatseq evaluate`: ask a bot the questions of a file and judge its replies."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from chatseq.api import Bot
from chatseq.api import evaluate as judge
from chatseq.cli.corpus import read_files
from chatseq.cli.main import overrides, registry_of
from chatseq.cli.output import say_json, tell
from chatseq.composition import ALL_CORES
from chatseq.core.errors import ChatseqError

if TYPE_CHECKING:
    from chatseq.evaluation.report import Progress, Report


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--bot", "name", metavar="NAME", help="Which bot; else the one trained last.")
@click.option("--strategy", metavar="NAME", help="A decoding strategy, instead of the bot's own.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="A setting of the bot (decoding.max_length=20) or of a reader (csv.question=Frage).",
)
@click.option("--format", "format_", metavar="NAME", help="Reader, instead of guessing.")
@click.option("--encoding", metavar="NAME", help="Encoding of files without a mark.")
@click.option("--skip-bad", is_flag=True, help="Leave bad rows out and count them.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--details", is_flag=True, help="Print what lies behind the figures, too.")
@click.option(
    "--html", type=click.Path(path_type=Path), metavar="FILE", help="Write a page with plots, too."
)
@click.pass_context
def evaluate(
    ctx: click.Context,
    /,
    files: tuple[str, ...],
    name: str | None,
    as_json: bool,
    details: bool,
    html: Path | None,
    **given: Any,
) -> None:
    """Ask a bot the questions of a file and judge its replies.

    Rows with the same question are one question with several right answers. An empty answer marks
    a question that the bot must decline.
    """
    if html is not None:
        _check_place(html)
    registry = registry_of(ctx)
    exchanges, settings = read_files(registry, files, given, tell_skipped="were left out.")
    bot = Bot.load(
        name,
        settings=overrides(given["strategy"], settings),
        corrections=False,
        threads=ALL_CORES,
        registry=registry,
    )
    with _bar() as on_progress:
        report = judge(bot, exchanges, on_progress=on_progress, registry=registry)
    for fault in report.faults:
        tell(fault)
    _show(report, as_json=as_json, details=details)
    if html is not None:
        _write_page(html, report, bot.name, files)


def _show(report: Report, *, as_json: bool, details: bool) -> None:
    if not as_json:
        from chatseq.cli.evaluation_view import show

        show(report, full=details)
        return
    from chatseq.evaluation.report import DETAILS

    more = {DETAILS: report.details.as_json()} if details else {}
    say_json({**report.figures(), **more})


def _check_place(file: Path) -> None:
    """Refuse a place for a page now, not after minutes of work.

    Raises:
        ChatseqError: it cannot be written, or something else stands there.
    """
    from chatseq.evaluation.page import BEGIN

    try:
        if not file.parent.is_dir():
            raise _no_page(file, "there is no such folder")
        if not file.exists():
            return
        if not file.is_file():
            raise _no_page(file, "it is no file")
        with file.open("rb") as stream:
            begin = stream.read(len(BEGIN))
    except OSError as fault:
        raise _no_page(file, fault.strerror or str(fault)) from fault
    if begin != BEGIN.encode():
        raise _no_page(file, "it exists, and is no page of an evaluation")


def _write_page(file: Path, report: Report, bot: str, files: tuple[str, ...]) -> None:
    from chatseq.core.files import write_whole
    from chatseq.evaluation.page import page

    names = [Path(each).name for each in files]
    try:
        write_whole(file, page(report, bot=bot, files=names).encode())
    except OSError as fault:
        raise _no_page(file, fault.strerror or str(fault)) from fault
    tell(f"Wrote {file}.")


def _no_page(file: Path, why: str) -> ChatseqError:
    return ChatseqError(f"Cannot write {file}: {why}. Name another file with --html.")


@contextmanager
def _bar() -> Iterator[Callable[[Progress], None] | None]:
    """Give what shows progress where a person is watching; it is gone before the figures come."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Evaluating", total=None)
        yield lambda event: bar.update(task, completed=event.done, total=event.total)
