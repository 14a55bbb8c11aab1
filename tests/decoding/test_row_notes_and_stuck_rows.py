"""What the loop does for strategies and adjusters: it carries notes, and no row gets stuck."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from chatseq.decoding.arrays import allow_end_when_stuck
from chatseq.decoding.contracts import (
    Adjust,
    Choice,
    Hypothesis,
    SearchRequest,
    SearchState,
    Strategy,
)
from chatseq.decoding.search import Decoding, decode
from chatseq.engines.contracts import Array
from chatseq.testing import RandomEngine, ScriptedEngine, questions_of, saying
from chatseq.text.tokenizer import END_ID
from chatseq_strategies.beam import Beam
from chatseq_strategies.greedy import Greedy

A, B = 3, 4


class Noting(Greedy):
    """Greedy, with the question's number and the reply so far noted beside each row."""

    def begin(self, task: SearchRequest) -> Any:
        chooser = super().begin(task)
        inner = chooser.choose
        xp = task.xp

        def choose(scores: Array, search: SearchState) -> Choice:
            chosen = inner(scores, search)
            if not search.step:
                numbers, replies = xp.asarray(search.sources), chosen.tokens[:, None]
            else:
                numbers, before = search.row_notes
                assert numbers.tolist() == search.sources
                assert before.tolist() == search.tokens.tolist()
                replies = xp.concat([before, chosen.tokens[:, None]], axis=1)
            return chosen._replace(row_notes=(numbers, replies))

        chooser.choose = choose
        return chooser


@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_notes_stay_with_their_rows_when_questions_leave(library: str) -> None:
    xp: Any = np if library == "numpy" else pytest.importorskip("array_api_compat.torch")
    engine = RandomEngine(vocabulary_size=13, end_bonus=1.0, xp=xp)
    asked = questions_of(*[(at, at + 1) for at in range(3, 12)])
    decoding = Decoding(engine, asked, Noting(), max_length=20)
    left = [len(search.sources) for search in decoding]
    assert len(set(left)) > 2  # they did leave, some at a time
    [*found] = (decoding.hypotheses(at)[0].tokens for at in range(9))
    plain = decode(engine, asked, Greedy(), max_length=20)
    assert found == [replies[0].tokens for replies in plain]


class Nothing:
    """An adjuster that forbids everything from some step on."""

    def __init__(self, step: int) -> None:
        self._step = step

    def begin(self, task: SearchRequest) -> Adjust:
        def adjust(scores: Array, search: SearchState) -> Array:
            if search.step < self._step:
                return scores
            return task.xp.full_like(scores, -math.inf)

        return adjust


@pytest.mark.parametrize("strategy", [Greedy(), Beam(size=2, n_best=2)])
@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_where_adjusters_leave_nothing_the_reply_ends(strategy: Strategy, library: str) -> None:
    xp: Any = np if library == "numpy" else pytest.importorskip("array_api_compat.torch")
    engine = RandomEngine(vocabulary_size=9, end_bonus=-5.0, xp=xp)
    [found] = decode(engine, questions_of((5,)), strategy, [Nothing(3)], max_length=20)
    assert found[0].ended
    assert len(found[0].tokens) == 3
    assert found[0].score > -math.inf
    assert found[0].log_probs[-1] < -1.0  # the model's own score of the end mark


def test_only_rows_that_are_stuck_get_a_way_out() -> None:
    xp = pytest.importorskip("array_api_compat.torch")
    inf = math.inf
    model = [[-inf, -inf, -3.0, -1.0], [-inf, -inf, -4.0, -2.0]]
    scores = [[-inf, -inf, -inf, -1.0], [-inf] * 4]
    for space in (np, xp):
        given = space.asarray(scores)
        found = allow_end_when_stuck(space, given, space.asarray(model))
        assert found.tolist() == [scores[0], [-inf, -inf, -4.0, -inf]]
        assert given.tolist() == scores  # the argument stays as it was
        assert allow_end_when_stuck(space, found, space.asarray(model)) is found


def test_a_model_that_allows_nothing_still_gives_a_reply() -> None:
    def nothing(question: tuple[int, ...], reply: tuple[int, ...]) -> Mapping[int, float]:
        return {} if reply else {A: 1.0}

    engine = ScriptedEngine(nothing, vocabulary_size=6)
    for strategy in (Greedy(), Beam(size=2, n_best=1)):
        decoding = Decoding(engine, questions_of((5,)), strategy, max_length=5)
        for _ in decoding:
            decoding.stable_prefix(0)
        [reply] = decoding.hypotheses(0)
        assert reply == Hypothesis((), (), -math.inf, ended=False)


def test_a_hypothesis_knows_its_place_among_the_rows() -> None:
    def fork(question: tuple[int, ...], reply: tuple[int, ...]) -> Mapping[int, float]:
        return {END_ID: 0.9, A: 0.1} if reply else {A: 0.6, B: 0.4}

    engine = ScriptedEngine(fork, vocabulary_size=6)
    found = decode(engine, questions_of((5,), (6,)), Beam(size=2, n_best=2), max_length=4)
    for replies in found:
        assert {reply.tokens: reply.place for reply in replies} == {(A,): 0, (B,): 1}
    decoding = Decoding(engine, questions_of((5,), (6,)), Beam(size=2, n_best=2), max_length=4)
    next(decoding)
    for question in (0, 1):
        cut: Sequence[Hypothesis] = decoding.hypotheses(question)
        assert {reply.tokens: reply.place for reply in cut} == {(A,): 0, (B,): 1}


def test_without_adjusters_nothing_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: object) -> Array:
        raise AssertionError

    monkeypatch.setattr("chatseq.decoding.search.allow_end_when_stuck", refuse)
    engine = ScriptedEngine(saying({(5,): [6]}), vocabulary_size=9)
    [[reply]] = decode(engine, questions_of((5,)), Greedy(), [Nothing(9)], max_length=4)
    assert reply.tokens == (6,)
