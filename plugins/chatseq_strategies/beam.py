"""The strategy `beam`: several beginnings of a reply side by side, the best whole one wins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from chatseq.decoding.arrays import best
from chatseq.decoding.contracts import Choice, Ended, Hypothesis, Search, Task
from chatseq.engines.contracts import Array
from chatseq.text.tokenizer import END_ID


class Beam:
    """Keep the best few beginnings and return the best replies found (beam search).

    A reply's score is the sum of its log-probabilities divided by length ** length_penalty, the
    end mark counted (Wu et al. 2016, section 7, the form before their final one). With 1 it is the
    mean, so that exp(score) is the confidence that is shown; with 0 it is the plain sum, which
    favours short replies. The search of a question ends when no beginning can become better than
    the worst of the `n_best` replies kept, whatever follows; so nothing better is ever missed
    among what the beam holds.

    Args:
        size: beginnings that are kept at each step
        n_best: replies returned, the first of them said and the others told as alternatives
    """

    draws = False

    def __init__(self, *, size: int = 5, length_penalty: float = 1.0, n_best: int = 3) -> None:
        if size < 1:
            raise ValueError(f"size ({size}) must be at least 1.")
        if not 1 <= n_best <= size:
            raise ValueError(f"n_best ({n_best}) must be between 1 and size ({size}).")
        if not 0 <= length_penalty < math.inf:
            raise ValueError(f"length_penalty ({length_penalty}) must be 0 or more.")
        self._size, self._length_penalty, self._n_best = size, length_penalty, n_best

    def begin(self, task: Task) -> _Chooser:
        """Return what chooses for one search."""
        return _Chooser(task, self._size, self._length_penalty, self._n_best)


class _Chooser:
    def __init__(self, task: Task, size: int, length_penalty: float, n_best: int) -> None:
        self._xp, self._size, self._n_best = task.xp, size, n_best
        self._length_penalty = length_penalty
        # The most that a sum can be divided by: log-probabilities only lower it.
        self._longest = task.max_length**length_penalty
        self._some_kept = False
        self._kept: list[list[float]] = [[] for _ in task.questions]  # of each, falling

    def choose(self, scores: Array, search: Search) -> Choice:
        """Choose among twice as many candidates as rows, since every row has one that ends it."""
        xp, batch = self._xp, len(search.sources)
        found = best(xp, scores, search.scores, batch, 2 * self._size)
        questions = xp.arange(batch, device=found.tokens.device)[:, None]
        parents = found.parents + questions * search.width  # (batch, count)
        ends = found.tokens == END_ID
        ended = self._endings(ends[:, : self._size], parents, found.scores, search)
        # Those that go on come first, still best first; there are as many for every question.
        count = min(self._size, ends.shape[-1] - search.width)
        order = xp.argsort(ends, axis=-1, stable=True)[:, :count]
        sums = found.scores[questions, order]
        return Choice(
            parents=parents[questions, order].reshape(-1),
            tokens=found.tokens[questions, order].reshape(-1),
            scores=sums.reshape(-1),
            ended=ended,
            done=self._done(sums, search) if self._some_kept else (),
        )

    def _endings(self, ends: Array, parents: Array, sums: Array, search: Search) -> list[Ended]:
        """Return the replies that end, which must be among the `size` best candidates."""
        if not ends.any():
            return []
        ended = []
        for place, column in zip(*(at.tolist() for at in self._xp.nonzero(ends)), strict=True):
            reply = Ended(int(parents[place, column]), float(sums[place, column]))
            if reply.score > -math.inf:
                self._keep(search.sources[place], self._score(reply.score, search.step + 1))
                ended.append(reply)
        return ended

    def _keep(self, question: int, score: float) -> None:
        kept = self._kept[question]
        kept.append(score)
        kept.sort(reverse=True)
        del kept[self._n_best :]
        self._some_kept = True

    def _done(self, sums: Array, search: Search) -> list[int]:
        """Return the places of questions whose best beginning cannot beat the worst reply kept."""
        done = []
        for place, score in enumerate(sums[:, 0].tolist()):
            kept = self._kept[search.sources[place]]
            full = len(kept) == self._n_best
            if score == -math.inf or (full and score / self._longest <= kept[-1]):
                done.append(place)
        return done

    def _score(self, total: float, length: int) -> float:
        divisor: float = length**self._length_penalty
        return total / divisor

    def rank(self, hypotheses: Sequence[Hypothesis]) -> list[Hypothesis]:
        """Put whole replies before cut ones, and the higher score first."""
        scored = [
            replace(reply, score=self._score(reply.score, max(1, len(reply.log_probs))))
            for reply in hypotheses
        ]
        scored.sort(key=lambda reply: (reply.ended, reply.score), reverse=True)
        return scored[: self._n_best]
