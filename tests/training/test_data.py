"""Exchanges as tensors: padding, features, and noise that can be asked for again."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
import torch

from chatseq.core.exchange import Exchange
from chatseq.core.plugins import Registry
from chatseq.model.batch import Batch
from chatseq.text.question_encoder import pad_questions
from chatseq.text.tokenizer import END_ID, PAD_ID
from chatseq.training.data import (
    Examples,
    Noise,
    _Questions,
    _Ragged,
    _word_dropout,
)
from chatseq.training.deterministic import uniform_at
from chatseq.training.job import Job, prepare
from chatseq_subword.part import Subword

from .conftest import MakeJob, exchanges, small_recipe


@pytest.fixture
def examples(job: Job) -> Examples:
    return Examples(exchanges(), job.reader, max_answer_tokens=64)


def questions_of(batch: Batch) -> list[list[int]]:
    rows = zip(batch.question_ids.tolist(), batch.question_mask.tolist(), strict=True)
    return [[i for i, real in zip(ids, mask, strict=True) if real] for ids, mask in rows]


def test_a_batch_is_what_the_reader_reads(examples: Examples, job: Job) -> None:
    rows = [3, 0, 21, 35]
    batch = examples.batch(rows)
    read = [job.reader.read(examples.exchanges[row].question) for row in rows]
    wanted = pad_questions(read, job.reader.features)
    assert np.array_equal(batch.question_ids.numpy(), wanted.ids)
    assert np.array_equal(batch.question_mask.numpy(), wanted.mask)
    assert batch.question_features is not None
    assert np.array_equal(batch.question_features.numpy(), wanted.features)


def test_answers_end_with_the_end_mark_and_are_padded_behind(examples: Examples, job: Job) -> None:
    batch = examples.batch([0, 39])
    for row, exchange in ((0, examples.exchanges[0]), (1, examples.exchanges[39])):
        real = batch.answer_ids[row][batch.answer_mask[row]].tolist()
        assert real[-1] == END_ID
        assert job.tokenizer.decode(real) == exchange.answer
        assert set(batch.answer_ids[row][~batch.answer_mask[row]].tolist()) <= {PAD_ID}


def test_lengths_count_the_end_mark(examples: Examples) -> None:
    batch = examples.batch(range(len(examples)))
    assert batch.question_mask.sum(1).tolist() == examples.question_lengths.tolist()
    assert batch.answer_mask.sum(1).tolist() == examples.answer_lengths.tolist()


def test_an_empty_answer_is_the_end_mark_alone(job: Job) -> None:
    declined = Examples([Exchange("what is love", "")], job.reader, max_answer_tokens=8)
    assert declined.batch([0]).answer_ids.tolist() == [[END_ID]]


def test_long_answers_are_left_out_and_counted(job: Job) -> None:
    rows = [Exchange("a", "long " * 50), Exchange("b", "short")]
    kept = Examples(rows, job.reader, max_answer_tokens=20)
    assert [exchange.question for exchange in kept.exchanges] == ["b"]
    assert kept.left_out == 1


def test_without_features_a_batch_has_none(make_job: object) -> None:
    job = make_job("question.features=0")  # type: ignore[operator]
    assert job.train.batch([0, 1]).question_features is None


def test_noise_is_a_function_of_seed_and_row(examples: Examples) -> None:
    noise = Noise(word_dropout=0.3, subword_dropout=0.3)
    first = questions_of(examples.noisy_batch([1, 2, 3], noise, seed=5))
    again = questions_of(examples.noisy_batch([3, 1], noise, seed=5))
    assert again == [first[2], first[0]]
    others = [questions_of(examples.noisy_batch([1, 2, 3], noise, seed=s)) for s in range(6, 12)]
    assert any(other != first for other in others)


def test_noise_never_touches_answers(examples: Examples) -> None:
    noisy = examples.noisy_batch([1, 2], Noise(0.9, 0.9), seed=1)
    assert torch.equal(noisy.answer_ids, examples.batch([1, 2]).answer_ids)


def test_subword_noise_keeps_the_text(examples: Examples, job: Job) -> None:
    rows = list(range(20))
    noisy = questions_of(examples.noisy_batch(rows, Noise(subword_dropout=0.5), seed=1))
    plain = questions_of(examples.batch(rows))
    assert noisy != plain
    assert list(map(job.tokenizer.decode, noisy)) == list(map(job.tokenizer.decode, plain))


def test_word_noise_leaves_out_about_its_share_and_never_the_end(examples: Examples) -> None:
    rows = list(range(len(examples)))
    kept = total = 0
    for seed in range(30):
        for row in questions_of(examples.noisy_batch(rows, Noise(word_dropout=0.25), seed)):
            assert row[-1] == END_ID
            assert len(row) > 1
            kept += len(row) - 1
        total += int((examples.question_lengths - 1).sum())
    assert 0.70 < kept / total < 0.80


def test_a_left_out_word_takes_its_features_along(examples: Examples) -> None:
    plain = examples.batch([5])
    noisy = examples.noisy_batch([5], Noise(word_dropout=0.4), seed=2)
    known = list(zip(plain.question_ids[0].tolist(), features(plain), strict=True))
    found = list(zip(noisy.question_ids[0].tolist(), features(noisy), strict=True))
    assert len(found) < len(known)
    assert [pair for pair in known if pair in found] == found


def features(batch: Batch) -> list[list[int]]:
    assert batch.question_features is not None
    found: list[list[int]] = batch.question_features[0].tolist()
    return found


def test_even_full_word_noise_leaves_a_question(examples: Examples) -> None:
    noisy = questions_of(examples.noisy_batch([0, 1, 2], Noise(word_dropout=0.999), seed=1))
    assert all(len(row) > 1 for row in noisy)


# Earlier turns.

TALK = [
    Exchange("and on Sundays?", "Closed.", context=("hello", "opening hours", "from nine")),
    Exchange("and you?", "Well."),
]


def turns_of(ids: list[int]) -> list[list[int]]:
    turns: list[list[int]] = [[]]
    for token in ids:
        turns[-1].append(token)
        if token == END_ID:
            turns.append([])
    assert turns.pop() == []
    return turns


@pytest.fixture
def talk(make_job: MakeJob) -> Job:
    more = [Exchange(e.question, e.answer, context=("earlier", "words")) for e in exchanges()]
    return make_job("question.context_turns=2", rows=[*TALK, *more])


def test_the_turns_before_a_question_are_in_its_row(talk: Job) -> None:
    batch = Examples(TALK, talk.reader, max_answer_tokens=64).batch([0, 1])
    first, second = questions_of(batch)
    assert list(map(talk.tokenizer.decode, turns_of(first))) == [
        "opening hours",
        "from nine",
        "and on sundays?",
    ]
    assert [talk.tokenizer.decode(turn) for turn in turns_of(second)] == ["and you?"]


def test_without_context_turns_batches_are_those_of_questions_alone(job: Job) -> None:
    bare = [Exchange(exchange.question, exchange.answer) for exchange in TALK]
    one, other = (Examples(rows, job.reader, max_answer_tokens=64) for rows in (TALK, bare))
    for noise in (Noise(), Noise(0.3, 0.3)):
        batches = [rows.noisy_batch([0, 1], noise, seed=4) for rows in (one, other)]
        assert all(torch.equal(a, b) for a, b in zip(*batches, strict=True))  # type: ignore[arg-type]


@pytest.mark.parametrize("noise", [Noise(word_dropout=0.5), Noise(0.3, 0.3), Noise(0.999, 0.0)])
def test_noise_leaves_the_end_of_every_turn_and_a_token_before_it(talk: Job, noise: Noise) -> None:
    examples = Examples(TALK, talk.reader, max_answer_tokens=64)
    plain = questions_of(examples.batch([0, 1]))
    changed = 0
    for seed in range(20):
        noisy = questions_of(examples.noisy_batch([0, 1], noise, seed))
        changed += noisy != plain
        assert [len(turns_of(row)) for row in noisy] == [3, 1]
        assert all(len(turn) > 1 for row in noisy for turn in turns_of(row))
    assert bool(changed) is (noise.word_dropout < 0.9)  # a turn that would be empty stays


def test_the_noise_of_a_question_is_as_it_was_before_there_was_context() -> None:
    """Batches of a bot without context must not change from release to release."""
    ids = [*range(5, 25), END_ID]
    questions = _Questions(_Ragged.of([ids]), _Ragged.of([[0] * 21]))
    thinned = _word_dropout(questions, np.array([3]), 0.3, seed=11)
    places = 3 * 2**20 + np.arange(21)
    kept = [i for i, u in zip(ids, uniform_at(11, places), strict=True) if u >= 0.3 and i != END_ID]
    assert thinned.ids.flat.tolist() == [*kept, END_ID]
    assert 5 < len(kept) < 20


def test_the_tokenizer_learns_turns_that_are_read_and_no_question(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    learnt: list[list[str]] = []

    def learning(part: Subword, questions: Iterable[str], answers: Iterable[str] = ()) -> object:
        learnt.append(list(questions))
        return known(part, learnt[-1], answers)

    known = Subword.learn
    monkeypatch.setattr(Subword, "learn", learning)
    rows = [
        Exchange("q2", "a2", context=("Q1", "a1")),
        Exchange("Q1", "a1"),
        Exchange("q3", "a3", context=("Q1", "a1", "q2", "a2")),
    ]
    for setting in ("question.context_turns=0", "question.context_turns=2"):
        prepare(registry, rows, small_recipe("tokenizer.name=subword", setting), name="x")
    assert learnt == [["q2", "q1", "q3"], ["q2", "q1", "q3", "a1", "a2"]]


def test_a_checkpoint_fits_only_the_context_that_it_learnt_from(make_job: MakeJob) -> None:
    others = [Exchange(e.question, e.answer, context=("x",)) for e in exchanges()]
    for turns, alike in ((0, True), (1, False)):
        setting = f"question.context_turns={turns}"
        prints = [
            make_job(setting, rows=rows).compatibility_key()["corpus"]
            for rows in (exchanges(), others)
        ]
        assert (prints[0] == prints[1]) is alike


def test_no_noise_is_false() -> None:
    assert not Noise()
    assert Noise(word_dropout=0.1)
    assert Noise(subword_dropout=0.1)
