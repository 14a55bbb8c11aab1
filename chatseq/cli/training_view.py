"""How a training run looks: a bar on a terminal, plain lines elsewhere, or nothing."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from chatseq.cli.output import tell
from chatseq.core.events import DiversityReport, Remark, StepReport, TrainingEvent, ValidationReport
from chatseq.text.terminal import safe_line

if TYPE_CHECKING:
    from rich.progress import Progress

_EVERY = 5.0  # seconds between two plain lines
_WIDEST = 72  # characters of a question or a reply
_LINE = 120  # characters of a line where there is no terminal


class View(Protocol):
    """Shows the reports of a run."""

    def show(self, event: TrainingEvent) -> None:
        """Show one report."""

    def stopping(self) -> None:
        """Say that the run was asked to stop."""


@contextmanager
def training_view(title: str, *, quiet: bool = False) -> Iterator[View]:
    """Open the view that suits where stderr goes."""
    if quiet:
        yield QuietView()
    elif sys.stderr.isatty():
        with bar_view(title) as view:
            yield view
    else:
        yield LineView()


class QuietView:
    """Shows remarks only."""

    def show(self, event: TrainingEvent) -> None:
        """Tell a remark."""
        if isinstance(event, Remark):
            tell(event.text)

    def stopping(self) -> None:
        """Stay quiet."""


class LineView:
    """Writes a plain line now and then."""

    def __init__(self) -> None:
        self._last = -_EVERY

    def show(self, event: TrainingEvent) -> None:
        """Write validations and remarks at once, steps every few seconds."""
        if isinstance(event, StepReport):
            now = time.monotonic()
            if now - self._last >= _EVERY:
                self._last = now
                tell(step_line(event))
        else:
            for line in other_lines(event):
                tell(line)

    def stopping(self) -> None:
        """Say so."""
        tell("Stopping after this step; the bot is being stored …")


class BarView:
    """Draws a bar, with the figures of the last step beside it."""

    def __init__(self, title: str, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task(safe_line(title), total=1.0, figures="")

    def show(self, event: TrainingEvent) -> None:
        """Move the bar, or print above it."""
        if isinstance(event, StepReport):
            figures = step_figures(event) if event.progress < 1 else "storing the bot …"
            self._progress.update(self._task, completed=event.progress, figures=figures)
            return
        from rich.text import Text

        console = self._progress.console
        for line in other_lines(event, console.width):
            console.print(Text(line), soft_wrap=True, highlight=False)

    def stopping(self) -> None:
        """Say so beside the bar."""
        self._progress.update(self._task, description="Stopping, the bot is being stored …")


@contextmanager
def bar_view(title: str) -> Iterator[BarView]:
    """Open a bar on the terminal behind stderr."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TaskProgressColumn(),
        TextColumn("{task.fields[figures]}", markup=False),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, refresh_per_second=5, transient=True) as progress:
        yield BarView(title, progress)


def step_figures(event: StepReport) -> str:
    """Return what stands beside the bar."""
    return (
        f"loss {event.loss:.2f}  {event.tokens_per_second:,.0f} tokens/s  "
        f"{duration(event.seconds_left)} left"
    )


def step_line(event: StepReport) -> str:
    """Return a step as a line for a file or a log."""
    return f"{event.progress:4.0%}  step {event.step}, epoch {event.epoch + 1}, " + step_figures(
        event
    ).replace("  ", ", ")


def other_lines(event: TrainingEvent, width: int = _LINE) -> list[str]:
    """Return the lines of a report that is no step; some figures only where there is room."""
    if isinstance(event, Remark):
        return [safe_line(event.text)]
    if isinstance(event, ValidationReport):
        return validation_lines(event, width)
    return []


def validation_lines(event: ValidationReport, width: int) -> list[str]:
    """Return a validation: its figures, and some replies as the model gives them now."""
    best = ", the best so far" if event.best else ""
    head = (
        f"After step {event.step}: perplexity {event.perplexity:.3g}, "
        f"word for word right {event.exact_match:.0%}{best}"
    )
    variety = "" if event.variety is None else variety_figures(event.variety)
    lines = [head + variety if len(head + variety) <= width else head]
    for sample in event.samples:
        lines.append(f"  {cut(sample.question)}")
        lines.append(f"    {cut(sample.reply) or '(nothing)'}")
    return lines


def variety_figures(variety: DiversityReport) -> str:
    """Return what follows the figures of a validation: how varied the replies are."""
    said, wanted = variety.replies.distinct_2, variety.wanted.distinct_2
    return f"; distinct-2 {said:.2f} of {wanted:.2f}, {variety.share:.0%} alike"


def cut(text: str) -> str:
    """Return a text safe, on one line, and not too long."""
    line = safe_line(text)
    return line if len(line) <= _WIDEST else line[: _WIDEST - 1] + "…"


def duration(seconds: float) -> str:
    """Return seconds as people say them: 42 s, 3 min, 2 h 10 min."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
