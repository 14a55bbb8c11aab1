"""Engines without a network, for tests of strategies, adjusters and responders."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from chatseq.engines.contracts import Array, Encoded, StepOutput
from chatseq.text.question_encoder import PaddedQuestions, Question, pad_questions
from chatseq.text.tokenizer import END_ID, FIRST_FREE_ID

_PRIME = 1_000_003


class ScriptedEngine:
    """An engine whose language is a function, for examples that can be worked out by hand.

    Args:
        language: from the question's ids (the end mark left out) and the reply's ids so far to the
            probability of each next id; those not named share nothing
    """

    def __init__(
        self,
        language: Callable[[tuple[int, ...], tuple[int, ...]], Mapping[int, float]],
        *,
        vocabulary_size: int,
        longest: int = 128,
    ) -> None:
        self._language, self._size, self._longest = language, vocabulary_size, longest

    def encode(self, ids: Array, mask: Array, features: Array | None = None) -> Encoded:  # noqa: ARG002
        """Remember the questions; the state is the reply so far and its length."""
        replies = np.zeros((len(ids), self._longest + 1), dtype=np.int64)
        return Encoded((ids, mask), (replies, np.zeros(len(ids), dtype=np.int64)))

    def step(
        self, tokens: Array, state: tuple[Array, ...], memory: tuple[Array, ...]
    ) -> StepOutput:
        """Look up the probabilities; all weight lies on the first token of the question."""
        (ids, mask), replies, lengths = memory, state[0].copy(), state[1]
        replies[np.arange(len(tokens)), lengths] = tokens
        width = _width(tokens, ids)
        log_probs = np.full((len(tokens), self._size), -np.inf, dtype=np.float32)
        for row, (reply, length) in enumerate(zip(replies.tolist(), lengths.tolist(), strict=True)):
            asked = [i for i in ids[row // width][mask[row // width]].tolist() if i != END_ID]
            for token, probability in self._language(
                tuple(asked), tuple(reply[1 : length + 1])
            ).items():
                log_probs[row, token] = np.log(probability)
        weights = np.zeros((len(tokens), ids.shape[1]), dtype=np.float32)
        weights[:, 0] = 1.0
        return StepOutput(log_probs, (replies, lengths + 1), weights)

    def array(self, rows: Any) -> Array:
        """Return integers as an array."""
        return np.asarray(rows, dtype=np.int64)


class RandomEngine:
    """A fast engine with a random but fixed language, where every token depends on all before it.

    A state that is not carried along, a memory that is replicated or padding that is looked at
    changes what it says.

    Args:
        sharpness: how far apart the scores lie; the higher, the surer
        xp: the array namespace to work in, NumPy or array_api_compat's torch
        end_bonus: added to the score of the end mark
        device: of that namespace; None for its usual one
    """

    def __init__(
        self,
        *,
        vocabulary_size: int,
        seed: int = 0,
        sharpness: float = 2.0,
        end_bonus: float = 0.0,
        states: int = 4099,
        xp: Any = np,
        device: Any = None,
    ) -> None:
        random = np.random.default_rng(seed)
        scores = random.standard_normal((states, vocabulary_size)) * sharpness
        scores[:, END_ID] += end_bonus
        scores -= np.logaddexp.reduce(scores, axis=-1, keepdims=True)
        self._xp, self._states, self._device = xp, states, device
        self._log_probs = xp.asarray(scores.astype(np.float32), device=device)

    def encode(self, ids: Array, mask: Array, features: Array | None = None) -> Encoded:  # noqa: ARG002
        """Fold each question into one number, its padding left out."""
        folded = ids[:, 0] * 0
        for column in range(ids.shape[1]):
            folded = self._xp.where(mask[:, column], self._fold(folded, ids[:, column]), folded)
        return Encoded((ids, mask), (folded,))

    def step(
        self, tokens: Array, state: tuple[Array, ...], memory: tuple[Array, ...]
    ) -> StepOutput:
        """Look up the scores of the number that the question and the reply so far fold into."""
        ids, mask = memory
        width = _width(tokens, ids)
        folded = self._fold(state[0], tokens)
        weights = self._xp.astype(mask, self._xp.float32)
        weights = weights / weights.sum(-1)[:, None]
        if width > 1:
            weights = self._xp.repeat(weights, width, axis=0)
        return StepOutput(self._xp.take(self._log_probs, folded, axis=0), (folded,), weights)

    def array(self, rows: Any) -> Array:
        """Return integers as an array."""
        return self._xp.asarray(np.asarray(rows, dtype=np.int64), device=self._device)

    def _fold(self, folded: Array, ids: Array) -> Array:
        return (folded * _PRIME + ids * 7919 + 1) % self._states


def _width(tokens: Array, ids: Array) -> int:
    """Return the rows a question; an engine gets no replicated memory."""
    rows, batch = tokens.shape[0], ids.shape[0]
    if rows % batch:
        raise ValueError(f"{rows} rows for {batch} questions: not equally many for each")
    return int(rows // batch)


def questions_of(*ids: Sequence[int]) -> PaddedQuestions:
    """Return questions of ids, without features, as an engine gets them."""
    return pad_questions([Question((*some, END_ID), ((),) * (len(some) + 1)) for some in ids], 0)


def saying(answers: Mapping[tuple[int, ...], Sequence[int]], sure: float = 0.9) -> Any:
    """Return a language for `ScriptedEngine` that gives each question its answer.

    Args:
        answers: ids by ids, without marks; other questions end at once
        sure: the probability of each right token; the rest goes to the end mark, or at the end to
            the first free id
    """

    def language(question: tuple[int, ...], reply: tuple[int, ...]) -> Mapping[int, float]:
        answer = tuple(answers.get(question, ()))
        following = (*answer, END_ID)[len(reply)] if answer[: len(reply)] == reply else END_ID
        other = FIRST_FREE_ID if following == END_ID else END_ID
        return {following: sure, other: 1 - sure}

    return language
