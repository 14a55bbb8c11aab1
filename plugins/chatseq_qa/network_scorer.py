"""The scorer `network`: how likely the trained network finds each answer, word for word."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from chatseq.bots.bot import Bot
from chatseq.bots.contracts import DECLINE, AnswerScores, FitData, Ints, Query
from chatseq.decoding.score_answers import answer_tokens, score_answers
from chatseq.text.question_encoder import pad_questions
from chatseq.text.tokenizer import PAD_ID
from chatseq_qa.score_arrays import bounded

_LONGEST = 32  # tokens of an answer that are weighed
_LEAST = -1e4  # nats; of what the network rules out
_WITHOUT_WORDS = 2  # rows of the table behind those of answers, for NO_CANDIDATE and DECLINE


class NetworkScorer:
    """The log-probability of each answer, given the question and the turns before it.

    Nothing is learnt beside the network.
    """

    def fit(self, data: FitData, folder: Path) -> None:
        """Do nothing: the network is trained already."""

    def open(self, bot: Bot) -> FittedNetworkScorer:
        """Take the network of a bot."""
        return FittedNetworkScorer(bot)


class FittedNetworkScorer:
    """Asks the network of a bot; a batch of questions takes one encode and few steps."""

    features = ("log-probability",)
    prior_weight = 1.0

    def __init__(self, bot: Bot) -> None:
        assert bot.answers is not None  # noqa: S101  (a trained bot has them)
        self._bot, self._texts = bot, bot.answers.texts
        rows = len(self._texts) + _WITHOUT_WORDS
        # Answers are cut into tokens when they are first scored: there may be very many.
        self._tokens = np.full((rows, _LONGEST), PAD_ID, np.int32)
        self._ready = np.zeros(rows, np.bool_)

    def propose(self, queries: Sequence[Query], most: int) -> Sequence[Sequence[int]]:  # noqa: ARG002
        """Name none: to find the best of all answers it would have to score them all."""
        return [()] * len(queries)

    def score(self, queries: Sequence[Query], candidates: Ints) -> AnswerScores:
        """Return log-probabilities in nats."""
        encoder = self._bot.reader
        questions = pad_questions([query.encoded for query in queries], encoder.features)
        scores = score_answers(self._bot.engine, questions, self._tokens_of(candidates))
        scores = np.maximum(scores, _LEAST)
        return AnswerScores(scores, {"log-probability": bounded(scores)})

    def _tokens_of(self, candidates: Ints) -> Ints:
        """Return the tokens of candidates, (questions, candidates, tokens)."""
        ready = self._ready[candidates]  # negative numbers count from the end of the table
        for number in [] if ready.all() else np.unique(candidates[~ready]).tolist():
            if number >= DECLINE:
                row = answer_tokens([self._ids(number)], _LONGEST)[0]
                self._tokens[number, : len(row)] = row
            self._ready[number] = True
        tokens = self._tokens[candidates]
        used = (tokens != PAD_ID).any(axis=(0, 1))
        return tokens[:, :, : int(used.sum())].astype(np.int64)

    def _ids(self, answer: int) -> list[int]:
        if answer == DECLINE:
            return []
        return self._bot.tokenizer.encode_answer(self._texts[answer])[:_LONGEST]
