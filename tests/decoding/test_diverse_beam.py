"""Diverse beams: the cost by hand, and what it changes against plain beams."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping

import numpy as np
import pytest

from chatseq.core.errors import PartError
from chatseq.core.options import build_part
from chatseq.core.plugins import Registry
from chatseq.decoding.contracts import Hypothesis, SearchRequest
from chatseq.decoding.search import Decoding, decode
from chatseq.testing import RandomEngine, ScriptedEngine, questions_of
from chatseq.text.tokenizer import END_ID
from chatseq_strategies.beam import Beam
from chatseq_strategies.diverse_beam import DiverseBeam

A, B, C = 3, 4, 5
ASKED = [(5,), (6, 7), (8, 9, 10), (5, 6)]


def one_word(question: tuple[int, ...], reply: tuple[int, ...]) -> Mapping[int, float]:
    return {END_ID: 1.0} if reply else {A: 0.5, B: 0.3, C: 0.2}


def found_with(diversity: float, **options: int) -> list[Hypothesis]:
    strategy = DiverseBeam(**{"size": 2, "groups": 2, "n_best": 2, **options}, diversity=diversity)  # type: ignore[arg-type]
    return decode(
        ScriptedEngine(one_word, vocabulary_size=6), questions_of((5,)), strategy, max_length=4
    )[0]


def test_a_group_takes_another_token_when_the_cost_is_high_enough() -> None:
    # log(.5) - d < log(.3) as soon as d > log(.5 / .3) = .511
    assert [reply.tokens for reply in found_with(0.52)] == [(A,), (B,)]
    assert [reply.tokens for reply in found_with(0.50)] == [(A,)]  # both groups said the same


def test_every_beginning_of_the_groups_before_counts() -> None:
    # the third group: a costs twice .45 when the first two both said it: log(.5) - .9 < log(.3)
    options = {"size": 3, "groups": 3, "n_best": 3}
    assert {reply.tokens for reply in found_with(0.45, **options)} == {(A,), (B,)}
    # with .6: a, then b, then c against a and b at once: log(.5) - .6 > log(.3) - .6, log(.2)
    assert [reply.tokens for reply in found_with(0.6, **options)] == [(A,), (B,)]
    # with 1: log(.2) = -1.609 beats log(.5) - 1 = -1.693
    assert [reply.tokens for reply in found_with(1.0, **options)] == [(A,), (B,), (C,)]


def test_the_cost_is_not_in_the_score() -> None:
    assert [reply.score for reply in found_with(3.0)] == pytest.approx(
        [math.log(0.5) / 2, math.log(0.3) / 2]
    )


def test_the_best_of_each_group_comes_before_the_second_of_any() -> None:
    def language(question: tuple[int, ...], reply: tuple[int, ...]) -> Mapping[int, float]:
        if not reply:
            return {A: 0.9, B: 0.1}
        return {END_ID: 1.0} if len(reply) == 2 else {A: 0.5, C: 0.4, B: 0.1}

    engine = ScriptedEngine(language, vocabulary_size=6)
    strategy = DiverseBeam(size=4, groups=2, n_best=4, diversity=5.0)
    [found] = decode(engine, questions_of((5,)), strategy, max_length=5)
    # the first group: (a a) .45 and (a c) .36; the second, to which a and c cost 5: (a b) .09 and
    # (b b) .01
    assert [reply.tokens for reply in found] == [(A, A), (A, B), (A, C), (B, B)]


def test_a_reply_of_two_groups_belongs_to_the_first_however_scores_are_rounded() -> None:
    task = SearchRequest(np, ((5,),), 9)
    chooser = DiverseBeam(size=2, groups=2, length_penalty=0, n_best=2).begin(task)
    for rounded in (-1e-7, 1e-7):
        found = [Hypothesis((4,), (-1.0, -1.0), -2.0, ended=True, place=0)]
        found.insert(0, Hypothesis((4,), (-1.0, -1.0), -2.0 + rounded, ended=True, place=1))
        found.append(Hypothesis((5,), (-2.0, -1.0), -3.0, ended=True, place=0))
        assert [(one.tokens, one.place) for one in chooser.rank(found)] == [((4,), 0), ((5,), 0)]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_one_group_is_a_plain_beam(seed: int, penalty: float) -> None:
    engine = RandomEngine(vocabulary_size=12, seed=seed, end_bonus=1.0)
    options = {"size": 4, "n_best": 3, "length_penalty": penalty}
    plain = decode(engine, questions_of(*ASKED), Beam(**options), max_length=12)  # type: ignore[arg-type]
    group = decode(engine, questions_of(*ASKED), DiverseBeam(groups=1, **options), max_length=12)  # type: ignore[arg-type]
    assert group == plain


def test_replies_begin_more_variously_than_those_of_a_plain_beam() -> None:
    asked = questions_of(*itertools.product(range(3, 8), repeat=2))
    engine = RandomEngine(vocabulary_size=40, end_bonus=2.0)
    firsts = []
    for strategy in (Beam(size=6, n_best=3), DiverseBeam(size=6, groups=3, diversity=2.0)):
        found = decode(engine, asked, strategy, max_length=20)
        firsts.append(sum(len({reply.tokens[:1] for reply in replies}) for replies in found))
    assert firsts[0] < firsts[1]


def test_a_batch_and_torch_change_nothing() -> None:
    xp = pytest.importorskip("array_api_compat.torch")
    made = {"vocabulary_size": 12, "end_bonus": 1.0}
    together = decode(RandomEngine(**made), questions_of(*ASKED), DiverseBeam(), max_length=10)
    torchs = decode(RandomEngine(**made, xp=xp), questions_of(*ASKED), DiverseBeam(), max_length=10)
    for question, found, other in zip(ASKED, together, torchs, strict=True):
        [alone] = decode(RandomEngine(**made), questions_of(question), DiverseBeam(), max_length=10)
        assert alone == found
        assert [one.tokens for one in found] == [one.tokens for one in other]


def test_it_streams_what_all_groups_share() -> None:
    def language(question: tuple[int, ...], reply: tuple[int, ...]) -> Mapping[int, float]:
        return one_word(question, reply[1:]) if reply else {B: 1.0}

    engine = ScriptedEngine(language, vocabulary_size=6)
    decoding = Decoding(engine, questions_of((5,)), DiverseBeam(diversity=1.0), max_length=6)
    seen = [decoding.stable_prefix(0) for _ in decoding]
    assert seen[:2] == [(B,), (B,)]
    assert seen[-1] == (B, A)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"size": 5, "groups": 2}, r"size \(5\) must be a multiple of groups \(2\)"),
        ({"groups": 0}, r"size \(6\) must be a multiple of groups \(0\)"),
        ({"diversity": -1.0}, r"diversity \(-1.0\) must be 0 or more"),
        ({"n_best": 7}, r"n_best \(7\) must be between 1 and size \(6\)"),
        ({"length_penalty": -1.0}, r"length_penalty \(-1.0\) must be 0 or more"),
    ],
)
def test_options_out_of_range_are_refused(
    registry: Registry, options: dict[str, float], told: str
) -> None:
    with pytest.raises(PartError, match=told):
        build_part(registry, "strategy", {"name": "diverse-beam", **options}, where="in a test")
