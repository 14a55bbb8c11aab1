"""What a responder must offer, and what it gets to work with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from chatseq.exchange import Reply


class Responder(Protocol):
    """Turns a question and its context into a reply; what the hook `chatseq_responders` names."""

    def stream(self, question: str, context: Sequence[str] = ()) -> Iterator[str | Reply]:
        """Yield pieces of text as they come to stand, and last the finished Reply.

        Closing the iterator early stops the work within one step.

        Args:
            context: earlier turns, oldest first
        """

    def reply(self, question: str, context: Sequence[str] = ()) -> Reply:
        """Return the finished reply."""

    def reply_all(self, questions: Sequence[str]) -> Iterator[Reply]:
        """Answer many questions without context, batched, in order; for evaluation."""
