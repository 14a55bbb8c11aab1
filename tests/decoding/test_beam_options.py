"""Length forms, coverage and patience of the beam, worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from chatseq.core.errors import PartError
from chatseq.core.options import build_part
from chatseq.core.plugins import Registry
from chatseq.decoding.search import Decoding, decode
from chatseq.engines.contracts import Array, StepOutput
from chatseq.testing import RandomEngine, ScriptedEngine, questions_of
from chatseq.text.tokenizer import END_ID, START_ID
from chatseq_strategies.beam import Beam
from chatseq_strategies.finished import Kept, Scoring

A, B, C = 3, 4, 5


def either(question: tuple[int, ...], reply: tuple[int, ...]) -> Mapping[int, float]:
    """One token, a little likelier A than B, then the end."""
    return {END_ID: 1.0} if reply else {A: 0.6, B: 0.4}


class Looking(ScriptedEngine):
    """Looks where it is told to after each token that comes in."""

    def __init__(self, looks: Mapping[int, Sequence[float]], **options: Any) -> None:
        super().__init__(either, vocabulary_size=6, **options)
        self._looks = looks

    def step(
        self, tokens: Array, state: tuple[Array, ...], memory: tuple[Array, ...]
    ) -> StepOutput:
        stepped = super().step(tokens, state, memory)
        for row, token in enumerate(tokens.tolist()):
            looks = self._looks.get(token, ())  # of rows that are dead, anything may come in
            stepped.weights[row] = 0.0
            stepped.weights[row, : len(looks)] = looks
        return stepped


# Question (7,) and its end mark; A is followed by the same look as before, B by another.
LOOKS = {START_ID: (0.9, 0.1), A: (0.9, 0.1), B: (0.2, 0.8)}


def test_the_form_of_wu_by_hand() -> None:
    # ((5 + 2) / 6) ** 0.7 divides both
    [found] = decode(
        Looking(LOOKS), questions_of((7,)), Beam(length_form="wu", length_penalty=0.7), max_length=9
    )
    assert found[0].score == pytest.approx(math.log(0.6) / (7 / 6) ** 0.7)
    assert found[1].score == pytest.approx(math.log(0.4) / (7 / 6) ** 0.7)


def test_the_coverage_penalty_by_hand() -> None:
    # A: the first token of the question got 1.8, at most 1 counts; its end mark got 0.2
    # B: 1.1 and 0.9, so B is better as soon as 0.5 * log(0.2 / 0.9) outweighs log(0.6 / 0.4) / 2
    [found] = decode(Looking(LOOKS), questions_of((7,)), Beam(coverage_penalty=0.5), max_length=9)
    assert [reply.tokens for reply in found] == [(B,), (A,)]
    assert found[0].score == pytest.approx(math.log(0.4) / 2 + 0.5 * math.log(0.9))
    assert found[1].score == pytest.approx(math.log(0.6) / 2 + 0.5 * math.log(0.2))
    [found] = decode(Looking(LOOKS), questions_of((7,)), Beam(), max_length=9)
    assert [reply.tokens for reply in found] == [(A,), (B,)]


def test_what_nobody_looked_at_costs_much_but_not_without_end() -> None:
    looks = {START_ID: (1.0, 0.0), A: (1.0, 0.0), B: (1.0, 0.0)}
    [found] = decode(Looking(looks), questions_of((7,)), Beam(coverage_penalty=1.0), max_length=9)
    assert found[0].score == pytest.approx(math.log(0.6) / 2 + math.log(0.001))


def test_padding_of_a_longer_neighbour_costs_nothing() -> None:
    beam = Beam(coverage_penalty=0.5, n_best=1)
    alone, together = (
        decode(Looking(LOOKS), questions_of(*asked), beam, max_length=9)
        for asked in ([(7,)], [(7,), (7, 7, 7, 7, 7)])
    )
    assert together[0] == alone[0]


def test_coverage_follows_its_row_through_the_beam() -> None:
    def language(question: tuple[int, ...], reply: tuple[int, ...]) -> Mapping[int, float]:
        if len(reply) == 2:
            return {END_ID: 1.0}
        return {A: 0.3, B: 0.7} if reply in ((), (A,)) else {A: 0.9, B: 0.1}

    class Two(Looking):
        _language = staticmethod(language)

        def __init__(self) -> None:
            ScriptedEngine.__init__(self, language, vocabulary_size=6)
            self._looks = LOOKS

    kept: list[tuple[float, list[float]]] = []

    class Spying(Scoring):
        def score(self, total: float, length: int, covered: Sequence[float] = ()) -> float:
            kept.append((round(math.exp(total), 6), [round(share, 6) for share in covered]))
            return super().score(total, length, covered)

    beam = Beam(size=4, n_best=4, coverage_penalty=0.1)
    beam._scoring = Spying(1.0, coverage_penalty=0.1)
    decode(Two(), questions_of((7,)), beam, max_length=9)
    seen = {A: (0.9, 0.1), B: (0.2, 0.8)}
    shares = {0.63: (B, A), 0.07: (B, B), 0.09: (A, A), 0.21: (A, B)}
    assert len(kept) == 8  # once when they end, once when they are ranked
    for probability, covered in kept:
        looks = [LOOKS[START_ID], *(seen[token] for token in shares[probability])]
        assert covered == pytest.approx([sum(column) for column in zip(*looks, strict=True)])


def chain(question: tuple[int, ...], reply: tuple[int, ...]) -> Mapping[int, float]:
    """Every step may end or go on."""
    return {END_ID: 0.3, A: 0.4, B: 0.3}


@pytest.mark.parametrize(("patience", "ended"), [(0.5, 1), (1.0, 2), (2.0, 4)])
def test_patience_counts_the_replies_that_ended(patience: float, ended: int) -> None:
    # two beginnings, of which each may end at every step; both do from the second step on
    decoding = Decoding(
        ScriptedEngine(chain, vocabulary_size=6),
        questions_of((7,)),
        Beam(size=2, n_best=1, patience=patience),
        max_length=30,
    )
    for _ in decoding:
        pass
    whole = len(decoding._ended[0])
    assert ended <= whole < ended + 2
    assert len(decoding.hypotheses(0)) == 1


def test_patience_may_miss_what_the_safe_stop_finds() -> None:
    def language(question: tuple[int, ...], reply: tuple[int, ...]) -> Mapping[int, float]:
        if not reply:
            return {END_ID: 0.6, A: 0.4}
        return {END_ID: 1.0} if len(reply) == 3 else {A: 1.0}

    engine = ScriptedEngine(language, vocabulary_size=6)
    found = {}
    for patience in (None, 1.0):
        [replies] = decode(
            engine, questions_of((7,)), Beam(size=1, n_best=1, patience=patience), max_length=9
        )
        found[patience] = replies[0].tokens
    # by hand: () log(.6)/1 = -.51; (a a a) log(.4)/4 = -.23
    assert found == {None: (A, A, A), 1.0: ()}


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    "options",
    [
        {"length_form": "wu", "length_penalty": 0.6},
        {"coverage_penalty": 0.3},
        {"coverage_penalty": 0.3, "length_form": "wu", "length_penalty": 2.0},
    ],
)
def test_stopping_early_misses_nothing_under_any_penalty(
    seed: int, options: dict[str, Any]
) -> None:
    class Endless(Beam):
        """Goes on to the maximum length whatever it has."""

        def begin(self, task: Any) -> Any:
            chooser = super().begin(task)
            chooser._done = lambda *_: []  # type: ignore[method-assign]
            return chooser

    engine = RandomEngine(vocabulary_size=8, seed=seed, end_bonus=1.0)
    found = [
        decode(engine, questions_of((5, 6), (7,)), kind(size=4, **options), max_length=12)
        for kind in (Beam, Endless)
    ]
    assert [[reply.tokens for reply in replies] for replies in found[0]] == [
        [reply.tokens for reply in replies] for replies in found[1]
    ]


@pytest.mark.parametrize(
    "options", [{"coverage_penalty": 0.2}, {"length_form": "wu"}, {"patience": 1.0}]
)
def test_torch_scores_alike_and_a_batch_changes_nothing(options: dict[str, Any]) -> None:
    xp = pytest.importorskip("array_api_compat.torch")
    asked = [(5,), (6, 7), (8, 9, 3, 4), (5, 5, 5)]
    made = {"vocabulary_size": 12, "end_bonus": 1.0}
    numpys = decode(RandomEngine(**made), questions_of(*asked), Beam(**options), max_length=12)
    torchs = decode(
        RandomEngine(**made, xp=xp), questions_of(*asked), Beam(**options), max_length=12
    )
    for question, one, other in zip(asked, numpys, torchs, strict=True):
        assert [reply.tokens for reply in one] == [reply.tokens for reply in other]
        assert [reply.score for reply in one] == pytest.approx([r.score for r in other], abs=1e-5)
        [alone] = decode(
            RandomEngine(**made), questions_of(question), Beam(**options), max_length=12
        )
        assert [reply.tokens for reply in alone] == [reply.tokens for reply in one]


def test_only_a_full_beam_lets_nothing_in() -> None:
    kept = Kept(2)
    kept.add(-1.0)
    assert not kept.beats(-9.0)
    kept.add(-2.0)
    kept.add(-3.0)
    assert kept.beats(-2.0)
    assert not kept.beats(-1.9)
    assert kept.count == 3


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"coverage_penalty": -0.1}, r"coverage_penalty \(-0.1\) must be 0 or more"),
        ({"length_penalty": math.nan}, r"length_penalty \(nan\) must be 0 or more"),
        ({"patience": 0.0}, r"patience \(0.0\) must be above 0"),
        ({"length_form": "wo"}, "'length_form' of the strategy 'beam' cannot be 'wo'"),
    ],
)
def test_options_out_of_range_are_refused(
    registry: Registry, options: dict[str, Any], told: str
) -> None:
    with pytest.raises(PartError, match=told):
        build_part(registry, "strategy", {"name": "beam", **options}, where="in a test")
