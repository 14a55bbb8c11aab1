"""Drawing replies: as likely as the model says, and the same wherever and with whom it is done."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from chatseq.core.errors import PartError
from chatseq.core.options import build_part
from chatseq.core.plugins import Registry
from chatseq.decoding.contracts import Hypothesis, SearchRequest, SearchState
from chatseq.decoding.draws import Draws
from chatseq.decoding.search import Decoding, decode
from chatseq.testing import RandomEngine, ScriptedEngine, questions_of
from chatseq.text.tokenizer import END_ID
from chatseq_strategies.sample import Sample, Sampler, by_probability
from chatseq_strategies.truncation import Truncation

A, B, C = 3, 4, 5
QUESTIONS = [(5,), (6, 7), (8, 9, 10, 11), (5, 6), (7,), (9, 9, 9)]


def one_word(question: tuple[int, ...], reply: tuple[int, ...]) -> Mapping[int, float]:
    return {END_ID: 1.0} if reply else {A: 0.5, B: 0.3, C: 0.2}


def engine(**options: Any) -> RandomEngine:
    return RandomEngine(**{"vocabulary_size": 13, "end_bonus": 1.0, **options})


@pytest.mark.parametrize(
    ("number", "token"), [(0.0, A), (0.49, A), (0.51, B), (0.79, B), (0.81, C), (0.999, C)]
)
def test_a_number_falls_into_the_share_of_its_token(number: float, token: int) -> None:
    scores = np.log(np.asarray([[1e-300, 1e-300, 1e-300, 0.5, 0.3, 0.2]])).astype(np.float32)
    scores[:, :3] = -math.inf
    sampler = Sampler(SearchRequest(np, ((5,),), 4), Truncation(1.0), 1, by_probability)
    sampler._draws = type("Given", (), {"at": lambda *_: np.asarray([number])})()  # type: ignore
    search = SearchState([0], 1, np.arange(1), np.zeros((1, 0)), np.asarray([-1.0]), (), None)
    choice = sampler.choose(scores, search)
    assert choice.tokens.tolist() == [token]
    assert choice.scores.tolist() == pytest.approx([-1.0 + scores[0, token]])


def frequencies(strategy: Sample) -> dict[int, float]:
    found: Counter[int] = Counter()
    talking = ScriptedEngine(one_word, vocabulary_size=6)
    asked = questions_of(*[(at, at % 7 + 3) for at in range(3, 503)])
    for [reply] in decode(talking, asked, strategy, max_length=4):
        found[reply.tokens[0]] += 1
    return {token: times / found.total() for token, times in found.items()}


def test_tokens_come_as_often_as_they_are_likely() -> None:
    found = frequencies(Sample(top_p=1.0))
    assert found == pytest.approx({A: 0.5, B: 0.3, C: 0.2}, abs=0.05)


def test_a_low_temperature_is_surer_and_rules_leave_out() -> None:
    # squares: .25 .09 .04 of .38
    found = frequencies(Sample(top_p=1.0, temperature=0.5))
    assert found == pytest.approx({A: 25 / 38, B: 9 / 38, C: 4 / 38}, abs=0.05)
    assert set(frequencies(Sample(top_p=0.7))) == {A, B}
    assert set(frequencies(Sample(top_p=1.0, top_k=1))) == {A}
    assert set(frequencies(Sample(top_p=1.0, min_p=0.5))) == {A, B}
    # entropy 1.0297: the surprise of B, 1.2040, is nearest to it
    assert set(frequencies(Sample(top_p=1.0, typical_p=0.2))) == {B}
    # the floor: min(.5, .7071 * .3571 = .2525)
    assert set(frequencies(Sample(top_p=1.0, eta=0.5))) == {A, B}


@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("options", [{}, {"top_p": 1.0, "min_p": 0.05}, {"typical_p": 0.8}])
def test_a_reply_is_the_same_alone_in_a_batch_and_on_torch(
    samples: int, options: dict[str, float]
) -> None:
    strategy = Sample(samples=samples, **options)  # type: ignore[arg-type]
    together = decode(engine(), questions_of(*QUESTIONS), strategy, max_length=12, seed=4)
    backwards = decode(engine(), questions_of(*QUESTIONS[::-1]), strategy, max_length=12, seed=4)
    assert backwards[::-1] == together
    for question, replies in zip(QUESTIONS, together, strict=True):
        [alone] = decode(engine(), questions_of(question), strategy, max_length=12, seed=4)
        assert alone == replies
    xp = pytest.importorskip("array_api_compat.torch")
    torchs = decode(engine(xp=xp), questions_of(*QUESTIONS), strategy, max_length=12, seed=4)
    assert [[r.tokens for r in replies] for replies in torchs] == [
        [r.tokens for r in replies] for replies in together
    ]


def test_the_same_seed_gives_the_same_and_others_give_others() -> None:
    def replies(seed: int) -> list[tuple[int, ...]]:
        found = decode(engine(), questions_of(*QUESTIONS), Sample(), max_length=12, seed=seed)
        return [reply.tokens for [reply] in found]

    assert replies(1) == replies(1)
    assert len({tuple(replies(seed)) for seed in range(5)}) == 5


def test_more_samples_and_longer_replies_change_no_draw() -> None:
    def drawn(samples: int, longest: int) -> list[set[tuple[int, ...]]]:
        strategy = Sample(samples=samples)
        found = decode(engine(), questions_of(*QUESTIONS), strategy, max_length=longest)
        return [{reply.tokens[:6] for reply in replies} for replies in found]

    for one, four in zip(drawn(1, 6), drawn(4, 12), strict=True):
        assert one <= four


def test_the_numbers_are_these_on_every_machine() -> None:
    # written down once: whoever changes how they are made changes the replies of every user
    draws = Draws(SearchRequest(np, ((5, 2), (7, 2)), 3, seed=9), 2)
    search = SearchState([0, 1], 2, np.arange(4), np.zeros((4, 1)), np.zeros(4), (), None, 1)
    assert draws.at(search, search.scores).tolist() == pytest.approx(NUMBERS)
    search.sources = [1]
    assert draws.at(search, search.scores).tolist() == pytest.approx(NUMBERS[2:])


NUMBERS = [0.6078447043089316, 0.47275485141979734, 0.009580978474581725, 0.5203326877617197]


def test_several_samples_are_ranked_by_their_mean_and_told_once() -> None:
    talking = ScriptedEngine(one_word, vocabulary_size=6)
    [found] = decode(talking, questions_of((5,)), Sample(samples=30, top_p=1.0), max_length=4)
    assert [reply.tokens for reply in found] == [(A,), (B,), (C,)]
    means = [math.log(share) / 2 for share in (0.5, 0.3, 0.2)]
    assert [reply.score for reply in found] == pytest.approx(means)
    assert all(reply.ended for reply in found)


def test_a_tempered_reply_is_scored_by_what_the_model_says() -> None:
    talking = ScriptedEngine(one_word, vocabulary_size=6)
    [found] = decode(talking, questions_of((5,)), Sample(temperature=9.0, top_k=1), max_length=4)
    assert found[0].score == pytest.approx(math.log(0.5) / 2)


def test_whole_samples_come_before_cut_ones() -> None:
    def language(question: tuple[int, ...], reply: tuple[int, ...]) -> Mapping[int, float]:
        return {A: 0.9, END_ID: 0.1}

    talking = ScriptedEngine(language, vocabulary_size=6)
    [found] = decode(talking, questions_of((5,)), Sample(samples=20, top_p=1.0), max_length=3)
    assert [reply.ended for reply in found] == sorted((r.ended for r in found), reverse=True)
    assert found[-1] == Hypothesis(
        (A,) * 3, found[-1].log_probs, found[-1].score, ended=False, weights=found[-1].weights,
        place=found[-1].place,
    )  # fmt: skip
    assert found[-1].score > found[0].score


def test_one_sample_streams_token_by_token_and_several_what_they_share() -> None:
    decoding = Decoding(engine(end_bonus=-2.0), questions_of((5,)), Sample(), max_length=9)
    for steps, _ in enumerate(decoding, 1):
        if decoding.open_questions:
            assert len(decoding.stable_prefix(0)) == steps
    several = Decoding(engine(), questions_of((5,)), Sample(samples=4), max_length=9)
    stood: tuple[int, ...] = ()
    for _ in several:
        now = several.stable_prefix(0)
        assert now[: len(stood)] == stood
        stood = now
    assert several.hypotheses(0)[0].tokens == stood


def test_a_question_is_done_when_its_last_sample_ends() -> None:
    steps = {}
    for samples in (1, 6):
        decoding = Decoding(
            engine(), questions_of((5,)), Sample(samples=samples, top_p=1.0), max_length=40
        )
        steps[samples] = sum(1 for _ in decoding)
        found = decoding._ended[0]
        assert len(found) == samples
        assert steps[samples] == max(len(reply.log_probs) for reply in found)
    assert steps[1] < steps[6]


def test_it_draws(registry: Registry) -> None:
    assert build_part(registry, "strategy", {"name": "sample"}, where="in a test").draws


def test_options_out_of_range_are_refused(registry: Registry) -> None:
    for options, told in (
        ({"samples": 0}, r"samples \(0\) must be at least 1"),
        ({"temperature": -1.0}, r"temperature \(-1.0\) must be above 0"),
    ):
        with pytest.raises(PartError, match=told):
            build_part(registry, "strategy", {"name": "sample", **options}, where="in a test")
