"""Responders without a bot, for tests of what is done with a reply."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from chatseq.core.exchange import Reply, ReplySource


class ScriptedResponder:
    """A responder that says what it is told to, piece by piece.

    Args:
        answers: the pieces of the reply to each question; an exception among them is raised there.
            Other questions get themselves back, word by word
    """

    def __init__(self, answers: Mapping[str, Sequence[str | BaseException]] | None = None) -> None:
        self._answers = answers or {}
        self.contexts: list[tuple[str, ...]] = []  # what came with each question

    def stream(self, question: str, context: Sequence[str] = ()) -> ScriptedStream:
        """Begin the reply."""
        self.contexts.append(tuple(context))
        return ScriptedStream(self._answers.get(question, re.findall(r"\S+\s*|\s+", question)))

    def reply(self, question: str, context: Sequence[str] = ()) -> Reply:
        """Return the whole reply."""
        return [part for part in self.stream(question, context) if isinstance(part, Reply)][-1]

    def reply_all(
        self, questions: Sequence[str], contexts: Sequence[Sequence[str]] = ()
    ) -> Iterator[Reply]:
        """Reply to each question."""
        return map(self.reply, questions, contexts or [()] * len(questions))

    def explain(self, question: str, reply: Reply, context: Sequence[str] = ()) -> Reply:  # noqa: ARG002
        """Return the reply as it is."""
        return reply


class ScriptedStream:
    """The reply of a `ScriptedResponder` on its way."""

    def __init__(self, pieces: Sequence[str | BaseException]) -> None:
        self._pieces = list(pieces)
        self._said = ""
        self._finished = False
        self.closed = False

    def __iter__(self) -> ScriptedStream:
        return self

    def __next__(self) -> str | Reply:
        if self.closed or self._finished:
            raise StopIteration
        if not self._pieces:
            self._finished = True
            return self.partial()
        piece = self._pieces.pop(0)
        if isinstance(piece, BaseException):
            raise piece
        self._said += piece
        return piece

    def close(self) -> None:
        """Stop; nothing comes afterwards."""
        self.closed = True

    def partial(self) -> Reply:
        """Return what was said so far."""
        source = ReplySource.GENERATED
        return Reply(self._said, source, 0.9, interrupted=not self._finished)
