"""The curves of an evaluation as SVG, to stand in a page: drawn here, of lines and boxes alone.

Colours are the classes of STYLE, which turns with the reader's light or dark. Each plot has a title
and says in words what it shows. Nothing in it comes from a corpus or a model but numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import NamedTuple

from chatseq.evaluation.curves import BINS, Bin, RiskPoint, RocPoint

STYLE = """
:root { color-scheme: light dark; --paper: #ffffff; --ink: #1d2630; --soft: #5b6773;
  --grid: #d9dee4; --right: #2266aa; --wrong: #c2571a; --neither: #75808c; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14191f; --ink: #e4e9ee; --soft: #9aa7b4; --grid: #313a44;
    --right: #6cb0f2; --wrong: #f0924f; --neither: #93a0ad; } }
svg.plot { width: 100%; height: auto; font: 12px sans-serif; fill: var(--ink); }
svg .grid { stroke: var(--grid); stroke-width: 1; }
svg .ideal { stroke: var(--ink); stroke-width: 1.2; stroke-dasharray: 4 4; }
svg .curve { fill: none; stroke: var(--right); stroke-width: 2; stroke-linejoin: round; }
svg .tick { fill: var(--soft); font-size: 11px; }
svg .right { fill: var(--right); }
svg .wrong { fill: var(--wrong); }
svg .neither { fill: var(--neither); }
"""

_WIDTH, _HEIGHT = 420, 340  # of every plot
_LEFT, _RIGHT, _TOP = 62, 20, 12  # margins; below, there is room for two lines
_ACROSS = _WIDTH - _LEFT - _RIGHT
_GAP = 1  # between bars
_QUARTERS = (0.0, 0.25, 0.5, 0.75, 1.0)
_NICE = (0.01, 0.02, 0.04, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0)  # where an axis of shares may end


class _Frame(NamedTuple):
    """Where a pair of axes lies, and how far its values go; both begin at 0."""

    top: float
    height: float
    most: float = 1.0

    def x(self, value: float) -> float:
        return _LEFT + value * _ACROSS

    def y(self, value: float) -> float:
        return self.top + self.height * (1 - value / self.most)


def reliability_diagram(bins: Sequence[Bin]) -> str:
    """Return how often replies of each confidence are right, and below how many they are."""
    main = _Frame(_TOP, 200)
    shares = [each.count / sum(every.count for every in bins) for each in bins]
    strip = _Frame(238, 46, _nice(max(shares, default=0)))
    told = [
        f"confidence {each.low:.2f} to {each.high:.2f}: {_share(each.share_right)} right, "
        f"{_share(share)} of the replies"
        for each, share in zip(bins, shares, strict=True)
    ]
    body = [
        *_axes(main, "share that is right", _QUARTERS),
        *_axes(strip, "replies", (0, strip.most)),
        *_below(strip, "confidence", "{:g}".format),
        *_bars(main, bins, [each.share_right for each in bins], "right", told),
        *_bars(strip, bins, shares, "neither", told),
        _line(main.x(0), main.y(0), main.x(1), main.y(1), "ideal"),
    ]
    return _plot("reliability", "Reliability diagram", _sentence(told), body)


def risk_coverage_curve(points: Sequence[RiskPoint]) -> str:
    """Return which share of the said replies is wrong, when the least sure are declined."""
    frame = _Frame(_TOP, 272, _nice(max((point.risk for point in points), default=0)))
    steps = [(point.coverage, point.risk) for point in points]
    told = [
        f"{_share(coverage)} said: {_share(risk)} of them wrong"
        for coverage, risk in _at_quarters(steps)
    ]
    body = [
        *_axes(frame, "wrong, of the replies said", [frame.most * at for at in _QUARTERS]),
        *_below(frame, "replies said, the most confident first", _share),
        _curve(frame, steps),
    ]
    return _plot("risk", "Risk-coverage curve", _sentence(told), body)


def roc_curve(points: Sequence[RocPoint]) -> str:
    """Return how questions with an answer part from those to be declined."""
    frame = _Frame(_TOP, 272)
    steps = [(point.wrongly_answered, point.answered) for point in points]
    told = [
        f"{_share(wrongly)} of the questions to be declined answered: {_share(answered)} of the "
        "questions with an answer answered"
        for wrongly, answered in _at_quarters(steps)
    ]
    body = [
        *_axes(frame, "with an answer, answered", _QUARTERS),
        *_below(frame, "to be declined, answered", _share),
        _line(frame.x(0), frame.y(0), frame.x(1), frame.y(1), "ideal"),
        _curve(frame, steps),
    ]
    return _plot("roc", "ROC curve of the confidence", _sentence(told), body)


def confidence_histogram(bins: Sequence[Bin]) -> str:
    """Return how the confidence is spread over right, wrong and to be declined, each of its own."""
    kinds: list[tuple[str, str, list[int]]] = [
        ("right", "right", [each.right for each in bins]),
        ("wrong", "wrong", [each.wrong for each in bins]),
        ("to be declined", "neither", [each.to_decline for each in bins]),
    ]
    body: list[str] = []
    told: list[str] = []
    for row, (name, css, counts) in enumerate(kinds):
        total = sum(counts)
        shares = [count / total if total else 0.0 for count in counts]
        frame = _Frame(_TOP + 18 + row * 94, 66, _nice(max(shares, default=0)))
        said = [
            f"{name}, confidence {each.low:.2f} to {each.high:.2f}: {count} of {total}"
            for each, count in zip(bins, counts, strict=True)
        ]
        told += [one for one, count in zip(said, counts, strict=True) if count]
        body.append(_text(frame.x(0), frame.top - 6, f"{name}: {total}"))
        body += _axes(frame, "", (0, frame.most))
        body += _bars(frame, bins, shares, css, said)
    body += _below(frame, "confidence", "{:g}".format)
    return _plot("histogram", "Confidence of the replies", _sentence(told), body)


def _plot(name: str, title: str, told: str, body: Iterable[str]) -> str:
    return (
        f'<svg class="plot" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-labelledby="{name}-title {name}-told">'
        f'<title id="{name}-title">{escape(title)}</title>'
        f'<desc id="{name}-told">{escape(told)}</desc>{"".join(body)}</svg>'
    )


def _axes(frame: _Frame, label: str, ticks: Iterable[float]) -> list[str]:
    """Return the lines across, with their shares, and what they are shares of."""
    drawn = []
    for tick in ticks:
        y = frame.y(tick)
        drawn.append(_line(frame.x(0), y, frame.x(1), y, "grid"))
        drawn.append(_text(_LEFT - 6, y + 4, _share(tick), "tick", "end"))
    middle = frame.top + frame.height / 2
    turned = f' transform="rotate(-90 12 {middle:g})"'
    return [*drawn, _text(12, middle, label, "", "middle", turned)] if label else drawn


def _below(frame: _Frame, label: str, said: Callable[[float], str]) -> list[str]:
    """Return what stands below the lowest line."""
    bottom = frame.top + frame.height
    ticks = [_text(frame.x(tick), bottom + 16, said(tick), "tick", "middle") for tick in _QUARTERS]
    return [*ticks, _text(frame.x(0.5), bottom + 34, label, "", "middle")]


def _bars(
    frame: _Frame, bins: Sequence[Bin], values: Sequence[float], css: str, told: Sequence[str]
) -> list[str]:
    width = _ACROSS / BINS - _GAP
    return [
        f'<rect class="{css}" x="{frame.x(each.low) + _GAP / 2:.1f}" y="{frame.y(value):.1f}" '
        f'width="{width:.1f}" height="{frame.y(0) - frame.y(value):.1f}">'
        f"<title>{escape(words)}</title></rect>"
        for each, value, words in zip(bins, values, told, strict=True)
    ]


def _curve(frame: _Frame, points: Iterable[tuple[float, float]]) -> str:
    path = " ".join(f"{frame.x(x):.1f},{frame.y(y):.1f}" for x, y in points)
    return f'<polyline class="curve" points="{path}"/>'


def _line(x: float, y: float, to_x: float, to_y: float, css: str) -> str:
    return f'<line class="{css}" x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}"/>'


def _text(
    x: float, y: float, text: str, css: str = "", anchor: str = "start", more: str = ""
) -> str:
    return (
        f'<text class="{css}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>'
        f"{escape(text)}</text>"
    )


def _at_quarters(steps: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the first point at or after each quarter of the way; each point once."""
    reached = (next((step for step in steps if step[0] >= at), None) for at in _QUARTERS[1:])
    return list(dict.fromkeys(step for step in reached if step is not None))


def _nice(most: float) -> float:
    """Return where an axis of shares ends that has to hold a value."""
    return next((end for end in _NICE if end >= most), 1.0)


def _share(value: float) -> str:
    return f"{100 * value:.3g} %"


def _sentence(parts: Sequence[str]) -> str:
    return "; ".join(parts) + "."
