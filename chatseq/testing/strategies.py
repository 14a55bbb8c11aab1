"""The smallest strategy, to search with where an adjuster is checked."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from chatseq.decoding.contracts import Choice, Ended, Hypothesis, SearchRequest, SearchState
from chatseq.engines.contracts import Array
from chatseq.text.tokenizer import END_ID, FIRST_FREE_ID


class PlainStrategy:
    """Keep the likeliest few beginnings of each question; with one it is greedy.

    Args:
        width: beginnings of each question
    """

    draws = False

    def __init__(self, *, width: int = 1) -> None:
        if width < 1:
            raise ValueError(f"width ({width}) must be at least 1.")
        self.width = width

    def begin(self, task: SearchRequest) -> PlainChooser:
        """Return what chooses for one search."""
        return PlainChooser(task, self.width)


class PlainChooser:
    """Chooses in plain Python, one question after the other."""

    def __init__(self, task: SearchRequest, width: int) -> None:
        self.task, self.width = task, width

    def choose(self, scores: Array, search: SearchState) -> Choice:
        """Choose; a question is done when its likeliest beginning ends."""
        best: list[tuple[float, int, int]] = []  # score, row, token
        ended, done = [], []
        for place in range(len(search.sources)):
            ranked = sorted(self.candidates(scores, search, place), reverse=True)
            first = ranked[: self.width]
            ended += [Ended(row, score) for score, row, token in first if token == END_ID]
            if ranked[0][2] == END_ID:
                done.append(place)
            going_on = [each for each in ranked if each[2] != END_ID][: self.width]
            dead = (-math.inf, place * search.width, FIRST_FREE_ID)
            best += going_on + [dead] * (self.width - len(going_on))
        summed, parents, tokens = zip(*best, strict=True)
        return Choice(
            parents=self.array(parents, search.rows),
            tokens=self.array(tokens, search.rows),
            scores=self.array(summed, search.scores),
            ended=ended,
            done=done,
        )

    def candidates(
        self, scores: Array, search: SearchState, place: int
    ) -> Iterator[tuple[float, int, int]]:
        """Yield every possible continuation of the rows of one question."""
        for row in range(place * search.width, (place + 1) * search.width):
            before = float(search.scores[row])
            for token, score in enumerate(scores[row].tolist()):
                if before + score > -math.inf:
                    yield before + score, row, token

    def array(self, values: Sequence[float], like: Array) -> Array:
        """Return an array of the search's library."""
        return self.task.xp.asarray(list(values), dtype=like.dtype, device=like.device)

    def rank(self, hypotheses: Sequence[Hypothesis]) -> list[Hypothesis]:
        """Put whole replies before cut ones, and the higher score first."""
        return sorted(hypotheses, key=lambda found: (found.ended, found.score), reverse=True)
