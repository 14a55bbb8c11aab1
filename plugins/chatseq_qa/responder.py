"""The responder `qa`: scorers decide together which answer is right, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from chatseq.bots.bot import Bot
from chatseq.bots.contracts import FitData
from chatseq.bots.responder import ReplyStream
from chatseq.bots.streams import MappedStream, SingleChunkStream
from chatseq.core.exchange import Reply, ReplySource
from chatseq.core.options import PartOf, check_options
from chatseq_qa.answer_selector import AnswerSelector, Thresholds
from chatseq_qa.correction_index import CorrectionIndex, CorrectionMatch
from chatseq_qa.neighbours import Neighbourhood
from chatseq_qa.reply_builder import ReplyBuilder, check_share
from chatseq_qa.scorer_group import USUAL_SCORERS, build_scorers
from chatseq_qa.seq2seq import Seq2SeqResponder

_NEIGHBOURS = 5
Scorers = Annotated[list[str | dict[str, Any]], PartOf("scorer")]
_TOGETHER = 256  # questions that are answered at once


class QaResponder:
    """Give the right answer, or say that there is none.

    Where answers recur, or are few, every reply is an answer of the corpus. What the scorers say of
    each (by default the network's probability, the margin of a linear classifier over words and
    pieces of words, and the likeness of the nearest questions) is joined into a share for each
    answer, and into a confidence: how likely the reply is right. All of that is fitted when the bot
    is trained. Elsewhere the network writes its replies itself, as the responder `seq2seq` does.

    What users corrected comes first: from a similarity of `corrected_above` on, a corrected
    question is the one that was asked. A follow-up that says too little alone is judged together
    with the question before it.

    Args:
        scorers: what decides together, each a name or a table with a name and options; fixed once a
            bot is trained. By default network, linear and nearest
        decline_below: confidence below which a question is declined; by default the one that
            training found
        suggest_below: confidence below which a reply is unsure, and others are offered
        corrected_above: similarity from which on a correction counts
        declined: said where there is no answer; empty: "I do not know." or its Chinese
        blank: said to a blank question
        seed: for strategies that draw
        batch: questions at once when the network writes many replies

    Raises:
        BundleError: what was learnt cannot be read.
    """

    def __init__(
        self,
        bot: Bot,
        *,
        scorers: Scorers | None = None,
        decline_below: float | None = None,
        suggest_below: float = 0.6,
        corrected_above: float = 0.9,
        declined: str = "",
        blank: str = "Please ask me something.",
        seed: int = 0,
        batch: int = 32,
    ) -> None:
        check_share("suggest_below", suggest_below)
        check_share("corrected_above", corrected_above)
        if decline_below is not None:
            check_share("decline_below", decline_below)
        self._bot, self._corrected_above = bot, corrected_above
        self._replies = ReplyBuilder(bot, declined=declined, blank=blank, seed=seed)
        self._corpus = Neighbourhood.of(bot, responder="qa")
        self._memory = CorrectionIndex(bot.corrections, self._corpus.weigh)
        self._network = Seq2SeqResponder(
            bot, declined=declined, blank=blank, seed=seed, batch=batch
        )
        thresholds = Thresholds(decline_below, suggest_below)
        self._selector = AnswerSelector.opened(bot, scorers, self._replies, thresholds)

    @classmethod
    def fit(
        cls,
        data: FitData,
        folder: Path,
        options: Mapping[str, object],
    ) -> Mapping[str, float | None]:
        """Fit the scorers and what joins them, and tell how well it fits (docs/answers.md)."""
        from chatseq_qa.responder_fit import fit_responder

        given = check_options(cls, options, what="responder 'qa'", where="in [responder]")
        wanted = given.get("scorers") or USUAL_SCORERS
        return fit_responder(data, folder, build_scorers(data.bot.registry, wanted))

    def stream(self, question: str, context: Sequence[str] = ()) -> ReplyStream:
        """Begin a reply; only where the network writes it, does it come piece by piece."""
        if self._selector is not None or self._remembered(question) is not None:
            return SingleChunkStream(partial(self.reply, question, context), self._bot.name)
        stream = self._network.stream(question, context)
        return MappedStream(stream, partial(self._with_neighbours, question))

    def reply(self, question: str, context: Sequence[str] = ()) -> Reply:
        """Return the finished reply."""
        return next(self.reply_all([question], [context]))

    def reply_all(
        self, questions: Sequence[str], contexts: Sequence[Sequence[str]] = ()
    ) -> Iterator[Reply]:
        """Answer many questions in one batched pass, in order."""
        both = list(zip(questions, contexts or [()] * len(questions), strict=True))
        for start in range(0, len(both), _TOGETHER):
            yield from self._together(both[start : start + _TOGETHER])

    def explain(self, question: str, reply: Reply, context: Sequence[str] = ()) -> Reply:
        """Return a reply with the tokens of the network, and what it alone would have written."""
        if self._selector is None or reply.source is ReplySource.CORRECTED:
            return reply
        return self._replies.explained(reply, self._replies.ask(question, context))

    def _together(self, both: Sequence[tuple[str, Sequence[str]]]) -> Iterator[Reply]:
        found: dict[int, Reply] = {}
        for at, (question, _) in enumerate(both):
            remembered = self._remembered(question)
            if remembered is not None:
                found[at] = self._corrected(question, remembered)
        rest = [at for at in range(len(both)) if at not in found]
        replies = self._answered([both[at] for at in rest])
        found.update(zip(rest, replies, strict=True))
        return (found[at] for at in range(len(both)))

    def _answered(self, both: Sequence[tuple[str, Sequence[str]]]) -> Iterator[Reply]:
        """Yield replies to questions that nobody corrected."""
        if self._selector is not None:
            asked = [self._replies.ask(question, context) for question, context in both]
            yield from self._selector.answer(asked, [context for _, context in both])
            return
        questions, contexts = [q for q, _ in both], [c for _, c in both]
        replies = self._network.reply_all(questions, contexts)
        for question, reply in zip(questions, replies, strict=True):
            yield self._with_neighbours(question, reply)

    def _with_neighbours(self, question: str, reply: Reply) -> Reply:
        return replace(reply, neighbours=tuple(self._corpus.nearest(question, _NEIGHBOURS)))

    def _remembered(self, question: str) -> CorrectionMatch | None:
        nearest = self._corpus.nearest(question, 1) if self._bot.corrections() else []
        return self._memory.recall(question, self._corrected_above, nearest)

    def _corrected(self, question: str, remembered: CorrectionMatch) -> Reply:
        reply = Reply(
            remembered.correction.answer,
            ReplySource.CORRECTED,
            remembered.similarity,
            neighbours=(remembered.neighbour,),
        )
        return self._replies.completed(reply, self._replies.ask(question))
