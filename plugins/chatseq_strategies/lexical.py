"""The strategy `lexical`: every reply holds given words, where they fit best."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import NamedTuple

from chatseq.decoding.arrays import top_continuations
from chatseq.decoding.contracts import (
    Choice,
    Chooser,
    Ended,
    Hypothesis,
    SearchRequest,
    SearchState,
)
from chatseq.decoding.token_bytes import needed_tokenizer
from chatseq.engines.contracts import Array
from chatseq.text.tokenizer import END_ID
from chatseq_strategies.beam import BeamChooser
from chatseq_strategies.finished import Kept, Scoring
from chatseq_strategies.words import Wanted, cleaned

Tokens = tuple[int, ...]


class Lexical:
    """Search for the best reply that holds all words (Post & Vilar 2018, dynamic beam allocation).

    Beginnings that hold equally many tokens of the words make a bank, and each step deals the beam
    out to the banks in turn, beginning with the one that holds most: so a word is tried at every
    place, and some beginning always comes on. Each beginning offers its likeliest tokens and those
    that bring a missing word on. Words count wherever they stand alone, in capitals or not; see
    `banned-words`.

    Every reply that ends holds all words. Where the maximum length has no room for them, or an
    adjuster forbids one, replies are cut instead, and the one that holds most is said. Without
    words it is a plain beam search.

    Args:
        words: words or phrases
        size: beginnings that are kept at each step; best more than the words have tokens
        length_penalty: see `beam`
        n_best: replies returned, the first of them said and the others told as alternatives
    """

    draws = False

    def __init__(
        self,
        *,
        words: tuple[str, ...] = (),
        size: int = 8,
        length_penalty: float = 1.0,
        n_best: int = 3,
    ) -> None:
        if size < 1:
            raise ValueError(f"size ({size}) must be at least 1.")
        if not 1 <= n_best <= size:
            raise ValueError(f"n_best ({n_best}) must be between 1 and size ({size}).")
        self._words, self._size, self._n_best = cleaned(words), size, n_best
        self._scoring = Scoring(length_penalty)

    def begin(self, task: SearchRequest) -> Chooser:
        """Return what chooses for one search."""
        if not self._words:
            return BeamChooser(task, self._scoring, size=self._size, n_best=self._n_best)
        wanted = Wanted(self._words, needed_tokenizer(task, "lexical"))
        return _Chooser(task, wanted, self._scoring, self._size, self._n_best)


class _Candidate(NamedTuple):
    """A token behind a row; candidates of one question are compared by their sums."""

    total: float
    row: int
    token: int


class _Chooser:
    def __init__(
        self, task: SearchRequest, wanted: Wanted, scoring: Scoring, size: int, n_best: int
    ) -> None:
        self._task, self._wanted, self._scoring = task, wanted, scoring
        self._size, self._n_best = size, n_best
        self._longest = scoring.divisor(task.max_length)
        self._kept = [Kept(n_best) for _ in task.questions]
        self._natural = [0] * len(task.questions)  # endings that a plain beam would have taken

    def choose(self, scores: Array, search: SearchState) -> Choice:
        """Deal the beam of each question out to its banks."""
        rows = [tuple(tokens) for tokens in search.tokens.tolist()]
        going: list[_Candidate] = []
        ended: list[Ended] = []
        done: list[int] = []
        for place, candidates in enumerate(self._candidates(scores, search, rows)):
            question = search.sources[place]
            ended += self._endings(question, candidates, search.step + 1, rows)
            dealt = self._dealt([one for one in candidates if one.token != END_ID], rows)
            if self._over(question, dealt):
                done.append(place)
            dead = _Candidate(-math.inf, place * search.width, END_ID)
            going += [*dealt, *[dead] * (self._size - len(dealt))]
        totals, parents, tokens = zip(*going, strict=True)
        return Choice(
            parents=self._array(parents, search.rows),
            tokens=self._array(tokens, search.rows),
            scores=self._array(totals, search.scores),
            ended=ended,
            done=done,
        )

    def rank(self, hypotheses: Sequence[Hypothesis]) -> list[Hypothesis]:
        """Put whole replies first, then those that hold most, then those of higher score."""
        ranked = self._scoring.ranked(hypotheses)
        ranked.sort(key=lambda reply: (not reply.ended, self._wanted.of(reply.tokens).missing))
        return ranked[: self._n_best]

    def _candidates(
        self, scores: Array, search: SearchState, rows: Sequence[Tokens]
    ) -> list[list[_Candidate]]:
        """Return the possible candidates of each question, the best first, each once."""
        xp, batch, width = self._task.xp, len(search.sources), search.width
        standing = [self._wanted.of(row) for row in rows]
        missing = xp.asarray([bool(one.missing) for one in standing], device=scores.device)
        held = xp.asarray(scores, copy=True)
        held[missing, END_ID] = -math.inf
        found = top_continuations(xp, held, search.scores, batch, 2 * self._size)
        pairs = {
            (place * width + parent, token)
            for place, both in enumerate(
                zip(found.parents.tolist(), found.tokens.tolist(), strict=True)
            )
            for parent, token in zip(*both, strict=True)
        }
        pairs.update(enumerate(xp.argmax(held, axis=-1).tolist()))
        for row, one in enumerate(standing):
            pairs.update((row, token) for token in one.following or (END_ID,))
        ordered = sorted(pairs)
        at, tokens = (list(column) for column in zip(*ordered, strict=True))
        totals = (search.scores[at] + held[at, tokens]).tolist()
        candidates: list[list[_Candidate]] = [[] for _ in range(batch)]
        for total, (row, token) in zip(totals, ordered, strict=True):
            if total > -math.inf:
                candidates[row // width].append(_Candidate(total, row, token))
        return [sorted(some, key=lambda one: -one.total) for some in candidates]

    def _endings(
        self, question: int, candidates: Sequence[_Candidate], length: int, rows: Sequence[Tokens]
    ) -> list[Ended]:
        """Return the replies that end: the best among what holds all words."""
        whole = [one for one in candidates if not self._after(one, rows)]
        ended = [one for one in whole[: self._size] if one.token == END_ID]
        for one in ended:
            self._kept[question].add(self._scoring.score(one.total, length))
            self._natural[question] += one in candidates[: self._size]
        return [Ended(one.row, one.total) for one in ended]

    def _dealt(self, candidates: Iterable[_Candidate], rows: Sequence[Tokens]) -> list[_Candidate]:
        """Return what goes on: in turn the best of each bank, that which holds most first."""
        banks: dict[int, list[_Candidate]] = defaultdict(list)
        for one in candidates:
            banks[self._wanted.of((*rows[one.row], one.token)).held].append(one)
        turns = zip_longest(*(banks[held] for held in sorted(banks, reverse=True)))
        dealt = [one for turn in turns for one in turn if one is not None]
        return sorted(dealt[: self._size], key=lambda one: -one.total)

    def _after(self, one: _Candidate, rows: Sequence[Tokens]) -> int:
        """Return how many tokens are missing behind a candidate."""
        reply = rows[one.row] if one.token == END_ID else (*rows[one.row], one.token)
        return self._wanted.of(reply).missing

    def _over(self, question: int, dealt: Sequence[_Candidate]) -> bool:
        kept = self._kept[question]
        if not dealt or self._natural[question] >= self._size:
            return True
        return kept.beats(dealt[0].total / self._longest)

    def _array(self, values: Sequence[float], like: Array) -> Array:
        return self._task.xp.asarray(list(values), dtype=like.dtype, device=like.device)
