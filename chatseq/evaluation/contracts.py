"""What a metric must offer; the built-in ones are in plugins/chatseq_metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from chatseq.exchange import Reply


@dataclass(frozen=True, slots=True)
class Judged:
    """One question with its reply and every answer that counts as right."""

    question: str
    references: tuple[str, ...]  # empty: the bot should have declined
    reply: Reply


class Metric(Protocol):
    """Adds up over batches; merges over workers."""

    def add(self, judged: Sequence[Judged]) -> None:
        """Take in some more replies."""

    def merge(self, other: Self) -> None:
        """Take in what another worker added."""

    def figures(self) -> Mapping[str, float | None]:
        """Return the figures by name; None where one does not apply."""
