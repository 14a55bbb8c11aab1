"""From the text of a question to ids, and from hypotheses to a Reply."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from chatseq.bots.bot import Bot
from chatseq.bots.contracts import Query
from chatseq.core.exchange import Alternative, Piece, Reply, ReplySource
from chatseq.decoding.contracts import Hypothesis
from chatseq.decoding.growing_text import text_of
from chatseq.decoding.score_answers import trace_answer
from chatseq.decoding.search import Decoding
from chatseq.text.normalise import has_han
from chatseq.text.question_encoder import Question, pad_questions

_CHARACTERS_A_TOKEN = 64  # of a question or a turn that are looked at, however long it is


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as the bot reads it."""

    text: str
    question: Question
    cut: bool  # it was longer than the bot reads
    began: float  # seconds of time.perf_counter

    @property
    def query(self) -> Query:
        """The question as scorers take it."""
        return Query(self.text, self.question)

    @property
    def blank(self) -> bool:
        """Whether nothing was asked."""
        return not self.text.strip()


class ReplyBuilder:
    """What one bot makes of questions and of what its search finds."""

    def __init__(self, bot: Bot, *, declined: str, blank: str, seed: int) -> None:
        """Take what is said to questions without an answer, and the seed of what is drawn.

        Raises:
            ValueError: one of them cannot be.
        """
        if seed < 0:
            raise ValueError(f"seed ({seed}) must be 0 or more.")
        if not blank.strip():
            raise ValueError("blank must not be blank itself.")
        self.bot = bot
        self._declined, self._blank, self._seed = declined.strip(), blank, seed
        self._ids = lru_cache(maxsize=1 << 12)(self._encoded)

    def ask(self, text: str, context: Sequence[str] = ()) -> Asked:
        """Read a question, and before it as many earlier turns as the bot has learnt to read."""
        began = time.perf_counter()
        reader = self.bot.reader
        longest = reader.max_tokens * _CHARACTERS_A_TOKEN
        text = text[:longest]
        question = reader.read(text, [turn[-longest:] for turn in context])
        cut = False
        if len(question.ids) == reader.max_tokens:
            roomier = replace(reader, max_tokens=reader.max_tokens + 1)
            cut = len(roomier.read(text).ids) > reader.max_tokens
        return Asked(text, question, cut, began)

    def search(self, asked: Sequence[Asked]) -> Decoding:
        """Begin to search for replies."""
        return self.bot.search([one.question for one in asked], seed=self._seed)

    def generated(self, asked: Asked, found: Sequence[Hypothesis], milliseconds: float) -> Reply:
        """Return the reply that hypotheses make, best first; declined where it has no words."""
        bot, best = self.bot, found[0]
        text = self._text(best)
        return Reply(
            text=text or self.words_for(asked),
            source=ReplySource.GENERATED if text else ReplySource.DECLINED,
            confidence=_confidence(best),
            alternatives=self._alternatives(found, text),
            bot=bot.name,
            strategy=bot.strategy_name,
            tokens=len(best.log_probs),
            milliseconds=milliseconds,
            pieces=self._pieces(best),
            question_pieces=tuple(bot.tokenizer.pieces(asked.question.ids)),
            seed=self._seed if bot.strategy.draws else None,
            model=bot.model,
            extra=self._notes(asked),
        )

    def completed(self, reply: Reply, asked: Asked) -> Reply:
        """Return a reply that was chosen, with all that it tells of itself unasked."""
        known = reply.source not in (ReplySource.DECLINED, ReplySource.CORRECTED)
        return replace(
            reply,
            bot=self.bot.name,
            strategy=self.bot.strategy_name,
            tokens=len(self._ids(reply.text)) + 1 if known else 0,
            milliseconds=milliseconds_since(asked.began),
            model=self.bot.model,
            extra=reply.extra | self._notes(asked),
        )

    def explained(self, reply: Reply, asked: Asked) -> Reply:
        """Return a reply that was chosen, with what the network makes of its words.

        How likely each token is and what it looked at, and what the network alone would have
        written, where that is something else.
        """
        another = reply.model != self.bot.model  # the chat has gone on with another bot since
        if another or asked.blank or reply.source is ReplySource.CORRECTED:
            return reply
        own = self.free_generation(asked)
        extra = {} if own in ("", reply.text) else {"written by the network alone": own}
        return replace(self.with_token_trace(reply, asked), extra=reply.extra | extra)

    def with_token_trace(self, reply: Reply, asked: Asked) -> Reply:
        """Return a reply with its tokens; a declined one has none of the network's."""
        tokenizer = self.bot.tokenizer
        pieces = reply.pieces
        if reply.source is not ReplySource.DECLINED:
            read = pad_questions([asked.question], self.bot.reader.features)
            pieces = self._pieces(trace_answer(self.bot.engine, read, self._ids(reply.text)))
        return replace(
            reply, pieces=pieces, question_pieces=tuple(tokenizer.pieces(asked.question.ids))
        )

    def free_generation(self, asked: Asked) -> str:
        """Return what the network writes when it may write anything."""
        decoding = self.search([asked])
        for _ in decoding:
            pass
        return self._text(decoding.hypotheses(0)[0])

    @property
    def answers(self) -> Sequence[str]:
        """The answers that the bot knows."""
        assert self.bot.answers is not None  # noqa: S101  (a trained bot has them)
        return self.bot.answers.texts

    def words_for(self, asked: Asked) -> str:
        """Return what is said where there is no answer."""
        return words_to_decline(asked.text, self._declined)

    def interrupted(self, asked: Asked, so_far: Hypothesis, shown: str) -> Reply:
        """Return what was shown of a reply that was stopped."""
        reply = self.generated(asked, [so_far], milliseconds_since(asked.began))
        return replace(reply, text=shown, source=ReplySource.GENERATED, interrupted=True)

    def to_nothing(self, asked: Asked) -> Reply:
        """Return the reply to a blank question."""
        return Reply(
            text=self._blank,
            source=ReplySource.DECLINED,
            confidence=0.0,
            bot=self.bot.name,
            strategy=self.bot.strategy_name,
            milliseconds=milliseconds_since(asked.began),
            model=self.bot.model,
        )

    def _encoded(self, text: str) -> list[int]:
        return self.bot.tokenizer.encode_answer(text)[: self.bot.recipe.decoding.max_length - 1]

    def _notes(self, asked: Asked) -> dict[str, str]:
        if not asked.cut:
            return {}
        most = self.bot.reader.max_tokens
        return {"note": f"Only the first {most} tokens of the question were read."}

    def _text(self, hypothesis: Hypothesis) -> str:
        bot, ended = self.bot, hypothesis.ended
        return text_of(bot.tokenizer.decode, hypothesis.tokens, ended=ended, stops=bot.stops)

    def _alternatives(self, found: Sequence[Hypothesis], text: str) -> tuple[Alternative, ...]:
        others: dict[str, float] = {}
        for hypothesis in found[1:]:
            others.setdefault(self._text(hypothesis), _confidence(hypothesis))
        return tuple(Alternative(*pair) for pair in others.items() if pair[0] not in ("", text))

    def _pieces(self, hypothesis: Hypothesis) -> tuple[Piece, ...]:
        names = self.bot.tokenizer.pieces(hypothesis.tokens)
        # The log-probability of the end mark, where there is one, comes last and has no piece.
        told = zip(names, hypothesis.log_probs, hypothesis.weights, strict=False)
        return tuple(Piece(*piece) for piece in told)


def words_to_decline(question: str, wanted: str = "") -> str:
    """Return what is said where there is no answer: what is wanted, or words in its language."""
    return wanted or ("我不知道。" if has_han(question) else "I do not know.")


def check_share(name: str, value: float) -> None:
    """Refuse an option that is no share.

    Raises:
        ValueError: it is not within 0..1.
    """
    if not 0 <= value <= 1:
        raise ValueError(f"{name} ({value}) must be between 0 and 1.")


def milliseconds_since(began: float) -> float:
    """Return the milliseconds since a time of time.perf_counter."""
    return (time.perf_counter() - began) * 1000


def _confidence(hypothesis: Hypothesis) -> float:
    """Return the mean probability of the tokens as a geometric mean, 0 where there are none."""
    log_probs = hypothesis.log_probs
    return min(1.0, math.exp(sum(log_probs) / len(log_probs))) if log_probs else 0.0
