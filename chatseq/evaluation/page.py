"""An evaluation as one HTML page, with nothing from elsewhere: no script, no font, no file.

Every text of a corpus or a model passes `_told`: safe first, then escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from chatseq.evaluation.curves import Threshold
from chatseq.evaluation.details import Case, Details
from chatseq.evaluation.labels import grouped
from chatseq.evaluation.plots import (
    STYLE,
    confidence_histogram,
    reliability_diagram,
    risk_coverage_curve,
    roc_curve,
)
from chatseq.evaluation.report import Report
from chatseq.text.terminal import safe

BEGIN = "<!doctype html>"
# Even if something slipped in, a browser would load and run nothing.
_LOADS_NOTHING = (
    '<meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
)

_STYLE = """
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 68rem; background: var(--paper);
  color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin-top: 2.5rem; }
p.note, td.note { color: var(--soft); }
.side { display: grid; gap: 1rem 2.5rem;
  grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); }
figure { margin: 0; }
figcaption { font-weight: 600; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: start; font-weight: 600; padding: .3rem 0; }
th, td { text-align: start; vertical-align: top; padding: .25rem 1rem .25rem 0;
  border-top: 1px solid var(--grid); }
th { font-weight: 600; color: var(--soft); }
td { white-space: pre-wrap; overflow-wrap: anywhere; }
td.number, th.number { text-align: end; white-space: nowrap; }
td.empty { color: var(--soft); font-style: italic; }
"""
_A_DASH = (
    "A dash: the figure does not apply, because nothing was asked that it could be taken over."
)
_ABOUT_PLOTS = (
    "All of these are over the best guess of every reply, also where it was declined. A question "
    "to be declined has no right answer."
)
_ABOUT_RELIABILITY = (
    "How often replies of a confidence are right. On the dashed line, confidence says just that; "
    "bars below it are too sure. Beneath: the share of the replies."
)
_ABOUT_HISTOGRAM = "Each kind has a scale of its own. The less they overlap, the better."
_ABOUT_RISK = (
    "If only the most confident replies were said: how many of those would be wrong. Low is good."
)
_ABOUT_ROC = "Up and to the left is good; the dashed line is guessing."
_ABOUT_THRESHOLDS = (
    "What declining below a confidence would do on these questions. Choose one with "
    "--set responder.decline_below=THRESHOLD where the responder has that option."
)
_NONE = "-"
_TO_DECLINE = "(to be declined)"
_NOTHING = "(nothing)"


def page(report: Report, *, bot: str, files: Sequence[str]) -> str:
    """Return the whole page.

    Args:
        files: whose questions were asked; shown as they are
    """
    title = f"Evaluation of {bot or 'a bot'}"
    return "\n".join(
        [
            BEGIN,
            '<html lang="en"><head><meta charset="utf-8">',
            _LOADS_NOTHING,
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{_told(title)}</title><style>{STYLE}{_STYLE}</style></head><body>",
            f"<h1>{_told(title)}</h1><p>{_told(', '.join(files))}</p>",
            *_figures(report),
            *_plots(report.details),
            *_thresholds(report.details.thresholds),
            *_lists(report.details),
            "</body></html>",
            "",
        ]
    )


def _figures(report: Report) -> Iterable[str]:
    yield "<h2>Figures</h2>"
    yield f'<p class="note">{_A_DASH}</p><div class="side">'
    for title, rows in grouped(report.figures()):
        cells = [
            f'<tr><td>{_told(label)}</td><td class="number">{_told(value)}</td>'
            f'<td class="note">{_told(meaning)}</td></tr>'
            for label, value, meaning in rows
        ]
        yield f"<table><caption>{_told(title)}</caption>{''.join(cells)}</table>"
    yield "</div>"


def _plots(details: Details) -> Iterable[str]:
    yield "<h2>What the confidence is worth</h2>"
    yield f'<p class="note">{_ABOUT_PLOTS}</p><div class="side">'
    if details.bins:
        yield _figure(reliability_diagram(details.bins), "Reliability", _ABOUT_RELIABILITY)
        yield _figure(confidence_histogram(details.bins), "Confidence", _ABOUT_HISTOGRAM)
        yield _figure(risk_coverage_curve(details.risk_coverage), "Risk", _ABOUT_RISK)
    if details.roc:
        yield _figure(roc_curve(details.roc), "ROC", _ABOUT_ROC)
    yield "</div>"


def _figure(svg: str, title: str, about: str) -> str:
    caption = f"<figcaption>{escape(title)}</figcaption>"
    return f'<figure>{caption}{svg}<p class="note">{escape(about)}</p></figure>'


def _thresholds(found: Sequence[Threshold]) -> Iterable[str]:
    if not found:
        return
    yield f'<h2>Thresholds to choose from</h2><p class="note">{_told(_ABOUT_THRESHOLDS)}</p>'
    rows = [
        (
            f"{each.threshold:.4f}",
            _share(each.wrongly_declined),
            _share(each.declined),
            _share(each.exact_match),
        )
        for each in found
    ]
    columns = ("threshold", "wrongly declined", "declined", "answered word for word")
    yield _table(columns, rows, numbers=range(4))


def _lists(details: Details) -> Iterable[str]:
    yield "<h2>Where the replies came from</h2>"
    sources = [(each.source, str(each.replies), str(each.right)) for each in details.sources]
    yield _table(("source", "replies", "right"), sources, numbers=(1, 2))
    yield "<h2>Wrong, the most confident first</h2>"
    yield _table(*_cases(details.wrong, "said"), numbers=(3,))
    yield "<h2>Declined by mistake, the most confident first</h2>"
    yield _table(*_cases(details.wrongly_declined, "would have said"), numbers=(3,))
    yield "<h2>Confused most often</h2>"
    confused = [(one.wanted or _TO_DECLINE, one.said, str(one.times)) for one in details.confusions]
    yield _table(("wanted", "said", "times"), confused, numbers=(2,))


def _cases(cases: Sequence[Case], guess: str) -> tuple[Sequence[str], list[Sequence[str]]]:
    rows = [
        (
            "\n".join((*case.context, case.question)),
            "\n".join(case.wanted) or _TO_DECLINE,
            case.guess,
            f"{case.confidence:.3f}",
        )
        for case in cases
    ]
    return ("question", "wanted", guess, "confidence"), list(rows)


def _table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: Iterable[int] = ()
) -> str:
    if not rows:
        return "<p>None.</p>"
    right = set(numbers)
    head = "".join(
        f'<th class="number">{_told(name)}</th>' if at in right else f"<th>{_told(name)}</th>"
        for at, name in enumerate(columns)
    )
    body = "".join(
        f"<tr>{''.join(_cell(text, at in right) for at, text in enumerate(row))}</tr>"
        for row in rows
    )
    return f'<div class="wide"><table><tr>{head}</tr>{body}</table></div>'


def _cell(text: str, number: bool) -> str:
    if number:
        return f'<td class="number">{_told(text)}</td>'
    if not text.strip() or text == _TO_DECLINE:
        return f'<td class="empty">{_told(text.strip() or _NOTHING)}</td>'
    return f'<td dir="auto">{_told(text)}</td>'


def _share(value: float | None) -> str:
    return _NONE if value is None else f"{100 * value:.1f} %"


def _told(text: str) -> str:
    """Return any text so that it is nothing but text in a page."""
    return escape(safe(text))
