"""Answer with one of the answers of the corpus, as all scorers together see fit, or decline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from chatseq.bots.bot import Bot
from chatseq.core.errors import BundleError
from chatseq.core.exchange import Alternative, Reply, ReplySource
from chatseq_qa.answered_corpus import AnsweredCorpus
from chatseq_qa.calibration import FittedEnsemble, ensemble_file, read_ensemble
from chatseq_qa.ensemble import RankedAnswers, rank
from chatseq_qa.network_scorer import FittedNetworkScorer
from chatseq_qa.reply_builder import Asked, ReplyBuilder, milliseconds_since
from chatseq_qa.scorer_group import (
    ScoredCandidates,
    ScorerGroup,
    build_scorers,
    mean_scores,
    open_scorers,
)

_ALTERNATIVES = 3
_NEIGHBOURS = 5
_TOGETHER = 64  # questions that are scored in one pass
_WINDOW = 256  # questions that are sorted by length together
_PLAUSIBLE = 3  # best answers to a follow-up alone, among which the question before it chooses
_FEWEST_COVERED = 0.15  # of a follow-up's n-grams; of fewer it is noise, whatever came before it


class Thresholds(NamedTuple):
    """The confidences that part what is said from what is offered and what is declined."""

    decline_below: float | None  # None: as was fitted
    suggest_below: float


@dataclass(frozen=True, slots=True)
class _Scored:
    """A question, what the scorers say, and how sure that makes its best answer."""

    asked: Asked
    scored: ScoredCandidates  # of this question alone
    best: RankedAnswers
    confidence: float


class AnswerSelector:
    """Knows the answers of the corpus and says nothing else."""

    def __init__(
        self,
        corpus: AnsweredCorpus,
        group: ScorerGroup,
        fitted: FittedEnsemble,
        replies: ReplyBuilder,
        thresholds: Thresholds,
    ) -> None:
        """Take what was fitted.

        Raises:
            ValueError: it was fitted to other scorers.
        """
        if set(fitted.weights) != set(group.scorers):
            trained, named = ", ".join(fitted.weights), ", ".join(group.scorers)
            raise ValueError(f"it was fitted with the scorers {trained}; the recipe has {named}")
        self._corpus, self._group, self._replies = corpus, group, replies
        self._weights, self._names = fitted.weights, group.feature_names
        self._calibration = fitted.calibration.in_order(self._names)
        below = thresholds.decline_below
        self._below = fitted.decline_below if below is None else below
        self._unsure_below = thresholds.suggest_below
        self._texts = replies.answers
        writers = (n for n, one in group.scorers.items() if isinstance(one, FittedNetworkScorer))
        self._network = next(writers, None)

    @classmethod
    def opened(
        cls,
        bot: Bot,
        scorers: Sequence[str | Mapping[str, Any]] | None,
        replies: ReplyBuilder,
        thresholds: Thresholds,
    ) -> AnswerSelector | None:
        """Open what was learnt; None where nothing was, since answers hardly recur.

        Args:
            scorers: as the recipe names them; None: those that it was trained with

        Raises:
            BundleError: it cannot be read.
        """
        file = ensemble_file(bot.folder) if bot.folder is not None else None
        if file is None:
            return None
        try:
            fitted = read_ensemble(file.read_text(encoding="utf-8"))
            corpus = AnsweredCorpus.of(bot)
            if corpus is None:
                raise ValueError("the numbers of its answers are missing")
            built = build_scorers(bot.registry, scorers or list(fitted.weights))
            group = open_scorers(bot, built, declines=fitted.declines)
            return cls(corpus, group, fitted, replies, thresholds)
        except (OSError, ValueError) as fault:
            raise BundleError(
                f"What the bot '{bot.name}' has learnt about answers cannot be read: {fault}. "
                f"Train it again: chatseq train FILE --bot {bot.name}"
            ) from fault

    def answer(self, asked: Sequence[Asked], contexts: Sequence[Sequence[str]]) -> Iterator[Reply]:
        """Yield a reply to each question, in order; it is told its share of the milliseconds."""
        for start in range(0, len(asked), _WINDOW):
            window = slice(start, start + _WINDOW)
            yield from self._answered(asked[window], contexts[window])

    def _answered(
        self, asked: Sequence[Asked], contexts: Sequence[Sequence[str]]
    ) -> Iterator[Reply]:
        speaking = [at for at, one in enumerate(asked) if not one.blank]
        alone = self._scored([asked[at] for at in speaking])
        together = self._in_context(alone, [contexts[at] for at in speaking])
        replies = iter([self._reply(one) for one in together])
        share = milliseconds_since(asked[0].began) / len(asked)
        for one in asked:
            if one.blank:
                yield self._replies.to_nothing(one)
            else:
                yield replace(next(replies), milliseconds=share)

    def _scored(self, asked: Sequence[Asked]) -> list[_Scored]:
        """Score questions in few passes, those of like length together."""
        order = sorted(range(len(asked)), key=lambda at: len(asked[at].question.ids))
        found: dict[int, _Scored] = {}
        for start in range(0, len(order), _TOGETHER):
            places = order[start : start + _TOGETHER]
            some = [asked[at] for at in places]
            scored = self._group.score([one.query for one in some])
            found.update(zip(places, self._ranked(some, scored), strict=True))
        return [found[at] for at in range(len(asked))]

    def _ranked(self, asked: Sequence[Asked], scored: ScoredCandidates) -> Iterator[_Scored]:
        ranked = rank(scored, self._weights, self._names)
        for row, (one, best) in enumerate(zip(asked, ranked, strict=True)):
            confidence = self._calibration.confidence(best.features) if len(best.answers) else 0.0
            yield _Scored(one, scored.rows([row]), best, confidence)

    def _in_context(
        self, alone: Sequence[_Scored], contexts: Sequence[Sequence[str]]
    ) -> Sequence[_Scored]:
        """Return each question, together with the one before it where that makes sense of it.

        "And on Sundays?" alone says little; after "Are you open on Saturdays?" it says enough. What
        has an answer of its own is no follow-up, nor is what adds nothing to the question before.
        The latter only chooses among the answers that the follow-up itself speaks for.
        """
        weak = [
            at
            for at, (one, context) in enumerate(zip(alone, contexts, strict=True))
            if len(context) > 1 and context[-2].strip() and self._may_follow(one)
        ]
        if not weak:
            return alone
        earlier = [self._replies.ask(contexts[at][-2]) for at in weak]
        before = self._scored(earlier)
        chosen = list(alone)
        for at, asked, first in zip(weak, earlier, before, strict=True):
            chosen[at] = self._follow_up(alone[at], asked, first)
        return chosen

    def _may_follow(self, one: _Scored) -> bool:
        covered = self._corpus.coverage(one.asked.text) >= _FEWEST_COVERED
        return one.confidence < self._unsure_below and covered

    def _follow_up(self, alone: _Scored, earlier: Asked, first: _Scored) -> _Scored:
        """Return a follow-up as what both questions say, or alone where that adds nothing."""
        candidates = alone.scored.candidates
        of_earlier = first.scored
        if not np.array_equal(candidates, of_earlier.candidates):
            of_earlier = self._group.score([earlier.query], candidates)
        both = mean_scores(alone.scored, of_earlier)
        (together,) = self._ranked([alone.asked], both)
        answer = together.best.answers[:1]
        adds = not np.array_equal(answer, first.best.answers[:1])
        fits = np.isin(answer, alone.best.answers[1:_PLAUSIBLE]).any()  # the first stands anyway
        return together if adds and fits else alone

    def _reply(self, scored: _Scored) -> Reply:
        """Return the reply in its zone."""
        confidence, others = scored.confidence, self._alternatives(scored)
        declined = not others or confidence < self._below
        reply = Reply(
            self._replies.words_for(scored.asked) if declined else others[0].text,
            ReplySource.DECLINED if declined else self._source(scored),
            confidence,
            others[:_ALTERNATIVES] if declined else others[1 : _ALTERNATIVES + 1],
            unsure=not declined and confidence < self._unsure_below,
            neighbours=tuple(self._corpus.nearest(scored.asked.text, _NEIGHBOURS)),
            extra={"decline_below": f"{self._below:.3f}"},
        )
        return self._replies.completed(reply, scored.asked)

    def _source(self, scored: _Scored) -> ReplySource:
        """Tell whether the network alone would have said the same."""
        if self._network is None:
            return ReplySource.RETRIEVED
        likely = scored.scored.scores[self._network][0]
        own = likely[scored.scored.candidates[0] == scored.best.answers[0]]
        same = own[0] == likely.max()  # answers may begin alike, and share their score
        return ReplySource.GENERATED if same else ReplySource.RETRIEVED

    def _alternatives(self, scored: _Scored) -> tuple[Alternative, ...]:
        """Return the best answers, the one to be said first."""
        answers, shares = scored.best.answers, scored.best.shares
        if not len(answers):
            return ()
        sure = scored.confidence / max(float(shares[0]), 1e-12)
        best = zip(answers[: _ALTERNATIVES + 1].tolist(), shares.tolist(), strict=False)
        return tuple(
            Alternative(
                self._texts[answer],
                min(1.0, sure * share),
                self._corpus.question_for(scored.asked.text, answer),
            )
            for answer, share in best
        )
