"""Answer with one of the answers of the corpus, as all witnesses together see fit, or decline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from chatseq.bots.bot import Bot
from chatseq.bots.bundle.pairs import Pairs
from chatseq.core.errors import BundleError
from chatseq.core.exchange import Alternative, Reply, ReplySource
from chatseq_qa.ensemble import FILE, RankedAnswers, ranked, read_ensemble
from chatseq_qa.linear_classifier import LinearClassifier
from chatseq_qa.neighbours import neighbours_of
from chatseq_qa.reply_builder import Asked, ReplyBuilder
from chatseq_qa.scorers import AnswerScorers, AnswerScores, mean_scores

_ALTERNATIVES = 3
_NEIGHBOURS = 5
_PLAUSIBLE = 3  # best answers to a follow-up alone, among which the question before it chooses
_FEWEST_FAMILIAR = 0.15  # of a follow-up's n-grams; of fewer it is noise, whatever came before it


class Thresholds(NamedTuple):
    """The confidences that part what is said from what is offered and what is declined."""

    decline_below: float | None  # None: as was fitted
    suggest_below: float


@dataclass(frozen=True, slots=True)
class _Judged:
    """A question, what is known about it, and how sure that makes its best answer."""

    asked: Asked
    heard: AnswerScores
    best: RankedAnswers
    confidence: float


class AnswerSelector:
    """Knows the answers of the corpus and says nothing else."""

    def __init__(self, bot: Bot, folder: Path, replies: ReplyBuilder, zones: Thresholds) -> None:
        """Open what was learnt.

        Raises:
            OSError, ValueError: it cannot be read.
        """
        joined = self._joined = read_ensemble((folder / FILE).read_text(encoding="utf-8"))
        fitted = joined.decline_below
        self._below = fitted if zones.decline_below is None else zones.decline_below
        self._unsure_below = zones.suggest_below
        self._replies, self._pairs = replies, Pairs(folder)
        linear = LinearClassifier(folder) if joined.linear else None
        self._witnesses = AnswerScorers(bot, folder, linear, declines=joined.declines)
        self._example = lru_cache(maxsize=1 << 12)(self._found_example)

    @classmethod
    def opened(cls, bot: Bot, replies: ReplyBuilder, zones: Thresholds) -> AnswerSelector | None:
        """Open what was learnt; None where nothing was, since answers hardly recur.

        Raises:
            BundleError: it cannot be read.
        """
        if bot.folder is None or not (bot.folder / FILE).is_file():
            return None
        try:
            return cls(bot, bot.folder, replies, zones)
        except (OSError, ValueError) as fault:
            raise BundleError(
                f"What the bot '{bot.name}' has learnt about answers cannot be read: {fault}. "
                f"Train it again: chatseq train FILE --bot {bot.name}"
            ) from fault

    def answer(self, asked: Sequence[Asked], contexts: Sequence[Sequence[str]]) -> Iterator[Reply]:
        """Yield a reply to each question."""
        judged = iter(self._judged([one for one in asked if not one.blank]))
        for one, context in zip(asked, contexts, strict=True):
            if one.blank:
                yield self._replies.to_nothing(one)
            else:
                yield self._with_own_words(
                    self._reply(self._in_context(next(judged), context)), one
                )

    def _with_own_words(self, reply: Reply, asked: Asked) -> Reply:
        """Tell what the network alone would have written, where that is something else."""
        own = self._replies.free_generation(asked)
        if own in ("", reply.text):
            return reply
        return replace(reply, extra=reply.extra | {"written by the network alone": own})

    def _judged(self, asked: Sequence[Asked]) -> Iterator[_Judged]:
        heard = self._witnesses.score([a.text for a in asked], [a.question for a in asked])
        yield from map(self._judge, asked, heard)

    def _judge(self, asked: Asked, heard: AnswerScores) -> _Judged:
        best = ranked(heard, self._joined.weights)
        sure = self._joined.calibration.confidence(best.signs) if len(best.answers) else 0.0
        return _Judged(asked, heard, best, sure)

    def _in_context(self, judged: _Judged, context: Sequence[str]) -> _Judged:
        """Return the question judged together with the one before it, where that makes sense of it.

        "And on Sundays?" alone says little; after "Are you open on Saturdays?" it says enough. What
        has an answer of its own is no follow-up, nor is what adds nothing to the question before.
        The latter only chooses among the answers that the follow-up itself speaks for.
        """
        before = context[-2] if len(context) > 1 else ""
        weak = (
            judged.confidence < self._unsure_below
            and judged.heard.vocabulary_coverage >= _FEWEST_FAMILIAR
        )
        if not weak or not before.strip():
            return judged
        (earlier,) = self._judged([self._replies.ask(before)])
        together = self._judge(judged.asked, mean_scores(judged.heard, earlier.heard))
        answer = together.best.answers[:1]
        adds = not np.array_equal(answer, earlier.best.answers[:1])
        fits = np.isin(answer, judged.best.answers[1:_PLAUSIBLE]).any()  # the first stands anyway
        return together if adds and fits else judged

    def _reply(self, judged: _Judged) -> Reply:
        """Return the reply in its zone."""
        confidence, others = judged.confidence, self._alternatives(judged)
        declined = not others or confidence < self._below
        reply = Reply(
            self._replies.words_for(judged.asked) if declined else others[0].text,
            ReplySource.DECLINED if declined else self._source(judged),
            confidence,
            others[:_ALTERNATIVES] if declined else others[1 : _ALTERNATIVES + 1],
            unsure=not declined and confidence < self._unsure_below,
            neighbours=tuple(neighbours_of(judged.heard.matches, self._pairs, _NEIGHBOURS)),
            extra={"decline_below": f"{self._below:.3f}"},
        )
        return self._replies.with_token_trace(reply, judged.asked)

    def _source(self, judged: _Judged) -> ReplySource:
        """Tell whether the network alone would have said the same."""
        heard = judged.heard
        own = heard.network[heard.answers == judged.best.answers[0]]
        same = own[0] == heard.network.max()  # answers may begin alike, and share their score
        return ReplySource.GENERATED if same else ReplySource.RETRIEVED

    def _alternatives(self, judged: _Judged) -> tuple[Alternative, ...]:
        """Return the best answers, the one to be said first."""
        answers, shares = judged.best.answers, judged.best.shares
        if not len(answers):
            return ()
        sure = judged.confidence / max(float(shares[0]), 1e-12)
        return tuple(
            Alternative(self._text(answer), min(1.0, sure * share), self._question(judged, answer))
            for answer, share in zip(
                answers[: _ALTERNATIVES + 1].tolist(), shares.tolist(), strict=False
            )
        )

    def _text(self, answer: int) -> str:
        return self._witnesses.texts[answer]

    def _question(self, judged: _Judged, answer: int) -> str:
        """Return the question with this answer that is most like the one asked."""
        numbers = self._witnesses.answers_of(judged.heard.matches)
        near = np.flatnonzero(numbers == answer)
        if len(near):
            return self._pairs[judged.heard.matches[int(near[0])].number].question
        return self._example(answer)

    def _found_example(self, answer: int) -> str:
        pair = self._witnesses.first_pair(answer)
        return self._pairs[pair].question if pair is not None else ""
