"""The strategy `contrastive`: likely tokens whose state is not one the reply has been in before."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from chatseq.decoding.arrays import top_continuations
from chatseq.decoding.contracts import Choice, Ended, Hypothesis, SearchRequest, SearchState
from chatseq.engines.contracts import Array
from chatseq.text.tokenizer import END_ID


class Contrastive:
    """Choose among a few likely tokens the one that repeats least (contrastive search).

    Of the likeliest tokens the one with the highest
    `(1 - penalty) * probability - penalty * likeness` is taken, where the likeness is the highest
    cosine between the vector of the token and those of the tokens before it in the reply (Su et al.
    2022, section 2.3). A token's vector is what the decoder's state becomes when the token has come
    in: all its fractional numbers in one row; of a state that grows with the reply, as a
    transformer's keys and values do, the newest step. The end mark has no such vector, so it is
    taken when it is the likeliest.

    All candidates of a step are run side by side and the choice among them falls one step later,
    so a step costs as much as one of a beam of that size. There is one reply and no alternative;
    its score is the sum of its log-probabilities.

    Args:
        candidates: how many tokens are weighed at each step; 1 is greedy
        penalty: how much repeating counts against being likely, 0 to below 1
    """

    draws = False

    def __init__(self, *, candidates: int = 4, penalty: float = 0.4) -> None:
        if candidates < 1:
            raise ValueError(f"candidates ({candidates}) must be at least 1.")
        if not 0 <= penalty < 1:
            raise ValueError(f"penalty ({penalty}) must be 0 or more and below 1.")
        self._candidates, self._penalty = candidates, penalty

    def begin(self, task: SearchRequest) -> _Chooser:
        """Return what chooses for one search."""
        return _Chooser(task.xp, self._candidates, self._penalty)


class _Chooser:
    """Each row of a question holds one candidate for its newest token."""

    def __init__(self, xp: Any, candidates: int, penalty: float) -> None:
        self._xp, self._candidates, self._penalty = xp, candidates, penalty
        self._vectors = _Vectors(xp)
        self._past: Array | None = None  # (batch, tokens, vector) of the tokens that were chosen
        self._sources: list[int] = []

    def choose(self, scores: Array, search: SearchState) -> Choice:
        """Choose among the candidates of the step before, and find those of this one."""
        xp, batch = self._xp, len(search.sources)
        rows = self._chosen(search)  # (batch,)
        scores, sums = scores[rows], search.scores[rows]
        ends = xp.argmax(scores, axis=-1) == END_ID
        ended = [
            Ended(int(rows[place]), float(sums[place] + scores[place, END_ID]))
            for place, end in enumerate(ends.tolist())
            if end
        ]
        marks = xp.arange(scores.shape[-1], device=scores.device) == END_ID
        words = xp.where(marks, xp.full_like(scores, -math.inf), scores)
        found = top_continuations(xp, words, sums, batch, self._candidates)
        chances = xp.exp(words[xp.arange(batch, device=rows.device)[:, None], found.tokens])
        width = found.tokens.shape[-1]
        return Choice(
            parents=xp.repeat(rows, width),
            tokens=found.tokens.reshape(-1),
            scores=found.scores.reshape(-1),
            ended=ended,
            done=[place for place, end in enumerate(ends.tolist()) if end],
            row_notes=(chances.reshape(-1),),
        )

    def rank(self, hypotheses: Sequence[Hypothesis]) -> list[Hypothesis]:
        """Return the reply; of one that was cut within a choice, the likeliest candidate."""
        return sorted(hypotheses, key=lambda reply: (reply.ended, reply.score), reverse=True)[:1]

    def _chosen(self, search: SearchState) -> Array:
        """Return the row of the candidate that is chosen for each question, (batch,)."""
        xp, batch, width = self._xp, len(search.sources), search.width
        vectors = self._vectors.of(search)  # (rows, vector)
        if not search.step:
            self._sources = search.sources
            return search.rows
        self._follow(search.sources)
        vectors = xp.reshape(vectors, (batch, width, -1))
        chances = xp.reshape(search.row_notes[0], (batch, width))
        worth = (1 - self._penalty) * chances - self._penalty * self._likeness(vectors)
        alive = xp.reshape(search.scores, (batch, width)) > -math.inf
        winner = xp.argmax(xp.where(alive, worth, xp.full_like(worth, -math.inf)), axis=-1)
        questions = xp.arange(batch, device=winner.device)
        newest = vectors[questions, winner][:, None]  # (batch, 1, vector)
        past = self._past
        self._past = newest if past is None else xp.concat([past, newest], axis=1)
        return questions * width + winner

    def _likeness(self, vectors: Array) -> Array:
        """Return the highest cosine of each candidate with what was said before, (batch, width)."""
        xp = self._xp
        if self._past is None:
            return xp.zeros_like(vectors[:, :, 0])
        cosines = vectors @ xp.matrix_transpose(self._past)  # (batch, width, tokens)
        return xp.max(cosines, axis=-1)

    def _follow(self, sources: list[int]) -> None:
        """Forget the past of questions that have left."""
        if self._past is not None and sources != self._sources:
            self._past = self._past[[self._sources.index(source) for source in sources]]
        self._sources = sources


class _Vectors:
    """The vector of the newest token of each row, from the decoder's state."""

    def __init__(self, xp: Any) -> None:
        self._xp = xp
        self._before: list[tuple[int, ...]] = []  # shapes of a row's state one step earlier

    def of(self, search: SearchState) -> Array:
        """Return vectors of length 1, or of 0 where a state has no fractions: (rows, vector)."""
        xp, rows = self._xp, search.rows.shape[0]
        shapes = [tuple(part.shape[1:]) for part in search.state]
        parts = [
            xp.reshape(self._newest(part, before), (rows, -1))
            for part, before in zip(search.state, self._before or shapes, strict=True)
            if xp.isdtype(part.dtype, "real floating")
        ]
        self._before = shapes
        if not parts:
            return xp.zeros((rows, 1), dtype=xp.float32, device=search.rows.device)
        vectors = xp.asarray(xp.concat(parts, axis=1), dtype=xp.float32)
        lengths = xp.sqrt(xp.sum(vectors * vectors, axis=-1))[:, None]
        return vectors / xp.where(lengths == 0, xp.ones_like(lengths), lengths)

    def _newest(self, part: Array, before: tuple[int, ...]) -> Array:
        """Return the last step of a state that has grown along one of its axes."""
        for axis, (now, then) in enumerate(zip(part.shape[1:], before, strict=True), 1):
            if now != then:
                return part[(*([slice(None)] * axis), -1)]
        return part
