"""The stream of a reply that is there all at once."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import replace

from chatseq.core.exchange import Reply, ReplySource


class SingleChunkStream(Iterator[str | Reply]):
    """Yields the whole text, then the Reply. See chatseq.bots.contracts.ReplyStream."""

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
