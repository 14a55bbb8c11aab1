"""Both perplexities: by hand on an engine of a few probabilities, and against the model's loss."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest
from evaluation_fakes import A, B, Letters, TableEngine

from chatseq.evaluation.perplexity import Pair, Perplexity, pair_of, score
from chatseq.text.question_encoder import Question, QuestionEncoder
from chatseq.text.tokenizer import END_ID, START_ID


def pair(question: int, *answer: int) -> Pair:
    return Pair(Question((question, END_ID), ((), ())), (*answer, END_ID))


def summed(engine: Any, pairs: Sequence[Pair], batch: int = 64) -> Perplexity:
    total = Perplexity()
    for some in score(engine, pairs, features=0, batch=batch):
        total.add(some)
    return total


def perplexity_of(*probabilities: float) -> Any:
    return pytest.approx(math.prod(probabilities) ** (-1 / len(probabilities)), rel=1e-5)


def test_teacher_forced_scores_the_answer_after_its_own_tokens() -> None:
    # Answer "b a <end>" of question A: b after start .3, a after b .2, end after a .2.
    found = summed(TableEngine(), [pair(A, B, A)])
    assert found.tokens == 3
    assert found.teacher_forced == perplexity_of(0.3, 0.2, 0.2)


def test_free_running_scores_the_same_answer_after_the_models_own_tokens() -> None:
    # The model says a, b, <end>: b after start .3, a after its a .1, end after its b .6.
    engine = TableEngine()
    found = summed(engine, [pair(A, B, A)])
    assert found.free_running == perplexity_of(0.3, 0.1, 0.6)
    assert engine.fed == [[START_ID, START_ID], [B, A], [A, B]]


def test_a_model_that_has_ended_is_fed_its_end_mark_while_the_answer_goes_on() -> None:
    # Question A: it says a, b, <end>, <end>; the answer is a b b b <end>.
    engine = TableEngine()
    found = summed(engine, [pair(A, A, B, B, B)])
    assert [fed[1] for fed in engine.fed] == [START_ID, A, B, END_ID, END_ID]
    assert found.free_running == perplexity_of(0.5, 0.7, 0.2, 0.3, 0.5)


def test_both_agree_when_the_model_says_the_answer_itself() -> None:
    found = summed(TableEngine(), [pair(A, A, B)])
    assert found.teacher_forced == found.free_running == perplexity_of(0.5, 0.7, 0.6)


def test_padding_is_not_scored_and_the_mean_is_over_tokens_not_over_answers() -> None:
    found = summed(TableEngine(), [pair(A, B, A), pair(B, B)])
    assert found.tokens == 5
    assert found.teacher_forced == perplexity_of(0.3, 0.2, 0.2, 0.8, 0.4)


def test_batches_and_order_do_not_change_the_figures() -> None:
    pairs = [pair(A, B, A), pair(B, B), pair(A, A, B, B, B), pair(B), pair(B, A, A)]
    whole = summed(TableEngine(), pairs)
    for batch in (1, 2, 3):
        engine = TableEngine()
        parts = summed(engine, pairs[::-1], batch=batch)
        assert sum(engine.batches) == len(pairs)
        assert max(engine.batches) == batch
        assert parts.tokens == whole.tokens
        assert parts.teacher_forced == pytest.approx(whole.teacher_forced)
        assert parts.free_running == pytest.approx(whole.free_running)


def test_answers_of_like_length_are_scored_together() -> None:
    engine = TableEngine()
    long = pair(A, A, B, B, B)
    assert summed(engine, [long, pair(B), pair(B), long], batch=2).tokens == 12
    assert len(engine.fed) == 1 + 5


def test_an_answer_of_nothing_is_its_end_mark() -> None:
    assert summed(TableEngine(), [pair(A)]).teacher_forced == perplexity_of(0.2)


def test_without_answers_there_is_no_perplexity() -> None:
    found = summed(TableEngine(), [])
    assert (found.tokens, found.teacher_forced, found.free_running) == (0, None, None)


@pytest.mark.parametrize("nats", [1e6, math.inf, math.nan])
def test_a_perplexity_beyond_all_numbers_is_none(nats: float) -> None:
    found = Perplexity(tokens=1, teacher_forced_nats=nats, free_running_nats=0.0)
    assert (found.teacher_forced, found.free_running) == (None, 1.0)


def test_a_pair_is_read_as_in_training() -> None:
    found = pair_of(QuestionEncoder(Letters(), max_tokens=3), "ABBA", "ba")
    assert found.question.ids == (A, B, END_ID)  # folded, cut, ended
    assert found.answer == (B, A, END_ID)
