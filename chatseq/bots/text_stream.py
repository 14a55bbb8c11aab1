"""A reply on its way, for programs: an iterator over the pieces of its text alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from chatseq.core.exchange import Reply


class Parts(Protocol):
    """What yields the pieces of a reply, and last the finished Reply."""

    def __iter__(self) -> Iterator[str | Reply]: ...

    def __next__(self) -> str | Reply: ...

    def close(self) -> None:
        """Stop the work within one step."""


class TextStream:
    """The pieces of a reply as they come to stand; joined they are its text.

    for piece in stream:
        print(piece, end="")
    print(stream.reply.confidence)
    """

    def __init__(self, parts: Parts, partial: Callable[[], Reply | None]) -> None:
        """Wrap a stream of pieces whose last value is the Reply.

        Args:
            partial: gives what came so far as a Reply, when the stream was closed
        """
        self._parts, self._partial = parts, partial
        self._reply: Reply | None = None

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        for part in self._parts:
            if not isinstance(part, Reply):
                return part
            self._reply = part
        raise StopIteration

    @property
    def reply(self) -> Reply:
        """The finished Reply; after `close`, what had come, marked interrupted.

        Raises:
            ValueError: pieces are still to come.
        """
        if self._reply is None:
            raise ValueError("the reply is not finished: take all of its pieces, or close it")
        return self._reply

    def close(self) -> None:
        """End the reply where it stands; after its end this does nothing."""
        if self._reply is None:
            self._parts.close()
            self._reply = self._partial()
