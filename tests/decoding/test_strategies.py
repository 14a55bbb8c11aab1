"""Greedy and beam search, against examples worked out by hand and against all replies there are."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping

import pytest

from chatseq.core.errors import PartError
from chatseq.core.options import build_part
from chatseq.core.plugins import Registry
from chatseq.decoding.contracts import Hypothesis
from chatseq.decoding.search import Decoding, decode
from chatseq.testing import RandomEngine, ScriptedEngine, questions_of
from chatseq.text.tokenizer import END_ID, FIRST_FREE_ID
from chatseq_strategies.beam import Beam
from chatseq_strategies.greedy import Greedy

A, B, C = 3, 4, 5

# The likeliest first token leads away from the likeliest reply:
#   a .6 ─ end .2, a .4, b .4      b .4 ─ end .9, a .1      everything after two tokens ends
TRAP: dict[tuple[int, ...], dict[int, float]] = {
    (): {A: 0.6, B: 0.4},
    (A,): {END_ID: 0.2, A: 0.4, B: 0.4},
    (B,): {END_ID: 0.9, A: 0.1},
}


def trap(question: tuple[int, ...], reply: tuple[int, ...]) -> Mapping[int, float]:
    return TRAP.get(reply, {END_ID: 1.0})


def replies_of(
    strategy: Greedy | Beam, *, language: object = trap, longest: int = 9
) -> list[Hypothesis]:
    engine = ScriptedEngine(language, vocabulary_size=6)  # type: ignore[arg-type]
    return decode(engine, questions_of((5,)), strategy, max_length=longest)[0]


def test_greedy_takes_the_likeliest_token_each_time() -> None:
    [reply] = replies_of(Greedy())
    assert reply.tokens == (A, A)
    assert reply.score == pytest.approx(math.log(0.6 * 0.4))


def test_beam_search_finds_the_reply_that_greedy_misses() -> None:
    # by hand, plain sums: (b) .4*.9 = .36; (a a) and (a b) .24; (a) .12; (b a) .04
    found = replies_of(Beam(size=2, length_penalty=0.0, n_best=2))
    assert found[0].tokens == (B,)
    assert found[0].score == pytest.approx(math.log(0.36))
    assert found[1].tokens in ((A, A), (A, B))
    assert found[1].score == pytest.approx(math.log(0.24))


def test_the_length_penalty_divides_by_the_length_with_the_end_mark() -> None:
    # by hand, means: (b) log(.36)/2 = -.511; (a a) log(.24)/3 = -.476, so the longer one wins
    found = replies_of(Beam(size=4, length_penalty=1.0, n_best=4))
    assert found[0].tokens in ((A, A), (A, B))
    assert found[0].score == pytest.approx(math.log(0.24) / 3)
    assert found[2].tokens == (B,)
    assert found[2].score == pytest.approx(math.log(0.36) / 2)
    # and half a penalty: log(.36)/sqrt 2 = -.722; log(.24)/sqrt 3 = -.824
    half = replies_of(Beam(size=4, length_penalty=0.5))
    assert half[0].tokens == (B,)
    assert half[0].score == pytest.approx(math.log(0.36) / math.sqrt(2))


def test_with_the_usual_penalty_the_score_is_the_mean_that_confidence_shows() -> None:
    for reply in replies_of(Beam()):
        assert reply.score == pytest.approx(sum(reply.log_probs) / len(reply.log_probs))


def everything(
    engine: RandomEngine, size: int, longest: int
) -> list[tuple[float, tuple[int, ...]]]:
    """Return every whole reply with its sum of log-probabilities, the best first."""
    questions = questions_of((5,))
    encoded = engine.encode(questions.ids, questions.mask)
    found = []
    for length in range(longest):
        for tokens in itertools.product(range(FIRST_FREE_ID, size), repeat=length):
            total, state = 0.0, encoded.state
            for before, after in itertools.pairwise((1, *tokens, END_ID)):
                stepped = engine.step(engine.array([before]), state, encoded.memory)
                total, state = total + float(stepped.log_probs[0, after]), stepped.state
            found.append((total, tokens))
    return sorted(found, reverse=True)


@pytest.mark.parametrize("penalty", [0.0, 0.6, 1.0, 2.0])
@pytest.mark.parametrize("seed", range(5))
def test_a_beam_wide_enough_finds_the_best_of_all_replies(penalty: float, seed: int) -> None:
    engine = RandomEngine(vocabulary_size=6, seed=seed)
    whole = everything(engine, 6, 5)
    expected = sorted(
        ((total / (len(tokens) + 1) ** penalty, tokens) for total, tokens in whole), reverse=True
    )
    wide = Beam(size=3**5, length_penalty=penalty, n_best=7)
    [found] = decode(engine, questions_of((5,)), wide, max_length=5)
    assert [reply.tokens for reply in found] == [tokens for _, tokens in expected[:7]]
    assert [reply.score for reply in found] == pytest.approx([score for score, _ in expected[:7]])


def test_beams_score_better_than_greedy_over_many_questions() -> None:
    questions = questions_of(*itertools.product(range(3, 9), repeat=2))
    engine = RandomEngine(vocabulary_size=40, end_bonus=2.0)
    means = []
    for strategy in (Greedy(), Beam(size=2, n_best=1), Beam(size=8, n_best=1)):
        found = decode(engine, questions, strategy, max_length=30)
        scores = [sum(best.log_probs) / len(best.log_probs) for best, *_ in found]
        means.append(sum(scores) / len(scores))
    assert means == sorted(means)
    assert means[0] < means[1]


@pytest.mark.parametrize("seed", range(20))
def test_stopping_early_misses_nothing_that_the_beam_would_have_found(seed: int) -> None:
    class Patient(Beam):
        """Goes on to the maximum length whatever it has."""

        def begin(self, task):  # type: ignore[no-untyped-def]
            chooser = super().begin(task)
            chooser._done = lambda *_: []  # type: ignore[method-assign]
            return chooser

    engine = RandomEngine(vocabulary_size=8, seed=seed, end_bonus=1.0)
    for penalty in (0.0, 1.0):
        options = {"size": 4, "n_best": 3, "length_penalty": penalty}
        steps, found = [], []
        for kind in (Beam, Patient):
            decoding = Decoding(engine, questions_of((5,)), kind(**options), max_length=12)
            steps.append(sum(1 for _ in decoding))
            found.append([reply.tokens for reply in decoding.hypotheses(0)])
        assert found[0] == found[1]
        assert steps[0] <= steps[1]
        assert steps[0] < steps[1] or penalty == 1.0


def test_a_search_without_beginnings_left_is_over() -> None:
    decoding = Decoding(
        ScriptedEngine(trap, vocabulary_size=6),
        questions_of((5,)),
        Beam(size=6, n_best=6),
        max_length=50,
    )
    assert sum(1 for _ in decoding) == 3
    assert len(decoding.hypotheses(0)) == 5  # all that there are


def test_whole_replies_come_before_cut_ones() -> None:
    def language(question: tuple[int, ...], reply: tuple[int, ...]) -> Mapping[int, float]:
        return {A: 0.9, END_ID: 0.1} if len(reply) != 1 else {A: 0.8, B: 0.19, END_ID: 0.01}

    found = replies_of(Beam(size=2, n_best=2), language=language, longest=2)
    assert [(reply.tokens, reply.ended) for reply in found] == [((), True), ((A, A), False)]
    assert found[0].score < found[1].score
    cut = replies_of(Greedy(), language=language, longest=3)
    assert (cut[0].tokens, cut[0].ended) == ((A, A, A), False)


def test_a_beam_of_one_is_not_worse_than_greedy() -> None:
    for seed in range(10):
        engine = RandomEngine(vocabulary_size=20, seed=seed, end_bonus=2.0)
        greedy, beam = (
            decode(engine, questions_of((5,)), strategy, max_length=30)[0][0]
            for strategy in (Greedy(), Beam(size=1, n_best=1))
        )
        assert beam.score >= greedy.score / len(greedy.log_probs) - 1e-6


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"size": 0}, r"size \(0\) must be at least 1"),
        ({"size": 2}, r"n_best \(3\) must be between 1 and size \(2\)"),
        ({"n_best": 0}, r"n_best \(0\) must be between 1 and size \(5\)"),
        ({"length_penalty": -1.0}, r"length_penalty \(-1.0\) must be 0 or more"),
    ],
)
def test_options_out_of_range_are_refused(
    registry: Registry, options: dict[str, float], told: str
) -> None:
    with pytest.raises(PartError, match=told):
        build_part(registry, "strategy", {"name": "beam", **options}, where="in a test")


def test_strategies_are_found_by_name(registry: Registry) -> None:
    for name, kind in (("greedy", Greedy), ("beam", Beam)):
        strategy = build_part(registry, "strategy", {"name": name}, where="in a test")
        assert isinstance(strategy, kind)
        assert not strategy.draws
