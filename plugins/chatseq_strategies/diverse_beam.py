"""The strategy `diverse-beam`: several small beams that keep out of each other's way."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from chatseq.decoding.arrays import top_continuations
from chatseq.decoding.contracts import Choice, Ended, Hypothesis, SearchRequest, SearchState
from chatseq.engines.contracts import Array
from chatseq.text.tokenizer import END_ID
from chatseq_strategies.finished import Kept, Scoring


class DiverseBeam:
    """Search in groups, each of which avoids what the ones before it just said (diverse beams).

    The beams of a plain search are often one reply with another comma. Here the groups choose one
    after the other, and each token costs `diversity` for every beginning of an earlier group that
    goes on with it at this step (Vijayakumar et al. 2016, section 3, Hamming diversity). The cost
    decides what goes on; a reply's score is that of `beam`. The best of all is said; the next ones
    are the best of each group, then the second of each.

    Args:
        size: beginnings that are kept at each step, in all groups together
        groups: how many share them; with `size` groups of one, replies differ most
        diversity: 0: the groups find the same; 0.2 to 0.8 is usual
        length_penalty: the exponent of the length by which a sum is divided, 0 or more
        n_best: replies returned, the first of them said and the others told as alternatives
    """

    draws = False

    def __init__(
        self,
        *,
        size: int = 6,
        groups: int = 3,
        diversity: float = 0.5,
        length_penalty: float = 1.0,
        n_best: int = 3,
    ) -> None:
        if groups < 1 or size < 1 or size % groups:
            raise ValueError(f"size ({size}) must be a multiple of groups ({groups}).")
        if not 0 <= diversity < math.inf:
            raise ValueError(f"diversity ({diversity}) must be 0 or more.")
        if not 1 <= n_best <= size:
            raise ValueError(f"n_best ({n_best}) must be between 1 and size ({size}).")
        self._size, self._groups, self._n_best = size, groups, n_best
        self._diversity, self._scoring = diversity, Scoring(length_penalty)

    def begin(self, task: SearchRequest) -> _Chooser:
        """Return what chooses for one search."""
        return _Chooser(
            task, self._scoring, self._size, self._groups, self._diversity, self._n_best
        )


class _Found(NamedTuple):
    """The candidates of one group, those that the group likes best first."""

    parents: Array  # (batch, count), rows
    tokens: Array  # (batch, count)
    sums: Array  # (batch, count), without the costs


class _Chooser:
    def __init__(
        self,
        task: SearchRequest,
        scoring: Scoring,
        size: int,
        groups: int,
        diversity: float,
        n_best: int,
    ) -> None:
        self._xp, self._scoring, self._n_best = task.xp, scoring, n_best
        self._groups, self._each, self._diversity = groups, size // groups, diversity
        self._longest = scoring.divisor(task.max_length)
        most = -(-n_best // groups)
        self._kept = [[Kept(most) for _ in range(groups)] for _ in task.questions]
        self._rows = 1  # of a group, once there are groups

    def choose(self, scores: Array, search: SearchState) -> Choice:
        """Let the groups choose one after the other."""
        xp, batch = self._xp, len(search.sources)
        said = xp.zeros((batch, scores.shape[-1]), dtype=scores.dtype, device=scores.device)
        ended: list[Ended] = []
        going: list[_Found] = []
        for group in range(self._groups):
            found = self._candidates(group, scores, search, said)
            ends = found.tokens == END_ID
            if search.step or not group:  # before the first token all groups are one
                ended += self._endings(group, found, ends[:, : self._each], search)
            going.append(self._going(found, ends, search))
            self._say(said, going[-1])
        self._rows = going[0].tokens.shape[-1]
        parents, tokens, sums = (
            xp.concat(parts, axis=1).reshape(-1) for parts in zip(*going, strict=True)
        )
        return Choice(parents, tokens, sums, ended, self._done(going, search))

    def rank(self, hypotheses: Sequence[Hypothesis]) -> list[Hypothesis]:
        """Put the best of each group first, then the second of each; whole replies before cut."""
        seen = [0] * self._groups
        turns: list[tuple[bool, int, Hypothesis]] = []
        for reply in self._scoring.ranked(_once(hypotheses)):
            group = min(reply.place // self._rows, self._groups - 1)
            turns.append((not reply.ended, seen[group], reply))
            seen[group] += 1
        turns.sort(key=lambda turn: turn[:2])
        return [reply for *_, reply in turns[: self._n_best]]

    def _candidates(self, group: int, scores: Array, search: SearchState, said: Array) -> _Found:
        """Return twice as many candidates as the group has beginnings."""
        xp, batch = self._xp, len(search.sources)
        questions = xp.arange(batch, device=scores.device)[:, None]
        rows_each = search.width // self._groups if search.step else 1
        first = questions * search.width + (group * rows_each if search.step else 0)
        rows = (first + xp.arange(rows_each, device=scores.device)).reshape(-1)
        costs = self._diversity * said
        own = scores[rows] - xp.repeat(costs, rows_each, axis=0)
        found = top_continuations(xp, own, search.scores[rows], batch, 2 * self._each)
        sums = found.scores + costs[questions, found.tokens]
        return _Found(found.parents + first, found.tokens, sums)

    def _going(self, found: _Found, ends: Array, search: SearchState) -> _Found:
        """Return the candidates that go on, equally many for every question."""
        xp = self._xp
        rows_each = search.width // self._groups if search.step else 1
        count = min(self._each, ends.shape[-1] - rows_each)
        order = xp.argsort(ends, axis=-1, stable=True)[:, :count]
        questions = xp.arange(ends.shape[0], device=ends.device)[:, None]
        return _Found(*(part[questions, order] for part in found))

    def _say(self, said: Array, going: _Found) -> None:
        """Count the tokens that a group goes on with."""
        xp = self._xp
        questions = xp.arange(said.shape[0], device=said.device)
        for column in range(going.tokens.shape[-1]):
            alive = going.sums[:, column] > -math.inf
            said[questions, going.tokens[:, column]] += xp.asarray(alive, dtype=said.dtype)

    def _endings(self, group: int, found: _Found, ends: Array, search: SearchState) -> list[Ended]:
        if not ends.any():
            return []
        ended = []
        for place, column in zip(*(at.tolist() for at in self._xp.nonzero(ends)), strict=True):
            reply = Ended(int(found.parents[place, column]), float(found.sums[place, column]))
            if reply.score > -math.inf:
                score = self._scoring.score(reply.score, search.step + 1)
                self._kept[search.sources[place]][group].add(score)
                ended.append(reply)
        return ended

    def _done(self, going: Sequence[_Found], search: SearchState) -> list[int]:
        """Return the places of questions of which no group can find anything better."""
        bests = [self._xp.max(found.sums, axis=-1).tolist() for found in going]
        return [
            place
            for place, question in enumerate(search.sources)
            if all(
                sums[place] == -math.inf or kept.beats(sums[place] / self._longest)
                for sums, kept in zip(bests, self._kept[question], strict=True)
            )
        ]


def _once(hypotheses: Sequence[Hypothesis]) -> list[Hypothesis]:
    """Return each reply once, as the first group has it.

    Scores cannot tell: those of two groups that say the same differ by rounding alone.
    """
    in_turn = sorted(hypotheses, key=lambda reply: (reply.ended, -reply.place))
    return list({reply.tokens: reply for reply in in_turn}.values())
