"""Streams that most responders need: a reply that is there all at once, and one told with more."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import replace

from chatseq.bots.responder import ReplyStream
from chatseq.core.exchange import Reply, ReplySource


class SingleChunkStream(Iterator[str | Reply]):
    """Yields the whole text, then the Reply. See chatseq.bots.responder.ReplyStream."""

    def __init__(self, answer: Callable[[], Reply], bot: str) -> None:
        """Nothing is asked before the first piece.

        Args:
            answer: gives the reply
            bot: the name of the bot that is asked
        """
        self._answer = answer
        self._said = Reply("", ReplySource.RETRIEVED, 0.0, bot=bot, interrupted=True)
        self._parts = self._run()

    def __next__(self) -> str | Reply:
        return next(self._parts)

    def close(self) -> None:
        """Say nothing more."""
        self._parts.close()

    def partial(self) -> Reply:
        """Return what was yielded so far, marked interrupted, or the finished reply."""
        return self._said

    def _run(self) -> Generator[str | Reply, None, None]:
        reply = self._answer()
        if reply.text:
            self._said = replace(reply, interrupted=True)
            yield reply.text
        self._said = reply
        yield reply


class MappedStream(Iterator[str | Reply]):
    """Another stream whose finished Reply is told with more."""

    def __init__(self, stream: ReplyStream, more: Callable[[Reply], Reply]) -> None:
        self._stream, self._more = stream, more

    def __next__(self) -> str | Reply:
        part = next(self._stream)
        return self._more(part) if isinstance(part, Reply) else part

    def close(self) -> None:
        """Stop the work within one step."""
        self._stream.close()

    def partial(self) -> Reply:
        """Return what was yielded so far, marked interrupted, or the finished reply."""
        return self._more(self._stream.partial())
