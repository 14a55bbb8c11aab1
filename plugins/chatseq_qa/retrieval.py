"""The responder `retrieval`: every reply is the answer to the nearest questions of the corpus."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from chatseq.bots.bot import Bot
from chatseq.bots.contracts import FitData
from chatseq.bots.streams import SingleChunkStream
from chatseq.core.exchange import Exchange, Neighbour, Reply, ReplySource
from chatseq.core.options import check_options
from chatseq_qa.correction_index import CorrectionIndex, CorrectionMatch
from chatseq_qa.knn_vote import knn_vote
from chatseq_qa.neighbours import Neighbourhood
from chatseq_qa.reply_builder import check_share, milliseconds_since, words_to_decline

_MOST_ALTERNATIVES = 3
_MOST_ASKED = 300  # held-out questions
_NEIGHBOURS = 8


class RetrievalResponder:
    """Answer with what the corpus answers to the questions most like the one that is asked.

    The nearest questions vote for their answers (chatseq_qa.knn_vote). The confidence is the
    similarity of the nearest question with the answer, lowered by the share of votes for rows
    without one: how alike the questions are, not how often such a reply is right. What users
    corrected comes first. Earlier turns are not read.

    Args:
        neighbours: nearest questions that vote
        corrected_above: similarity from which on a corrected question is taken for the one asked
        decline_below: confidence below which a question is declined
        suggest_below: confidence below which a reply is unsure, and others are offered
        declined: said where there is no answer; empty: "I do not know." or its Chinese
        blank: said to a blank question

    Raises:
        BundleError: the bot has no index of its questions, or it cannot be read.
    """

    def __init__(
        self,
        bot: Bot,
        *,
        neighbours: int = _NEIGHBOURS,
        corrected_above: float = 0.9,
        decline_below: float = 0.25,
        suggest_below: float = 0.4,
        declined: str = "",
        blank: str = "Please ask me something.",
    ) -> None:
        if neighbours < 1:
            raise ValueError(f"neighbours ({neighbours}) must be at least 1.")
        check_share("corrected_above", corrected_above)
        check_share("decline_below", decline_below)
        check_share("suggest_below", suggest_below)
        if not blank.strip():
            raise ValueError("blank must not be blank itself.")
        self._bot, self._neighbours = bot, neighbours
        self._corrected_above = corrected_above
        self._decline_below, self._suggest_below = decline_below, suggest_below
        self._declined, self._blank = declined.strip(), blank
        self._corpus = Neighbourhood.of(bot, responder="retrieval")
        self._memory = CorrectionIndex(bot.corrections, self._corpus.weigh)

    @classmethod
    def fit(
        cls, data: FitData, folder: Path, options: Mapping[str, object]
    ) -> Mapping[str, float | None]:
        """Write the index of the corpus, and tell how often it finds the answer to others.

        The figure `retrieved_right` is the share of held-out questions to which those that were
        learnt give the right answer, whatever the confidence.
        """
        Neighbourhood.write(folder)
        corpus = Neighbourhood(folder, data.bot.name, responder="retrieval")
        count = len(data.train)
        checked = check_options(cls, options, what="responder 'retrieval'", where="in [responder]")
        most = checked.get("neighbours", _NEIGHBOURS)
        asked = data.held_out[:_MOST_ASKED]
        right = [_right(one, corpus.nearest(one.question, most, first=count)) for one in asked]
        return {"retrieved_right": sum(right) / len(right)} if right else {}

    def stream(self, question: str, context: Sequence[str] = ()) -> SingleChunkStream:  # noqa: ARG002
        """Begin a reply; nothing is looked up before its first piece is asked for."""
        return SingleChunkStream(partial(self.reply, question), self._bot.name)

    def reply(self, question: str, context: Sequence[str] = ()) -> Reply:  # noqa: ARG002
        """Return the finished reply."""
        began = time.perf_counter()
        found = self._said(question) if question.strip() else self._to_nothing()
        took = milliseconds_since(began)
        return replace(found, bot=self._bot.name, model=self._bot.model, milliseconds=took)

    def reply_all(
        self, questions: Sequence[str], contexts: Sequence[Sequence[str]] = ()
    ) -> Iterator[Reply]:
        """Answer many questions, in order."""
        return map(self.reply, questions, contexts or [()] * len(questions))

    def explain(self, question: str, reply: Reply, context: Sequence[str] = ()) -> Reply:  # noqa: ARG002
        """Return the reply as it is: the nearest rows came with it."""
        return reply

    def _to_nothing(self) -> Reply:
        return Reply(self._blank, ReplySource.DECLINED, 0.0)

    def _said(self, question: str) -> Reply:
        neighbours = self._corpus.nearest(question, self._neighbours)
        remembered = self._memory.recall(question, self._corrected_above, neighbours)
        if remembered is not None:
            return _corrected(remembered, neighbours)
        return self._voted(question, neighbours)

    def _voted(self, question: str, neighbours: Sequence[Neighbour]) -> Reply:
        declines, answers = knn_vote(neighbours)
        confidence = answers[0].confidence if answers else 0.0
        if declines or not answers or confidence < self._decline_below:
            text, source = words_to_decline(question, self._declined), ReplySource.DECLINED
            others = answers[:_MOST_ALTERNATIVES]
        else:
            text, source = answers[0].text, ReplySource.RETRIEVED
            others = answers[1 : _MOST_ALTERNATIVES + 1]
        unsure = source is ReplySource.RETRIEVED and confidence < self._suggest_below
        return Reply(text, source, confidence, others, unsure=unsure, neighbours=tuple(neighbours))


def _corrected(remembered: CorrectionMatch, neighbours: Sequence[Neighbour]) -> Reply:
    said, similarity = remembered
    others = knn_vote(neighbours).answers[:_MOST_ALTERNATIVES]
    return Reply(
        said.answer,
        ReplySource.CORRECTED,
        similarity,
        tuple(other for other in others if other.text != said.answer),
        neighbours=(remembered.neighbour, *neighbours),
    )


def _right(exchange: Exchange, neighbours: Sequence[Neighbour]) -> bool:
    declines, answers = knn_vote(neighbours)
    said = "" if declines or not answers else answers[0].text
    return said == exchange.answer
