"""Responders that hand questions on to another one; the base of all that stand in front of one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from chatseq.bots.explain import explained
from chatseq.bots.responder import ReplyStream, Responder
from chatseq.bots.streams import MappedStream, SingleChunkStream
from chatseq.core.exchange import Reply


class ForwardingResponder:
    """Hand questions on to another responder; `before` and `after` may change them on the way.

    `keeps_text` says that `after` leaves the text of a reply as it is: then pieces are passed on
    as they come. Else a reply whose `after` is overridden is streamed when it is whole.
    """

    keeps_text = False

    def __init__(self, inner: Responder, *, bot: str = "") -> None:
        """Stand in front of a responder.

        Args:
            bot: the name of the bot
        """
        self.inner = inner
        self._name = bot

    def before(self, question: str) -> str:
        """Return the question that the responder inside is asked."""
        return question

    def before_context(self, context: Sequence[str]) -> Sequence[str]:
        """Return the earlier turns that it gets, oldest first."""
        return context

    def after(self, reply: Reply) -> Reply:
        """Return the reply to be given for that of the responder inside.

        Where `keeps_text` is set it also gets replies that were interrupted.
        """
        return reply

    def reply(self, question: str, context: Sequence[str] = ()) -> Reply:
        """Return the finished reply."""
        return self.after(self.inner.reply(self.before(question), self.before_context(context)))

    def reply_all(
        self, questions: Sequence[str], contexts: Sequence[Sequence[str]] = ()
    ) -> Iterator[Reply]:
        """Answer many questions, in order, as the responder inside does."""
        asked = [self.before(question) for question in questions]
        if not contexts:
            return map(self.after, self.inner.reply_all(asked))
        turns = [self.before_context(context) for context in contexts]
        return map(self.after, self.inner.reply_all(asked, turns))

    def stream(self, question: str, context: Sequence[str] = ()) -> ReplyStream:
        """Begin a reply; nothing is computed before its first piece is asked for."""
        if self._changes_replies and not self.keeps_text:
            return SingleChunkStream(partial(self.reply, question, context), self._name)
        stream = self.inner.stream(self.before(question), self.before_context(context))
        return MappedStream(stream, self.after) if self._changes_replies else stream

    def explain(self, question: str, reply: Reply, context: Sequence[str] = ()) -> Reply:
        """Return a reply that it gave with what the responder inside tells of it.

        What is changed on the way out is not the reply that the one inside gave; it is asked again.
        """
        asked, turns = self.before(question), self.before_context(context)
        if not self._changes_replies:
            return explained(self.inner, asked, reply, turns)
        found = self.after(explained(self.inner, asked, self.inner.reply(asked, turns), turns))
        return replace(found, text=reply.text, interrupted=reply.interrupted)

    @property
    def _changes_replies(self) -> bool:
        return type(self).after is not ForwardingResponder.after
