"""Scores of given replies: by hand, token by token, and for any replies whatever."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence

import array_api_compat.torch as torch_api
import numpy as np
import pytest
from numpy.typing import NDArray

from chatseq.decoding.score_answers import answer_tokens, score_answers, trace_answer
from chatseq.engines.contracts import Array, Engine, StepOutput
from chatseq.testing import RandomEngine, ScriptedEngine, questions_of
from chatseq.text.tokenizer import END_ID, FIRST_FREE_ID

A, B, C = range(FIRST_FREE_ID, FIRST_FREE_ID + 3)
SIZE = FIRST_FREE_ID + 3
ENOUGH = 20


def language(question: tuple[int, ...], reply: tuple[int, ...]) -> Mapping[int, float]:
    """After A comes B or the end, whatever is asked; how a reply begins depends on the question."""
    if not reply:
        return {A: 0.5, B: 0.25, END_ID: 0.25} if question == (A,) else {A: 0.1, C: 0.9}
    return {B: 0.75, END_ID: 0.25} if reply[-1] == A else {END_ID: 0.5, A: 0.5}


class Rows:
    """An engine that remembers how many rows each step had."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self.array, self.encode = engine, engine.array, engine.encode
        self.rows: list[int] = []

    def step(
        self, tokens: Array, state: tuple[Array, ...], memory: tuple[Array, ...]
    ) -> StepOutput:
        self.rows.append(len(tokens))
        return self._engine.step(tokens, state, memory)


def scripted() -> ScriptedEngine:
    return ScriptedEngine(language, vocabulary_size=SIZE)


def scores(
    engine: Engine,
    questions: Sequence[Sequence[int]],
    replies: Sequence[Sequence[int]],
    longest: int = ENOUGH,
    beginnings: int = 1000,
) -> NDArray[np.float64]:
    answers = answer_tokens(replies, longest)
    return score_answers(engine, questions_of(*questions), answers, beginnings=beginnings)


def test_replies_are_scored_as_by_hand() -> None:
    found = scores(scripted(), [[A], [B]], [[], [A], [A, B], [B], [C]])
    first = [0.25, 0.5 * 0.25, 0.5 * 0.75 * 0.5, 0.25 * 0.5, 0.0]
    second = [0.0, 0.1 * 0.25, 0.1 * 0.75 * 0.5, 0.0, 0.9 * 0.5]
    assert np.exp(found) == pytest.approx(np.array([first, second]))


def test_what_replies_begin_with_is_computed_once() -> None:
    engine = Rows(RandomEngine(vocabulary_size=SIZE))
    scores(engine, [[A], [B]], [[A, B, A], [A, B, B], [A, B], [A]])
    # For each question: the start, A, then A B, then both A B A and A B B.
    assert engine.rows == [2, 2, 2, 4]


def test_of_a_long_reply_the_beginning_counts() -> None:
    cut = scores(scripted(), [[A]], [[A, B, A, B], [A, B, C], [A, B]], longest=2)
    assert np.exp(cut[0]) == pytest.approx([0.5 * 0.75] * 3)
    whole = scores(scripted(), [[A]], [[A, B]], longest=3)
    assert np.exp(whole[0, 0]) == pytest.approx(0.5 * 0.75 * 0.5)


def test_a_reply_that_comes_twice_has_its_score_twice() -> None:
    once, again, other = scores(scripted(), [[A]], [[A], [A], [B]])[0]
    assert once == again == pytest.approx(math.log(0.125))
    assert other == pytest.approx(math.log(0.125))  # 0.25 * 0.5 instead of 0.5 * 0.25


def test_without_replies_the_network_is_not_asked_for_any() -> None:
    engine = Rows(scripted())
    assert scores(engine, [[A], [B]], []).shape == (2, 0)
    assert engine.rows == []


def some_replies(chance: random.Random) -> list[list[int]]:
    """Return replies of which many begin alike, some twice, and perhaps the empty one."""
    return [
        [chance.choice((A, B, C)) for _ in range(chance.randrange(7))]
        for _ in range(chance.randrange(1, 30))
    ]


def some_questions(chance: random.Random) -> list[list[int]]:
    return [
        [chance.randrange(FIRST_FREE_ID, SIZE) for _ in range(chance.randrange(1, 6))]
        for _ in range(chance.randrange(1, 5))
    ]


@pytest.mark.parametrize("seed", range(20))
def test_scoring_all_at_once_is_scoring_token_by_token(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    engine = RandomEngine(vocabulary_size=SIZE, seed=seed)
    questions, replies = some_questions(chance), some_replies(chance)
    found = scores(engine, questions, replies)
    for at, question in enumerate(questions):
        traced = [trace_answer(engine, questions_of(question), reply) for reply in replies]
        assert found[at] == pytest.approx([each.score for each in traced], abs=1e-4)
        assert found[at] == pytest.approx([sum(each.log_probs) for each in traced], abs=1e-4)


@pytest.mark.parametrize("longest", [1, 2, 4])
def test_cutting_leaves_out_the_last_tokens_alone(longest: int) -> None:
    engine, chance = RandomEngine(vocabulary_size=SIZE), random.Random(longest)  # noqa: S311
    replies = some_replies(chance)
    found = scores(engine, [[A, B]], replies, longest=longest)[0]
    traced = [trace_answer(engine, questions_of([A, B]), reply) for reply in replies]
    assert found == pytest.approx([sum(each.log_probs[:longest]) for each in traced], abs=1e-4)


def test_a_batch_is_scored_as_one_by_one() -> None:
    engine, chance = RandomEngine(vocabulary_size=SIZE), random.Random(7)  # noqa: S311
    questions, replies = [[A], [B, C, A, A], [C, B]], some_replies(chance)
    together = scores(engine, questions, replies)
    alone = [scores(engine, [question], replies)[0] for question in questions]
    assert together == pytest.approx(np.array(alone), abs=1e-6)
    assert len(np.unique(together[:, 0])) == 3  # questions are told apart


def beginnings_of(replies: Sequence[Sequence[int]], length: int) -> set[tuple[int, ...]]:
    """Return the distinct beginnings of replies that go on beyond a length."""
    return {tuple(reply[:length]) for reply in replies if len(reply) >= length}


@pytest.mark.parametrize("seed", range(20))
def test_what_is_left_behind_keeps_the_score_of_its_beginning(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    engine = RandomEngine(vocabulary_size=SIZE, seed=seed)
    questions, replies = some_questions(chance), some_replies(chance)
    exact, kept = scores(engine, questions, replies), scores(engine, questions, replies, ENOUGH, 2)
    assert (kept >= exact - 1e-6).all()
    assert kept.max(axis=1) == pytest.approx(exact.max(axis=1), abs=1e-4) or len(replies) > 3
    for at, question in enumerate(questions):
        for reply, score in zip(replies, kept[at], strict=True):
            traced = trace_answer(engine, questions_of(question), reply).log_probs
            sums = [sum(traced[: length + 1]) for length in range(len(traced))]
            assert min(abs(score - each) for each in sums) < 1e-4
    most = max(len(beginnings_of(replies, length)) for length in range(1, 8))
    assert most <= 2 or (kept > exact + 1e-6).any()


def test_what_cannot_begin_an_answer_goes_on_no_further() -> None:
    engine = Rows(scripted())
    found = scores(engine, [[A]], [[A, B, B, A, A], [A]])  # B never follows B
    assert found[0, 0] == -math.inf
    assert engine.rows == [1, 1, 1]


def test_no_more_rows_than_beginnings_are_computed_for_a_question() -> None:
    engine = Rows(RandomEngine(vocabulary_size=SIZE))
    scores(engine, [[A], [B], [C]], some_replies(random.Random(5)), ENOUGH, 2)  # noqa: S311
    assert max(engine.rows) == 6


def test_each_question_may_have_answers_of_its_own() -> None:
    engine, chance = RandomEngine(vocabulary_size=SIZE), random.Random(11)  # noqa: S311
    questions = [[A], [B, C, A, A], [C, B]]
    own = [some_replies(chance)[:4] for _ in questions]
    count, width = max(map(len, own)), 8
    tokens = np.zeros((len(questions), count, width), np.int64)
    for at, replies in enumerate(own):
        rows = answer_tokens(replies, ENOUGH)
        tokens[at, : len(rows), : rows.shape[1]] = rows
    found = score_answers(engine, questions_of(*questions), tokens, beginnings=1000)
    for at, (question, replies) in enumerate(zip(questions, own, strict=True)):
        alone = scores(engine, [question], replies)[0]
        assert found[at, : len(replies)] == pytest.approx(alone, abs=1e-6)


def test_torch_scores_as_numpy_does() -> None:
    replies = some_replies(random.Random(3))  # noqa: S311
    questions = [[A, B], [C]]
    by_numpy = scores(RandomEngine(vocabulary_size=SIZE), questions, replies)
    by_torch = scores(RandomEngine(vocabulary_size=SIZE, xp=torch_api), questions, replies)
    assert by_torch.dtype == np.float64
    assert by_torch == pytest.approx(by_numpy, abs=1e-5)


def test_a_traced_reply_is_what_a_search_would_have_found() -> None:
    found = trace_answer(scripted(), questions_of([A]), [A, B])
    assert (found.tokens, found.ended) == ((A, B), True)
    assert np.exp(found.log_probs) == pytest.approx([0.5, 0.75, 0.5])
    assert found.score == pytest.approx(math.log(0.5 * 0.75 * 0.5))
    assert found.weights == ((1.0, 0.0), (1.0, 0.0))  # a look at the question for each token


def test_an_empty_reply_can_be_traced() -> None:
    found = trace_answer(scripted(), questions_of([A]), [])
    assert (found.tokens, found.weights) == ((), ())
    assert np.exp(found.log_probs) == pytest.approx([0.25])
