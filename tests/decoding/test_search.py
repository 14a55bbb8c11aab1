"""The loop: one path for one question and many, for running, streaming and stopping."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from chatseq.decoding.contracts import (
    Adjust,
    Choice,
    Ended,
    Hypothesis,
    SearchRequest,
    SearchState,
    Strategy,
)
from chatseq.decoding.search import Decoding, decode
from chatseq.engines.contracts import Array, Encoded, StepOutput
from chatseq.testing import RandomEngine, ScriptedEngine, questions_of, saying
from chatseq.text.tokenizer import END_ID, PAD_ID, START_ID
from chatseq_strategies.beam import Beam
from chatseq_strategies.greedy import Greedy

QUESTIONS = [(5,), (6, 7), (8, 9, 10, 11, 12), (5, 6), (7,), (9, 9, 9), (4, 3), (12, 3, 12, 3)]
STRATEGIES = [Greedy(), Beam(), Beam(size=2, n_best=2), Beam(size=3, n_best=1, length_penalty=0.0)]


class Spy:
    """An engine that remembers what it was asked for."""

    def __init__(self, engine: RandomEngine) -> None:
        self._engine = engine
        self.encoded = 0
        self.rows: list[int] = []
        self.questions: list[int] = []
        self.first: list[int] = []
        self.states: list[Array] = []

    def encode(self, ids: Array, mask: Array, features: Array | None = None) -> Encoded:
        self.encoded += 1
        return self._engine.encode(ids, mask, features)

    def step(
        self, tokens: Array, state: tuple[Array, ...], memory: tuple[Array, ...]
    ) -> StepOutput:
        if not self.rows:
            self.first = tokens.tolist()
        self.rows.append(len(tokens))
        self.questions.append(len(memory[0]))
        self.states.append(state[0])
        return self._engine.step(tokens, state, memory)

    def array(self, rows: Any) -> Array:
        return self._engine.array(rows)


def engine(**options: Any) -> RandomEngine:
    return RandomEngine(**{"vocabulary_size": 13, "end_bonus": 1.0, **options})


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_batch_gives_the_same_replies_as_one_by_one(strategy: Strategy) -> None:
    together = decode(engine(), questions_of(*QUESTIONS), strategy, max_length=12)
    for question, replies in zip(QUESTIONS, together, strict=True):
        assert decode(engine(), questions_of(question), strategy, max_length=12) == [replies]
    assert len({len(replies[0].tokens) for replies in together}) > 2  # they end at other times


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_numpy_and_torch_give_the_same_replies(strategy: Strategy) -> None:
    xp = pytest.importorskip("array_api_compat.torch")
    questions = questions_of(*QUESTIONS)
    with_numpy = decode(engine(), questions, strategy, max_length=12)
    with_torch = decode(engine(xp=xp), questions, strategy, max_length=12)
    for numpys, torchs in zip(with_numpy, with_torch, strict=True):
        assert [reply.tokens for reply in numpys] == [reply.tokens for reply in torchs]
        assert numpys[0].log_probs == pytest.approx(torchs[0].log_probs)


def test_questions_are_encoded_once_and_start_with_the_start_mark() -> None:
    spy = Spy(engine())
    decode(spy, questions_of(*QUESTIONS), Beam(), max_length=12)
    assert spy.encoded == 1
    assert spy.first == [START_ID] * len(QUESTIONS)


def test_memory_is_never_replicated_for_beams() -> None:
    spy = Spy(engine(end_bonus=-9.0))
    decode(spy, questions_of((5,), (6,)), Beam(size=4), max_length=5)
    assert spy.rows == [2, 8, 8, 8, 8]
    assert spy.questions == [2] * 5


def test_finished_questions_leave_the_batch() -> None:
    spy = Spy(engine())
    replies = decode(spy, questions_of(*QUESTIONS), Greedy(), max_length=30)
    assert spy.questions[0] == len(QUESTIONS)
    assert spy.questions[-1] < len(QUESTIONS)
    assert len(spy.rows) == max(len(reply[0].log_probs) for reply in replies)


def test_the_state_is_copied_only_when_rows_move() -> None:
    class Keeping(Spy):
        def step(
            self, tokens: Array, state: tuple[Array, ...], memory: tuple[Array, ...]
        ) -> StepOutput:
            if self.rows:
                self.kept.append(state[0] is self.given)
            stepped = super().step(tokens, state, memory)
            self.given = stepped.state[0]
            return stepped

        kept: list[bool]

    spy = Keeping(engine(end_bonus=-9.0))
    spy.kept = []
    decode(spy, questions_of((5,)), Greedy(), max_length=6)
    assert spy.kept == [True] * 5
    spy.rows, spy.kept = [], []
    decode(spy, questions_of((5,)), Beam(size=2, n_best=1), max_length=12)
    assert spy.kept[0] is False  # one row becomes two
    assert True in spy.kept  # each row goes on from itself
    assert False in spy.kept[1:]


def test_the_maximum_length_counts_the_end_mark_and_cuts() -> None:
    language = saying({(5,): [6, 7, 8]})
    for longest, tokens, ended in ((4, (6, 7, 8), True), (3, (6, 7, 8), False), (1, (6,), False)):
        [[reply]] = decode(
            ScriptedEngine(language, vocabulary_size=9),
            questions_of((5,)),
            Greedy(),
            max_length=longest,
        )
        assert (reply.tokens, reply.ended) == (tokens, ended)
        assert len(reply.log_probs) == len(reply.weights) == longest


def test_log_probabilities_are_the_models_and_the_end_marks_comes_last() -> None:
    [[reply]] = decode(
        ScriptedEngine(saying({(5,): [6, 7]}, sure=0.8), vocabulary_size=9),
        questions_of((5,)),
        Greedy(),
        max_length=9,
    )
    assert reply.log_probs == pytest.approx([math.log(0.8)] * 3)
    assert reply.score == pytest.approx(3 * math.log(0.8))


def test_weights_belong_to_the_row_that_was_chosen_and_cover_its_question_only() -> None:
    class Marking(ScriptedEngine):
        """Its weights say which token came in."""

        def step(
            self, tokens: Array, state: tuple[Array, ...], memory: tuple[Array, ...]
        ) -> StepOutput:
            stepped = super().step(tokens, state, memory)
            weights = stepped.weights * 0 + tokens[:, None].astype(np.float32)
            return stepped._replace(weights=weights)

    def language(question: tuple[int, ...], reply: tuple[int, ...]) -> Mapping[int, float]:
        if reply in ((3,), (4,)):
            return {5: 0.3, 6: 0.6, END_ID: 0.1} if reply == (4,) else {5: 0.5, 6: 0.5}
        return {END_ID: 1.0} if reply else {3: 0.6, 4: 0.4}

    replies = decode(
        Marking(language, vocabulary_size=7),
        questions_of((5,), (6, 7, 8)),
        Beam(size=4, n_best=4),
        max_length=9,
    )
    for found, length in zip(replies, (2, 4), strict=True):  # the end mark of the question counted
        assert len(found) == 4
        for reply in found:
            came_in = (START_ID, *reply.tokens)
            assert reply.weights == tuple((float(token),) * length for token in came_in)


def test_padding_and_start_are_never_generated_even_from_an_array_that_cannot_be_written() -> None:
    def language(question: tuple[int, ...], reply: tuple[int, ...]) -> Mapping[int, float]:
        return {PAD_ID: 0.4, START_ID: 0.4, 5: 0.15, END_ID: 0.05}

    class Frozen(ScriptedEngine):
        def step(self, *given: Any) -> StepOutput:
            stepped = super().step(*given)
            stepped.log_probs.flags.writeable = False
            return stepped

    for kind in (ScriptedEngine, Frozen):
        for strategy in (Greedy(), Beam(size=2, n_best=1)):
            [[reply]] = decode(
                kind(language, vocabulary_size=6), questions_of((5,)), strategy, max_length=3
            )
            assert set(reply.tokens) <= {5}


class Ban:
    """An adjuster that forbids one token."""

    def __init__(self, token: int) -> None:
        self._token = token

    def begin(self, task: SearchRequest) -> Adjust:
        def adjust(scores: Array, search: SearchState) -> Array:
            changed = task.xp.asarray(scores, copy=True)
            changed[:, self._token] = -math.inf
            return changed

        return adjust


def test_adjusters_come_before_the_strategy_and_leave_the_log_probabilities_alone() -> None:
    def language(question: tuple[int, ...], reply: tuple[int, ...]) -> Mapping[int, float]:
        return {END_ID: 1.0} if reply else {5: 0.6, 6: 0.3, 7: 0.1}

    [[reply]] = decode(
        ScriptedEngine(language, vocabulary_size=8),
        questions_of((5,)),
        Greedy(),
        [Ban(5), Ban(6)],
        max_length=3,
    )
    assert reply.tokens == (7,)
    assert reply.log_probs[0] == pytest.approx(math.log(0.1))


def test_stopping_early_gives_what_there_is() -> None:
    decoding = Decoding(
        ScriptedEngine(saying({(5,): [6, 7, 8]}), vocabulary_size=9),
        questions_of((5,)),
        Greedy(),
        max_length=9,
    )
    assert decoding.hypotheses(0)[0].tokens == ()
    next(decoding)
    next(decoding)
    [reply] = decoding.hypotheses(0)
    assert reply == Hypothesis(
        tokens=(6, 7),
        log_probs=reply.log_probs,
        score=reply.score,
        ended=False,
        weights=((1.0, 0.0), (1.0, 0.0)),
    )


def test_what_stands_grows_token_by_token_when_greedy_and_never_changes_under_beams() -> None:
    for strategy in STRATEGIES:
        decoding = Decoding(engine(), questions_of((5,), (6,)), strategy, max_length=12)
        stood: tuple[int, ...] = ()
        for steps, _ in enumerate(decoding, 1):
            now = decoding.stable_prefix(0)
            assert now[: len(stood)] == stood
            if isinstance(strategy, Greedy) and 0 in decoding.open_questions:
                assert len(now) == steps
            stood = now
        assert decoding.stable_prefix(0) == decoding.hypotheses(0)[0].tokens
        assert decoding.hypotheses(0)[0].tokens[: len(stood)] == stood


def test_beams_stream_what_all_of_them_share() -> None:
    def language(question: tuple[int, ...], reply: tuple[int, ...]) -> Mapping[int, float]:
        if len(reply) == 2:
            return {5: 0.6, 6: 0.4}
        return {END_ID: 1.0} if len(reply) > 2 else {(3, 4)[len(reply)]: 1.0}

    decoding = Decoding(
        ScriptedEngine(language, vocabulary_size=7),
        questions_of((5,)),
        Beam(size=2, n_best=2),
        max_length=9,
    )
    seen = [decoding.stable_prefix(0) for _ in decoding]
    assert seen == [(3,), (3, 4), (3, 4), (3, 4, 5)]


class Two:
    """A strategy that goes on with the two likeliest first tokens, one dead row beside them."""

    draws = False

    def begin(self, task: SearchRequest) -> Two:
        self.seed = task.seed
        return self

    def choose(self, scores: Array, search: SearchState) -> Choice:
        if search.step == 0:
            return Choice(
                np.asarray([0, 0, 0]),
                np.asarray([5, 6, 7]),
                np.asarray([-1.0, -2.0, -math.inf], dtype=np.float32),
            )
        return Choice(
            None,
            search.tokens[:, 0],
            search.scores,
            [Ended(0, -1.0), Ended(2, -math.inf)],
            [0] if search.step == 2 else [],
        )

    def rank(self, hypotheses: Any) -> list[Hypothesis]:
        return sorted(hypotheses, key=lambda reply: reply.score)


def test_dead_rows_are_never_reported() -> None:
    language = saying({(5,): [6, 7, 8]})
    for longest, tokens in ((2, [(6, 6), (5, 5), (5,)]), (9, [(5,), (5, 5)])):
        [replies] = decode(
            ScriptedEngine(lambda q, r: {**language(q, r), 5: 0.1, 6: 0.1}, vocabulary_size=9),
            questions_of((5,)),
            Two(),
            max_length=longest,
        )
        assert sorted(reply.tokens for reply in replies) == sorted(tokens)


def test_the_seed_reaches_the_strategy() -> None:
    strategy = Two()
    decode(engine(), questions_of((5,)), strategy, max_length=2, seed=41)
    assert strategy.seed == 41


def test_an_interrupt_within_a_step_leaves_what_the_steps_before_gave() -> None:
    class Stop(BaseException):
        pass

    class Brittle(Beam):
        """Breaks off after the choice of the third step was made."""

        def begin(self, task: SearchRequest) -> Any:
            chooser = super().begin(task)
            choose = chooser.choose

            def broken(scores: Array, search: SearchState) -> Choice:
                chosen = choose(scores, search)
                if search.step == 2:
                    raise Stop
                return chosen

            chooser.choose = broken  # type: ignore[method-assign]
            return chooser

    decoding = Decoding(engine(), questions_of((5,)), Brittle(), max_length=9)
    next(decoding)
    next(decoding)
    before = decoding.hypotheses(0)
    with pytest.raises(Stop):
        next(decoding)
    assert decoding.hypotheses(0) == before
