"""How an evaluation looks on a terminal: figures in groups, then what went wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from chatseq.cli.output import page, say, say_table
from chatseq.evaluation.labels import grouped
from chatseq.text.display_width import shortened
from chatseq.text.terminal import safe_line

if TYPE_CHECKING:
    from chatseq.evaluation.curves import Threshold
    from chatseq.evaluation.details import Case, Details
    from chatseq.evaluation.report import Report

_FEW = 5  # of every list, where details were not asked for
_TO_DECLINE = "(decline)"
_NUMBER = 10  # columns that a number and its gap take
_NONE = "-"


def show(report: Report, *, full: bool) -> None:
    """Print a report; what went wrong in full, or the worst of it."""
    _show_figures(report)
    details = report.details
    if full:
        _show_sources(details)
        _show_thresholds(details.thresholds)
    most = None if full else _FEW
    _show_cases("Wrong, the most confident first", "said", details.wrong[:most])
    title = "Declined by mistake, the most confident first"
    _show_cases(title, "would have said", details.wrongly_declined[:most])
    width = (page().columns - _NUMBER) // 2
    confused = [
        (one.times, shortened(one.wanted, width) or _TO_DECLINE, shortened(one.said, width))
        for one in details.confusions[:most]
    ]
    _show_list("Confused most often", ("times", "wanted", "said"), confused)


def _show_figures(report: Report) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_header=False)
    for title, rows in grouped(report.figures()):
        if table.row_count:
            table.add_row("")
        table.add_row(Text(title, style="bold"))
        for row in rows:
            table.add_row(*(Text(safe_line(cell)) for cell in row))
    Console(soft_wrap=False).print(table)


def _show_cases(title: str, guess: str, cases: Sequence[Case]) -> None:
    width = (page().columns - _NUMBER) // 3 - 1
    rows = [
        (
            f"{case.confidence:.3f}",
            shortened(case.question, width),
            shortened(" | ".join(case.wanted), width) or _TO_DECLINE,
            shortened(case.guess, width),
        )
        for case in cases
    ]
    _show_list(title, ("sure", "question", "wanted", guess), rows)


def _show_sources(details: Details) -> None:
    rows = [(each.source, each.replies, each.right) for each in details.sources]
    _show_list("Where the replies came from", ("source", "replies", "right"), rows)


def _show_thresholds(found: Iterable[Threshold]) -> None:
    rows = [
        (
            f"{each.threshold:.4f}",
            _share(each.wrongly_declined),
            _share(each.declined),
            _share(each.exact_match),
        )
        for each in found
    ]
    title = "Thresholds to choose from (--set responder.decline_below=...)"
    columns = ("threshold", "declined by mistake", "declined as wanted", "answered word for word")
    _show_list(title, columns, rows)


def _show_list(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    if rows:
        say(f"\n{title}")
        say_table(columns, rows)


def _share(value: float | None) -> str:
    return _NONE if value is None else f"{100 * value:.1f} %"
