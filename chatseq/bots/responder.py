"""What a responder must offer, and what it is told by users."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from chatseq.core.exchange import Reply


@dataclass(frozen=True, slots=True)
class Correction:
    """What a user said would have been the right answer to a question."""

    question: str
    answer: str


class ReplyStream(Protocol):
    """A reply on its way: an iterator over the pieces of its text as they come to stand.

    The pieces joined are the text of the reply; none ever changes or ends within a character. Last
    comes the finished Reply, exactly once, unless the stream is closed before.

        stream = responder.stream(question)
        try:
            for part in stream: ...
        except KeyboardInterrupt:
            stream.close()
            reply = stream.partial()
    """

    def __iter__(self) -> Iterator[str | Reply]: ...

    def __next__(self) -> str | Reply: ...

    def close(self) -> None:
        """Stop the work within one step; closing twice, or after the end, does nothing."""

    def partial(self) -> Reply:
        """Return what was yielded so far as a Reply marked interrupted, at any time.

        After the end it is the finished Reply itself.
        """


class Responder(Protocol):
    """Turns a question and its context into a reply; what the hook `chatseq_responders` names."""

    def stream(self, question: str, context: Sequence[str] = ()) -> ReplyStream:
        """Begin a reply; nothing is computed before the first piece is asked for.

        Args:
            context: earlier turns, oldest first
        """

    def reply(self, question: str, context: Sequence[str] = ()) -> Reply:
        """Return the finished reply: the same as the stream's last value."""

    def reply_all(
        self, questions: Sequence[str], contexts: Sequence[Sequence[str]] = ()
    ) -> Iterator[Reply]:
        """Answer many questions in one batched pass, in order.

        Args:
            contexts: the earlier turns of each question; empty: no question has any
        """

    def explain(self, question: str, reply: Reply, context: Sequence[str] = ()) -> Reply:
        """Return a reply of this responder with all that explains it, its text unchanged.

        What takes long and nobody needs unasked is computed here: the probability of each token,
        what it looked at, what the network alone would have written.
        """
