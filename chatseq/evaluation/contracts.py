"""What a metric must offer; the built-in ones are in plugins/chatseq_metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from chatseq.exchange import Reply, ReplySource


@dataclass(frozen=True, slots=True)
class Judged:
    """One question with its reply and every answer that counts as right."""

    question: str
    references: tuple[str, ...]  # distinct; empty: the bot should have declined
    reply: Reply

    @property
    def answerable(self) -> bool:
        """Whether the question has an answer."""
        return bool(self.references)

    @property
    def declined(self) -> bool:
        """Whether the bot declined it."""
        return self.reply.source is ReplySource.DECLINED

    @property
    def said(self) -> str:
        """The reply as an answer; empty where the bot declined, whatever words it used."""
        return "" if self.declined else self.reply.text


class Metric(Protocol):
    """Adds up over batches; merges over workers.

    Any split of the same replies over batches and workers gives the same figures.
    """

    def add(self, judged: Sequence[Judged]) -> None:
        """Take in some more replies."""

    def merge(self, other: Self) -> None:
        """Take in what another worker added."""

    def figures(self) -> Mapping[str, float | None]:
        """Return the figures by name, also before anything was added; None: does not apply."""
