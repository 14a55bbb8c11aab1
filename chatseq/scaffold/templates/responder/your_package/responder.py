"""The responder `your-part`."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from math import exp

from chatseq.bots.bot import Bot
from chatseq.core.exchange import Reply, ReplySource
from chatseq.decoding.growing_text import text_of

LONGEST = 4000  # characters of a question that are looked at


class YourPart:
    """Answer with what the bot's search finds, or say that it is not sure enough."""

    def __init__(
        self, bot: Bot, *, sure: float = 0.4, declined: str = "I am not sure about that."
    ) -> None:
        """Build.

        Args:
            sure: the least mean probability of a token for the reply to be given, 0 to 1
            declined: what is said instead
        """
        if not 0 <= sure <= 1:
            raise ValueError(f"sure ({sure}) must be from 0 to 1. Set it to 0.4.")
        self.bot, self.sure, self.declined = bot, sure, declined

    def stream(self, question: str, context: Sequence[str] = ()) -> Stream:
        """Begin a reply; nothing is computed before the first piece is asked for."""
        return Stream(self, question, context)

    def reply(self, question: str, context: Sequence[str] = ()) -> Reply:
        """Return the finished reply."""
        bot = self.bot
        search = bot.search([bot.reader.read(question[-LONGEST:], context)])
        for _ in search:
            pass
        best = search.hypotheses(0)[0]
        found = text_of(bot.tokenizer.decode, best.tokens, ended=best.ended, stops=bot.stops)
        mean = sum(best.log_probs) / len(best.log_probs) if best.log_probs else float("-inf")
        confidence = min(1.0, exp(mean))
        certain = bool(found) and confidence >= self.sure
        return Reply(
            text=found if certain else self.declined,
            source=ReplySource.GENERATED if certain else ReplySource.DECLINED,
            confidence=confidence,
            bot=bot.name,
            strategy=bot.strategy_name,
            tokens=len(best.log_probs),
            model=bot.model,
        )

    def reply_all(
        self, questions: Sequence[str], contexts: Sequence[Sequence[str]] = ()
    ) -> Iterator[Reply]:
        """Answer many questions in order."""
        return map(self.reply, questions, contexts or [()] * len(questions))


class Stream(Iterator[str | Reply]):
    """A reply on its way: all of its text at once, since only then it is known to be given."""

    def __init__(self, responder: YourPart, question: str, context: Sequence[str]) -> None:
        self._parts = self._run(responder, question, context)
        self._so_far = Reply("", ReplySource.GENERATED, 0.0, interrupted=True)

    def __next__(self) -> str | Reply:
        return next(self._parts)

    def close(self) -> None:
        """Stop; nothing comes afterwards."""
        self._parts.close()

    def partial(self) -> Reply:
        """Return what was said so far, marked interrupted, or the finished reply."""
        return self._so_far

    def _run(
        self, responder: YourPart, question: str, context: Sequence[str]
    ) -> Generator[str | Reply, None, None]:
        reply = responder.reply(question, context)
        if reply.text:
            self._so_far = replace(reply, interrupted=True)
            yield reply.text
        self._so_far = reply
        yield reply
