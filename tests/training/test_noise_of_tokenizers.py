"""Noise and smoothing work with every tokenizer and output layer that is installed."""

from __future__ import annotations

import pytest
import torch

from chatseq.core.events import StepReport
from chatseq.core.plugins import Registry, discover
from chatseq.core.recipe import load_recipe
from chatseq.training.data import Noise
from chatseq.training.initial_weights import build_initial_model
from chatseq.training.job import Job, prepare
from chatseq.training.run import train

from .conftest import SMALL, exchanges

PARTS = discover()
TOKENIZERS = sorted(PARTS.parts("tokenizer"))
OUTPUTS = sorted(PARTS.parts("output"))
SIZES = [setting for setting in SMALL if not setting.startswith("tokenizer.")]


def job_of(registry: Registry, tokenizer: str, *settings: str) -> Job:
    recipe = load_recipe("tiny").apply(
        [*SIZES, f"tokenizer={{name='{tokenizer}'}}", "question.fold=false", *settings]
    )
    return prepare(registry, exchanges(), recipe, name="noisy")


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_sampled_questions_say_the_same_and_depend_on_seed_and_row(
    registry: Registry, tokenizer: str
) -> None:
    job = job_of(registry, tokenizer)
    rows, noise = list(range(len(job.train))), Noise(subword_dropout=0.4)
    first, again, other = (job.train.noisy_batch(rows, noise, seed) for seed in (1, 1, 2))
    assert torch.equal(first.question_ids, again.question_ids)
    said = [
        job.tokenizer.decode(ids[mask].tolist())
        for ids, mask in zip(first.question_ids, first.question_mask, strict=True)
    ]
    assert said == [exchange.question for exchange in job.train.exchanges]
    varies = not torch.equal(first.question_mask.sum(1), other.question_mask.sum(1))
    assert varies == (tokenizer not in ("byte", "character")), "letters have nothing to be cut in"


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
@pytest.mark.parametrize("output", OUTPUTS)
def test_a_run_learns_with_noise_smoothing_and_own_tokens(
    registry: Registry, tokenizer: str, output: str
) -> None:
    noisy = ("training.word_dropout=0.2", "training.subword_dropout=0.2")
    job = job_of(
        registry,
        tokenizer,
        f"model.output.name={output}",
        *noisy,
        "training.label_smoothing=0.2",
        "training.scheduled_sampling=0.3",
        "training.learning_rate=0.02",
        "training.max_epochs=2",
        "training.validations=1",
    )
    losses = [event.loss for event in train(job) if isinstance(event, StepReport)]
    third = len(losses) // 3
    assert sum(losses[-third:]) < 0.95 * sum(losses[:third])


def test_smoothing_is_felt_by_every_output(registry: Registry) -> None:
    for output in OUTPUTS:
        job = job_of(registry, "subword", f"model.output.name={output}")
        model, batch = build_initial_model(job).eval(), job.train.batch(range(4))
        plain, smooth = (
            float(model.loss(batch, label_smoothing=share).total.detach()) for share in (0.0, 0.5)
        )
        assert plain != smooth, output


def test_a_word_that_was_never_seen_is_noisy_too(registry: Registry) -> None:
    for tokenizer in TOKENIZERS:
        job = job_of(registry, tokenizer)
        ids = job.tokenizer.sample("Zoë 𓂀 quux", 3, dropout=0.5)
        assert job.tokenizer.decode(ids) == "Zoë 𓂀 quux", tokenizer
