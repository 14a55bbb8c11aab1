"""All installed metrics side by side; one that fails is set aside and spoils no other."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

from chatseq.core.plugins import PluginProblem, Registry, first_line
from chatseq.evaluation.contracts import JudgedReply, Metric
from chatseq.hookspecs import PART_HOOKS

KIND = "metric"


class Scoreboard:
    """Gives every reply to every metric and collects their figures."""

    def __init__(self, registry: Registry, *, reserved: Collection[str] = ()) -> None:
        """Build every metric that has one provider.

        Args:
            reserved: names of figures that no metric may give
        """
        self.faults: list[PluginProblem] = []
        self._reserved = reserved
        self._metrics: dict[str, Metric] = {}
        self._plugins: dict[str, str] = {}
        for name, part in registry.parts(KIND).items():
            self._plugins[name] = part.plugin.name
            with self._set_aside_if_it_fails(name):
                self._metrics[name] = part.load()()

    def add(self, judged: Sequence[JudgedReply]) -> None:
        """Take in some more replies."""
        for name, metric in list(self._metrics.items()):
            with self._set_aside_if_it_fails(name):
                metric.add(judged)

    def figures(self) -> dict[str, float | None]:
        """Return the figures of all metrics; one that two metrics give is None, and a fault."""
        found: dict[str, float | None] = {}
        for name, metric in list(self._metrics.items()):
            with self._set_aside_if_it_fails(name):
                for figure, value in _numbers(metric.figures()).items():
                    if figure in found or figure in self._reserved:
                        self._fault(name, f"gives the figure '{figure}', which is given already")
                        value = None
                    found[figure] = value
        return {figure: value for figure, value in found.items() if figure not in self._reserved}

    @contextmanager
    def _set_aside_if_it_fails(self, name: str) -> Iterator[None]:
        try:
            yield
        except Exception as fault:  # whatever a metric raises costs its own figures alone
            self._metrics.pop(name, None)
            self._fault(name, f"raised {type(fault).__name__}: {first_line(fault)}")

    def _fault(self, name: str, what: str) -> None:
        said = f"the metric '{name}' {what}"
        self.faults.append(PluginProblem(self._plugins[name], PART_HOOKS[KIND], said))


def _numbers(figures: Mapping[str, float | None]) -> dict[str, float | None]:
    """Return figures that JSON can hold: what is no finite number is None."""
    return {name: finite(value) for name, value in figures.items()}


def finite(value: float | None) -> float | None:
    """Return a plain number, or None for what is not a finite one."""
    if value is None:
        return None
    number = float(value)  # also of NumPy's and torch's own kinds
    return number if math.isfinite(number) else None
