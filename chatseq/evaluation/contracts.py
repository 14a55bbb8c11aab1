"""What a metric must offer; the built-in ones are in plugins/chatseq_metrics."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from chatseq.core.exchange import Reply, ReplySource
from chatseq.text.normalise import normalise_answer


@dataclass(frozen=True, slots=True)
class JudgedReply:
    """One question with its reply and every answer that counts as right."""

    question: str
    references: tuple[str, ...]  # distinct; empty: the bot should have declined
    reply: Reply
    context: tuple[str, ...] = ()  # earlier turns that were read with it, oldest first
    seen: bool | None = None  # whether it stands in the bot's training corpus; None: not known

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

    @property
    def guess(self) -> str:
        """What the bot thinks best, also where it declined; empty: nothing."""
        if not self.declined:
            return self.reply.text
        return self.reply.alternatives[0].text if self.reply.alternatives else ""

    @property
    def confidence(self) -> float:
        """The confidence in the best guess, 0..1; what is no number counts as none at all."""
        given = self.reply.confidence
        return 0.0 if math.isnan(given) else min(1.0, max(0.0, given))

    def accepts(self, text: str) -> bool:
        """Tell whether a text is, word for word, one of the answers."""
        return normalise_answer(text) in map(normalise_answer, self.references)

    @property
    def right(self) -> bool:
        """Whether the reply is one of the answers."""
        return not self.declined and self.accepts(self.reply.text)

    @property
    def guessed_right(self) -> bool:
        """Whether the best guess is one of the answers, declined or not."""
        return self.accepts(self.guess)


class Metric(Protocol):
    """Adds up over batches; merges over workers.

    Any split of the same replies over batches and workers gives the same figures.
    """

    def add(self, judged: Sequence[JudgedReply]) -> None:
        """Take in some more replies."""

    def merge(self, other: Self) -> None:
        """Take in what another worker added."""

    def figures(self) -> Mapping[str, float | None]:
        """Return the figures by name, also before anything was added; None: does not apply."""
