"""`chatseq corpus`: look at a corpus before anything learns it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from chatseq.api import read_corpus
from chatseq.cli.main import registry_of
from chatseq.cli.output import say, say_json, say_table, tell
from chatseq.core.errors import CorpusError

if TYPE_CHECKING:
    from chatseq.core.exchange import Exchange
    from chatseq.core.plugins import Registry
    from chatseq.corpus.check import CorpusCheck, Finding
    from chatseq.corpus.read import ReadOptions


@click.group()
def corpus() -> None:
    """Check and show files of questions and answers."""


def reading_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the arguments of reading a corpus; `read_options` takes them."""
    for decorate in (
        click.option("--set", "settings", multiple=True, metavar="READER.OPTION=VALUE",
                     help="An option of a reader, such as csv.question=Frage."),
        click.option("--skip-bad", is_flag=True, help="Leave bad rows out and count them."),
        click.option("--encoding", metavar="NAME", help="Encoding of files without a mark."),
        click.option("--format", "format_", metavar="NAME", help="Reader, instead of guessing."),
        click.argument("files", nargs=-1, required=True, metavar="FILE..."),
    ):  # fmt: skip
        command = decorate(command)
    return command


def read_options(given: dict[str, Any]) -> ReadOptions:
    """Return what the options of `reading_options` say."""
    from chatseq.corpus.read import ReadOptions

    return ReadOptions(
        format=given["format_"],
        encoding=given["encoding"],
        skip_bad=given["skip_bad"],
        settings=given["settings"],
    )


def read_files(
    registry: Registry, files: tuple[str, ...], given: dict[str, Any], *, tell_skipped: str
) -> tuple[list[Exchange], tuple[str, ...]]:
    """Return what files hold, and the settings that are not for readers; tell of bad rows."""
    from dataclasses import replace

    from chatseq.corpus.read import ReadReport, reader_settings

    for_readers, others = reader_settings(registry, given["settings"])
    options = replace(read_options(given), settings=for_readers)
    report = ReadReport()
    exchanges = list(read_corpus(files, options=options, report=report, registry=registry))
    if report.skipped:
        tell(f"{report.skipped} bad rows {tell_skipped}")
    return exchanges, others


@corpus.command()
@reading_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def check(ctx: click.Context, /, files: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Count, measure and look for what is wrong.

    All bad rows are counted; without --skip-bad they end in an error that tells the first.
    """
    from dataclasses import replace

    from chatseq.corpus.check import check_corpus
    from chatseq.corpus.read import ReadReport

    options = replace(read_options(given), skip_bad=True)
    report = ReadReport()
    exchanges = read_corpus(files, options=options, report=report, registry=registry_of(ctx))
    try:
        found = check_corpus(exchanges, report)
    except CorpusError as fault:
        if given["skip_bad"] or not report.bad.first_message:
            raise
        raise report.bad.first_error() from fault
    if as_json:
        say_json(asdict(found))
    else:
        _say_check(found)
    if report.bad.first_message and not given["skip_bad"]:
        raise report.bad.first_error()


@corpus.command()
@reading_options
@click.option("-n", "count", default=10, show_default=True, type=click.IntRange(min=1),
              help="How many exchanges.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list.")
@click.pass_context
def show(
    ctx: click.Context, /, files: tuple[str, ...], count: int, as_json: bool, **given: Any
) -> None:
    """Show the first exchanges as chatseq reads them."""
    from itertools import islice

    exchanges = read_corpus(files, options=read_options(given), registry=registry_of(ctx))
    first = list(islice(exchanges, count))
    if as_json:
        say_json([asdict(exchange) for exchange in first])
        return
    for exchange in first:
        tags = f"  [{', '.join(exchange.tags)}]" if exchange.tags else ""
        say(f"{exchange.source}{tags}")
        for turn in exchange.context:
            say(_indented("  |", turn))
        say(_indented("  ?", exchange.question))
        say(_indented("  >", exchange.answer or "(to be declined)"))


def _indented(mark: str, text: str) -> str:
    return f"{mark} " + text.replace("\n", f"\n{' ' * len(mark)} ")


def _say_check(found: CorpusCheck) -> None:
    rows = [(file.name, file.format, file.encoding, file.exchanges) for file in found.files]
    say_table(("file", "format", "encoding", "exchanges"), rows)
    say()
    say_table(("what", "count"), [(what, finding.count) for what, finding in _figures(found)])
    say()
    lengths = (("questions", found.question_lengths), ("answers", found.answer_lengths))
    say_table(
        ("characters", "median", "95 %", "longest"),
        [(name, of.median, of.p95, of.longest) for name, of in lengths],
    )
    say()
    for what, finding in _figures(found):
        if finding.places:
            say(f"{what}: {', '.join(finding.places)}")
    for overlap in found.overlaps:
        where = ", ".join(overlap.places)
        say(f"{overlap.questions} questions are in {overlap.first} and {overlap.second}: {where}")


def _figures(found: CorpusCheck) -> Iterator[tuple[str, Finding]]:
    """Yield the lines of the table: counts always, findings only where there is something."""
    from chatseq.corpus.check import Finding

    yield "exchanges", Finding(found.exchanges)
    yield "distinct exchanges", Finding(found.distinct_exchanges)
    yield "distinct questions", Finding(found.distinct_questions)
    yield "distinct answers", Finding(found.distinct_answers)
    findings = {
        "with earlier turns": Finding(found.with_context),
        "repeated exchanges": found.duplicates,
        "questions with several answers": found.several_answers,
        "empty answers, to be declined": found.empty_answers,
        "likely encoding faults": found.encoding_faults,
    }
    findings |= found.notes
    findings |= {f"left out: {what}": bad for what, bad in found.bad_rows.items()}
    yield from ((what, finding) for what, finding in findings.items() if finding.count)
