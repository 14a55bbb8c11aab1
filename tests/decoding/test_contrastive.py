"""Contrastive search: the weighing by hand, and what stands for a token's vector."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from chatseq.core.errors import PartError
from chatseq.core.options import build_part
from chatseq.core.plugins import Registry
from chatseq.decoding.search import Decoding, decode
from chatseq.engines.contracts import Array, Encoded, StepOutput
from chatseq.testing import RandomEngine, ScriptedEngine, questions_of
from chatseq.text.tokenizer import END_ID
from chatseq_strategies.contrastive import Contrastive
from chatseq_strategies.greedy import Greedy

A, B, C = 3, 4, 5
ASKED = [(5,), (6, 7), (8, 9, 10), (5, 6), (7,), (3, 3, 3)]
# Cosines: a with b .8, with c 0, with itself 1
VECTORS = {A: (2.0, 0.0), B: (0.8, 0.6), C: (0.0, 3.0)}


def three_words(question: tuple[int, ...], reply: tuple[int, ...]) -> Mapping[int, float]:
    """A first, then any of three, then the end."""
    if len(reply) == 1:
        return {A: 0.5, B: 0.3, C: 0.2}
    return {END_ID: 1.0} if reply else {A: 1.0}


class Pointing(ScriptedEngine):
    """Its state has a vector for the token that came in; with `grows`, those of all tokens."""

    def __init__(self, *, grows: bool = False) -> None:
        super().__init__(three_words, vocabulary_size=6)
        self._grows = grows

    def encode(self, ids: Array, mask: Array, features: Array | None = None) -> Encoded:
        memory, state = super().encode(ids, mask, features)
        length = 0 if self._grows else 1
        return Encoded(memory, (*state, np.zeros((len(ids), 2, length), dtype=np.float32)))

    def step(
        self, tokens: Array, state: tuple[Array, ...], memory: tuple[Array, ...]
    ) -> StepOutput:
        stepped = super().step(tokens, state[:2], memory)
        new = np.asarray([VECTORS.get(token, (1.0, 1.0)) for token in tokens.tolist()])
        newest = new.astype(np.float32)[:, :, None]  # (rows, 2, 1)
        kept = np.concatenate([state[2], newest], axis=2) if self._grows else newest
        return stepped._replace(state=(*stepped.state, kept))


def said(engine: ScriptedEngine, **options: Any) -> tuple[int, ...]:
    [[reply]] = decode(engine, questions_of((5,)), Contrastive(**options), max_length=9)
    return reply.tokens


@pytest.mark.parametrize("grows", [False, True])
@pytest.mark.parametrize(
    ("candidates", "penalty", "tokens"),
    [
        # a: .6 * .5 - .4 * 1 = -.10; b: .18 - .32 = -.14; c: .12 - 0
        (3, 0.4, (A, C)),
        # a: .9 * .5 - .1 = .35; b: .27 - .08 = .19; c: .18
        (3, 0.1, (A, A)),
        # a: .75 * .5 - .25 = .125; b: .225 - .2 = .025; c: .15
        (3, 0.25, (A, C)),
        # only a and b: -.10 and -.14
        (2, 0.4, (A, A)),
        # a: .15 - .7 = -.55; b: .09 - .56 = -.47
        (2, 0.7, (A, B)),
        (1, 0.9, (A, A)),
        (3, 0.0, (A, A)),
    ],
)
def test_the_weighing_by_hand(
    candidates: int, penalty: float, tokens: tuple[int, ...], grows: bool
) -> None:
    assert said(Pointing(grows=grows), candidates=candidates, penalty=penalty) == tokens


def test_the_score_is_the_sum_of_the_log_probabilities() -> None:
    [[reply]] = decode(Pointing(), questions_of((5,)), Contrastive(), max_length=9)
    assert reply.tokens == (A, C)
    assert reply.score == pytest.approx(math.log(0.2))
    assert reply.ended


class Turning(RandomEngine):
    """A random language whose state has fractions as well."""

    def step(
        self, tokens: Array, state: tuple[Array, ...], memory: tuple[Array, ...]
    ) -> StepOutput:
        stepped = super().step(tokens, state[:1], memory)
        return stepped._replace(state=(*stepped.state, self._turned(stepped.state[0])))

    def encode(self, ids: Array, mask: Array, features: Array | None = None) -> Encoded:
        memory, state = super().encode(ids, mask, features)
        return Encoded(memory, (*state, self._turned(state[0])))

    def _turned(self, folded: Array) -> Array:
        xp = self._xp
        angles = folded[:, None] * xp.asarray([1, 7, 31])
        return xp.sin(xp.asarray(angles, dtype=xp.float32))[:, None]


def engine(xp: Any = np) -> Turning:
    return Turning(vocabulary_size=13, end_bonus=1.0, xp=xp)


def tokens_of(found: Sequence[Sequence[Any]]) -> list[tuple[int, ...]]:
    return [replies[0].tokens for replies in found]


def test_a_batch_and_torch_change_nothing_but_the_penalty_does() -> None:
    xp = pytest.importorskip("array_api_compat.torch")
    strategy = Contrastive(penalty=0.6)
    together = decode(engine(), questions_of(*ASKED), strategy, max_length=12)
    for question, replies in zip(ASKED, together, strict=True):
        [alone] = decode(engine(), questions_of(question), strategy, max_length=12)
        assert tokens_of([alone]) == tokens_of([replies])
    torchs = decode(engine(xp), questions_of(*ASKED), strategy, max_length=12)
    assert tokens_of(torchs) == tokens_of(together)
    greedy = decode(engine(), questions_of(*ASKED), Greedy(), max_length=12)
    assert tokens_of(greedy) != tokens_of(together)
    assert len({len(tokens) for tokens in tokens_of(together)}) > 2  # questions did leave


@pytest.mark.parametrize("options", [{"penalty": 0.0}, {"candidates": 1}])
def test_without_a_choice_it_is_greedy(options: dict[str, Any]) -> None:
    plain = decode(engine(), questions_of(*ASKED), Greedy(), max_length=12)
    found = decode(engine(), questions_of(*ASKED), Contrastive(**options), max_length=12)
    assert tokens_of(found) == tokens_of(plain)
    assert [r[0].score for r in found] == pytest.approx([r[0].score for r in plain])


def test_a_state_without_fractions_has_no_vectors_and_is_searched_greedily() -> None:
    whole = RandomEngine(vocabulary_size=13, end_bonus=1.0)
    plain = decode(whole, questions_of(*ASKED), Greedy(), max_length=12)
    found = decode(whole, questions_of(*ASKED), Contrastive(), max_length=12)
    assert tokens_of(found) == tokens_of(plain)


def test_it_streams_one_token_late_and_takes_nothing_back() -> None:
    decoding = Decoding(engine(), questions_of((8, 9, 10)), Contrastive(penalty=0.6), max_length=12)
    stood: tuple[int, ...] = ()
    for steps, _ in enumerate(decoding, 1):
        now = decoding.stable_prefix(0)
        assert now[: len(stood)] == stood
        if decoding.open_questions and steps < 12:
            assert len(now) == steps - 1
        stood = now
    assert decoding.hypotheses(0)[0].tokens == stood


def test_a_reply_that_is_cut_is_one_reply() -> None:
    [[reply]] = decode(Pointing(), questions_of((5,)), Contrastive(), max_length=2)
    assert (reply.tokens, reply.ended) == ((A, A), False)  # the likeliest of what was weighed


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"candidates": 0}, r"candidates \(0\) must be at least 1"),
        ({"penalty": 1.0}, r"penalty \(1.0\) must be 0 or more and below 1"),
        ({"penalty": -0.1}, r"penalty \(-0.1\) must be 0 or more"),
    ],
)
def test_options_out_of_range_are_refused(
    registry: Registry, options: dict[str, float], told: str
) -> None:
    with pytest.raises(PartError, match=told):
        build_part(registry, "strategy", {"name": "contrastive", **options}, where="in a test")
