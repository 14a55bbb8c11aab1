"""Questions learnt as they might be typed: with mistakes, and with words that changed places."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from chatseq.core.errors import RecipeError
from chatseq.core.exchange import Exchange
from chatseq.model.batch import Batch
from chatseq.text.noise import misspelt, reordered
from chatseq.text.question_encoder import QuestionEncoder, pad_questions
from chatseq.text.tokenizer import END_ID
from chatseq.training.data import Examples, Noise
from chatseq.training.deterministic import derive_seed
from chatseq.training.job import Job
from chatseq.training.run import train
from chatseq.training.step_plan import StepPlan, noise_of

from .conftest import MakeJob, exchanges, small_recipe
from .test_kill import finish, weights

TYPED = Noise(typos=0.4, word_swaps=0.3)
SEEDS = range(20)


@pytest.fixture
def examples(job: Job) -> Examples:
    return Examples(exchanges(), job.reader, max_answer_tokens=64)


def rows_of(batch: Batch) -> list[tuple[list[int], list[list[int]]]]:
    """Return the ids of each question, and the features of each id, without padding."""
    assert batch.question_features is not None
    return [
        (ids[mask].tolist(), features[mask].tolist())
        for ids, mask, features in zip(
            batch.question_ids, batch.question_mask, batch.question_features, strict=True
        )
    ]


def test_about_the_share_of_the_questions_is_reordered_and_the_rest_stays() -> None:
    words = "one two three four five six seven eight nine ten"
    said = [Noise(word_swaps=0.25).augment(words, seed) for seed in range(1000)]
    assert all(sorted(text.split()) == sorted(words.split()) for text in said)
    assert sum(text != words for text in said) / 1000 == pytest.approx(0.25, abs=0.05)
    assert all(Noise(word_swaps=1.0).augment(words, seed) != words for seed in SEEDS)


def test_words_change_places_first_and_are_misspelt_then() -> None:
    text = "tell me about the opening hours"
    for seed in SEEDS:
        swapped = reordered(text, seed, 2)
        assert Noise(word_swaps=1.0).augment(text, seed) == swapped
        assert Noise(typos=0.5, word_swaps=1.0).augment(text, seed) == misspelt(swapped, 0.5, seed)
        assert Noise(typos=0.5).augment(text, seed) == misspelt(text, 0.5, seed)
        assert Noise(word_dropout=0.5, subword_dropout=0.5).augment(text, seed) == text


def test_a_batch_is_what_is_read_of_the_questions_as_they_were_typed(
    examples: Examples, job: Job
) -> None:
    rows, changed = [3, 0, 21, 35, 8], 0
    for seed in SEEDS:
        asked = [examples.exchanges[row].question for row in rows]
        typed = [
            TYPED.augment(text, derive_seed(seed, row))
            for text, row in zip(asked, rows, strict=True)
        ]
        changed += sum(text != question for text, question in zip(typed, asked, strict=True))
        wanted = pad_questions(list(map(job.reader.read, typed)), job.reader.features)
        batch = examples.noisy_batch(rows, TYPED, seed)
        assert np.array_equal(batch.question_ids.numpy(), wanted.ids)
        assert batch.question_features is not None
        assert np.array_equal(batch.question_features.numpy(), wanted.features)
    assert 0 < changed < len(SEEDS) * len(rows)


@pytest.mark.parametrize(
    "noise", [TYPED, Noise(0.2, 0.2, 0.3, 0.3), Noise(word_dropout=0.2, typos=0.4)]
)
def test_what_a_row_becomes_depends_on_the_seed_and_on_no_other_row(
    examples: Examples, noise: Noise
) -> None:
    rows = list(range(len(examples)))
    together = rows_of(examples.noisy_batch(rows, noise, 5))
    alone = [rows_of(examples.noisy_batch([row], noise, 5))[0] for row in reversed(rows)]
    assert together == alone[::-1]
    assert together != rows_of(examples.noisy_batch(rows, noise, 6))


def test_only_questions_that_were_changed_are_read_again(
    examples: Examples, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts: list[str] = []
    known = QuestionEncoder.read

    def reading(reader: QuestionEncoder, text: str, context: tuple[str, ...] = ()) -> object:
        texts.append(text)
        return known(reader, text, context)

    monkeypatch.setattr(QuestionEncoder, "read", reading)
    rows = list(range(len(examples)))
    asked = [exchange.question for exchange in examples.exchanges]
    typed = [Noise(typos=0.1).augment(text, derive_seed(3, row)) for row, text in enumerate(asked)]
    examples.noisy_batch(rows, Noise(typos=0.1), 3)
    assert texts == [text for text, question in zip(typed, asked, strict=True) if text != question]
    assert 3 < len(texts) < 30


def test_random_pieces_are_those_of_the_question_as_it_was_typed(
    examples: Examples, job: Job
) -> None:
    rows, noise = list(range(len(examples))), Noise(subword_dropout=0.4, typos=0.5)
    for row, (ids, _) in zip(rows, rows_of(examples.noisy_batch(rows, noise, 2)), strict=True):
        typed = noise.augment(examples.exchanges[row].question, derive_seed(2, row))
        assert job.tokenizer.decode(ids) == typed.lower()


def test_earlier_turns_stay_as_they_were_said(make_job: MakeJob) -> None:
    more = [Exchange(e.question, e.answer, context=("earlier words",)) for e in exchanges()]
    job = make_job("question.context_turns=1", rows=more)
    rows = list(range(len(job.train)))
    changed = 0
    for row, (ids, _) in zip(
        rows, rows_of(job.train.noisy_batch(rows, Noise(0, 0, 0.9, 0.9), 1)), strict=True
    ):
        end = ids.index(END_ID)
        assert job.tokenizer.decode(ids[:end]) == "earlier words"
        question = job.train.exchanges[row].question
        changed += job.tokenizer.decode(ids[end + 1 :]) != question.lower()
    assert changed > len(rows) / 2


def test_answers_are_never_mistyped(examples: Examples) -> None:
    rows = list(range(len(examples)))
    noisy = examples.noisy_batch(rows, Noise(typos=1.0, word_swaps=1.0), 1)
    assert torch.equal(noisy.answer_ids, examples.batch(rows).answer_ids)


def test_words_with_mistakes_are_forgotten_and_real_ones_are_not(examples: Examples) -> None:
    rows = list(range(len(examples)))
    plain, first = examples.batch(rows), rows_of(examples.noisy_batch(rows, TYPED, 0))
    counts = []
    for seed in itertools.chain(range(1, 60), [0]):
        noisy = examples.noisy_batch(rows, TYPED, seed)
        counts.append(len(examples._words))
    assert max(counts) < 2 * min(counts)
    assert rows_of(noisy) == first
    assert rows_of(examples.batch(rows)) == rows_of(plain)


def test_a_question_of_words_that_were_never_met_finds_room(job: Job) -> None:
    """More distinct words than the table of their features has rows at first."""
    many = [Exchange(f"x{at}y z{at}", "yes") for at in range(1500)]
    examples = Examples(many, job.reader, max_answer_tokens=8)
    rows = [0, 700, 1499]
    read = [job.reader.read(many[row].question) for row in rows]
    wanted = pad_questions(read, job.reader.features)
    found = examples.batch(rows).question_features
    assert found is not None
    assert np.array_equal(found.numpy(), wanted.features)


def test_every_noise_of_a_recipe_reaches_the_lessons(make_job: MakeJob) -> None:
    shares = {"word_dropout": 0.1, "subword_dropout": 0.2, "typos": 0.3, "word_swaps": 0.4}
    settings = [f"training.{name}={share}" for name, share in shares.items()]
    assert noise_of(small_recipe(*settings).training) == Noise(**shares)
    job = make_job("training.word_dropout=0", "training.subword_dropout=0", "training.typos=0.5")
    rows = np.arange(20)
    first, again, later = (StepPlan(job).batch(rows, epoch) for epoch in (0, 0, 1))
    assert rows_of(first) == rows_of(again)
    assert len({repr(rows_of(batch)) for batch in (first, later, job.train.batch(rows))}) == 3


@pytest.mark.parametrize("name", ["typos", "word_swaps"])
def test_a_share_of_mistakes_is_a_share(name: str) -> None:
    assert not Noise(**{name: 0.0})
    assert Noise(**{name: 0.1})
    assert small_recipe(f"training.{name}=1.0")
    for wrong in ("-0.1", "1.1", "many"):
        with pytest.raises(RecipeError, match=rf"^training\.{name} cannot be .*{wrong}"):
            small_recipe(f"training.{name}={wrong}")


@pytest.mark.slow("trains a bot twice")
def test_a_run_with_mistakes_that_was_stopped_goes_on_bit_for_bit(make_job: MakeJob) -> None:
    noisy = ("training.typos=0.3", "training.word_swaps=0.5")
    finish(make_job(*noisy, name="whole"))
    finish(make_job(name="plain"))
    asked = iter([False] * 5 + [True] * 100)
    list(train(make_job(*noisy), stop=lambda: next(asked)))
    finish(make_job(*noisy), resume=True)
    assert weights("faq") == weights("whole") != weights("plain")
