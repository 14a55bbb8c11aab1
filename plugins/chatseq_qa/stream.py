"""A reply of the responder `seq2seq` on its way."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace

from chatseq.core.exchange import Reply
from chatseq.decoding.contracts import Hypothesis
from chatseq.decoding.growing_text import GrowingText
from chatseq.decoding.search import Decoding
from chatseq_qa.reply_builder import Asked, ReplyBuilder, milliseconds_since


class Seq2SeqStream(Iterator[str | Reply]):
    """Yields text as far as no further step can change it, then the Reply.

    With greedy that is every token at once, with beams what all of them share. See
    chatseq.bots.responder.ReplyStream.
    """

    def __init__(self, replies: ReplyBuilder, question: str, context: Sequence[str] = ()) -> None:
        self._replies, self._question, self._context = replies, question, tuple(context)
        self._asked: Asked | None = None
        self._decoding: Decoding | None = None
        self._growing = GrowingText(replies.bot.tokenizer.decode, replies.bot.stops)
        self._stood = 0  # tokens
        self._finished: Reply | None = None
        self._parts = self._run()

    def __next__(self) -> str | Reply:
        return next(self._parts)

    def close(self) -> None:
        """Stop the work within one step."""
        self._parts.close()

    def partial(self) -> Reply:
        """Return what was yielded so far, marked interrupted, or the finished reply."""
        if self._finished is not None:
            return self._finished
        asked = self._asked or self._replies.ask("")
        return self._replies.interrupted(asked, self._so_far(), self._growing.shown)

    def _run(self) -> Generator[str | Reply, None, None]:
        asked = self._asked = self._replies.ask(self._question, self._context)
        if asked.blank:
            reply = self._replies.to_nothing(asked)
        else:
            yield from self._grow(asked)
            assert self._decoding is not None  # noqa: S101  (made by _grow)
            found = self._decoding.hypotheses(0)
            reply = self._replies.generated(asked, found, milliseconds_since(asked.began))
        shown = self._growing.shown
        if not reply.text.startswith(shown):  # a tokenizer whose text changes: what is shown stays
            reply = replace(reply, text=shown)
        self._finished = reply
        if reply.text != shown:
            yield reply.text[len(shown) :]
        yield reply

    def _grow(self, asked: Asked) -> Iterator[str]:
        decoding = self._decoding = self._replies.search([asked])
        for _ in decoding:
            stable_prefix = decoding.stable_prefix(0)
            new = self._growing.grow(stable_prefix)
            self._stood = len(stable_prefix)
            if new:
                yield new

    def _so_far(self) -> Hypothesis:
        if self._decoding is None:
            return Hypothesis((), (), 0.0, ended=False)
        best = self._decoding.hypotheses(0)[0]
        kept = slice(self._stood)  # all hypotheses begin with what stood
        return replace(
            best,
            tokens=best.tokens[kept],
            log_probs=best.log_probs[kept],
            weights=best.weights[kept],
            ended=False,
        )
