"""How a regression report looks: the counts, and the worst of what changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from chatseq.cli.history_access import count
from chatseq.cli.training_view import cut

if TYPE_CHECKING:
    from chatseq.training.answer_diff import Change, Regression

_SHOWN = 10
_NOTHING = "(declined)"


def regression_lines(regression: Regression) -> Iterator[str]:
    """Yield the lines of a report, safe for a terminal."""
    accepted = count(len(regression.corrections), "accepted answer")
    yield f"{regression.said} of {accepted} {'is' if regression.said == 1 else 'are'} said now."
    missed = [change for change in regression.corrections if change.now != "right"]
    for change in missed[:_SHOWN]:
        yield from _change_lines(f"not learnt: {cut(change.question)}", change)
    yield _counts(regression)
    for change in regression.changes[:_SHOWN]:
        yield from _change_lines(f"{change.kind}: {cut(change.question)}", change)
    if (more := len(regression.changes) - _SHOWN) > 0:
        yield f"  and {more} more"


def _counts(regression: Regression) -> str:
    asked, changed = regression.asked, len(regression.changes)
    asked_about = f"Of {count(asked, 'old question')} from the corpus"
    if not changed:
        return f"{asked_about}, none is answered otherwise."
    neither = changed - regression.worse - regression.better
    return (
        f"{asked_about}, {changed} {'is' if changed == 1 else 'are'} answered otherwise: "
        f"{regression.worse} worse, {regression.better} better, {neither} neither. "
        f"Right before: {regression.right_before / asked:.1%}; now: "
        f"{regression.right_after / asked:.1%}."
    )


def _change_lines(head: str, change: Change) -> Iterator[str]:
    yield f"  {head}"
    yield f"    before: {cut(change.before) or _NOTHING}"
    yield f"    now:    {cut(change.after) or _NOTHING}"
    yield f"    wanted: {cut(change.wanted[0]) or _NOTHING}"
