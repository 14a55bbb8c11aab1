"""Minimum Bayes risk: agreement worked out by hand, and ranked so."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest

from chatseq.core.errors import PartError
from chatseq.core.options import build_part
from chatseq.core.plugins import Registry
from chatseq.decoding.contracts import Hypothesis
from chatseq.decoding.search import decode
from chatseq.testing import RandomEngine, ScriptedEngine, questions_of
from chatseq.text.tokenizer import END_ID
from chatseq_strategies.mbr import Mbr, by_agreement, likeness, runs_of
from chatseq_strategies.sample import Sample

A, B, C, D = 3, 4, 5, 6


def like(one: tuple[int, ...], other: tuple[int, ...], order: int = 4) -> float:
    return likeness(runs_of(one, order), runs_of(other, order))


def test_likeness_by_hand() -> None:
    # single tokens: 2 * 2 / (2 + 3); pairs: 2 * 1 / (1 + 2); three: 0 of 1; four: neither has any
    assert like((A, B), (A, B, C)) == pytest.approx((4 / 5 + 2 / 3 + 0) / 3)
    assert like((A, B, C), (A, B)) == like((A, B), (A, B, C))
    assert like((A, A, B), (A, B, B), order=1) == pytest.approx(2 * 2 / 6)  # counted, not only seen
    assert like((A, B), (B, A), order=2) == pytest.approx((1 + 0) / 2)
    assert like((A, B), (A, B)) == 1.0
    assert like((A,), (B,)) == 0.0


def test_empty_replies_are_like_each_other_only() -> None:
    assert like((), ()) == 1.0
    assert like((), (A,)) == 0.0


def reply(*tokens: int, ended: bool = True, sure: float = 0.5) -> Hypothesis:
    return Hypothesis(tokens, (math.log(sure),) * (len(tokens) + 1), -1.0, ended=ended)


def test_the_reply_that_the_others_agree_with_comes_first() -> None:
    # likeness of single tokens: (a b) and (a c) share one of two, .5; (d d) shares none
    # (a b) drawn twice: (1 + 1 + .5 + 0) / 4; (a c): (.5 + .5 + 1 + 0) / 4; (d d): 1 / 4
    drawn = [reply(D, D, sure=0.9), reply(A, C), reply(A, B), reply(A, B)]
    found = by_agreement(drawn, order=1, n_best=3)
    assert [one.tokens for one in found] == [(A, B), (A, C), (D, D)]
    assert [one.score for one in found] == pytest.approx([2.5 / 4, 2 / 4, 1 / 4])
    assert by_agreement(drawn, order=1, n_best=2) == found[:2]


def test_of_equal_agreement_the_likelier_comes_first_and_cut_ones_come_last() -> None:
    found = by_agreement([reply(A, sure=0.2), reply(B, sure=0.3)], order=1, n_best=2)
    assert [one.tokens for one in found] == [(B,), (A,)]
    drawn = [reply(A, ended=False), reply(A, B, ended=False), reply(C)]
    assert by_agreement(drawn, order=1, n_best=3)[0].tokens == (C,)


def test_a_common_word_beats_the_likeliest_reply() -> None:
    # dull: .3 for (d). The others, .7 in all, begin with a and end in one of ten ways.
    others = list(range(7, 17))

    def language(question: tuple[int, ...], said: tuple[int, ...]) -> Mapping[int, float]:
        if said == (A,):
            return dict.fromkeys(others, 0.1)
        return {END_ID: 1.0} if said else {D: 0.3, A: 0.7}

    engine = ScriptedEngine(language, vocabulary_size=17)
    [found] = decode(engine, questions_of((5,)), Mbr(samples=40, order=1), max_length=6)
    assert found[0].tokens[0] == A
    [likely] = decode(engine, questions_of((5,)), Sample(samples=40, top_p=1.0), max_length=6)
    assert likely[0].tokens == (D,)


def test_a_batch_and_torch_change_nothing() -> None:
    xp = pytest.importorskip("array_api_compat.torch")
    asked = [(5,), (6, 7), (8, 9, 10), (5, 6)]
    made = {"vocabulary_size": 12, "end_bonus": 2.0}
    together = decode(RandomEngine(**made), questions_of(*asked), Mbr(), max_length=10, seed=3)
    torchs = decode(RandomEngine(**made, xp=xp), questions_of(*asked), Mbr(), max_length=10, seed=3)
    for question, found, other in zip(asked, together, torchs, strict=True):
        [alone] = decode(RandomEngine(**made), questions_of(question), Mbr(), max_length=10, seed=3)
        assert alone == found
        assert [one.tokens for one in found] == [one.tokens for one in other]
        assert len(found) == 3
        assert [one.score for one in found] == sorted((o.score for o in found), reverse=True)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"samples": 1}, r"samples \(1\) must be at least 2"),
        ({"order": 0}, r"order \(0\) must be at least 1"),
        ({"n_best": 17}, r"n_best \(17\) must be between 1 and samples \(16\)"),
        ({"temperature": 0.0}, r"temperature \(0.0\) must be above 0"),
        ({"top_p": 0.0}, r"top_p \(0.0\) must be above 0"),
    ],
)
def test_options_out_of_range_are_refused(
    registry: Registry, options: dict[str, float], told: str
) -> None:
    with pytest.raises(PartError, match=told):
        build_part(registry, "strategy", {"name": "mbr", **options}, where="in a test")


def test_it_draws() -> None:
    assert Mbr().draws
