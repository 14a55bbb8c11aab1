"""How a report of changed answers looks: the counts, and the worst of what changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from chatseq.cli.history_access import count
from chatseq.cli.training_view import cut

if TYPE_CHECKING:
    from chatseq.training.answer_diff import AnswerDiffReport, Change

_SHOWN = 10
_NOTHING = "(declined)"


def answer_diff_lines(report: AnswerDiffReport) -> Iterator[str]:
    """Yield the lines of a report, safe for a terminal."""
    accepted = count(len(report.corrections), "accepted answer")
    yield f"{report.said} of {accepted} {'is' if report.said == 1 else 'are'} said now."
    missed = [change for change in report.corrections if change.now != "right"]
    for change in missed[:_SHOWN]:
        yield from _change_lines(f"not learnt: {cut(change.question)}", change)
    yield _counts(report)
    for change in report.changes[:_SHOWN]:
        yield from _change_lines(f"{change.kind}: {cut(change.question)}", change)
    if (more := len(report.changes) - _SHOWN) > 0:
        yield f"  and {more} more"


def _counts(report: AnswerDiffReport) -> str:
    asked, changed = report.asked, len(report.changes)
    asked_about = f"Of {count(asked, 'old question')} from the corpus"
    if not changed:
        return f"{asked_about}, none is answered otherwise."
    neither = changed - report.worse - report.better
    return (
        f"{asked_about}, {changed} {'is' if changed == 1 else 'are'} answered otherwise: "
        f"{report.worse} worse, {report.better} better, {neither} neither. "
        f"Right before: {report.right_before / asked:.1%}; now: "
        f"{report.right_after / asked:.1%}."
    )


def _change_lines(head: str, change: Change) -> Iterator[str]:
    yield f"  {head}"
    yield f"    before: {cut(change.before) or _NOTHING}"
    yield f"    now:    {cut(change.after) or _NOTHING}"
    yield f"    wanted: {cut(change.wanted[0]) or _NOTHING}"
