"""Judging weights: the same questions each time, and nothing of the run is touched."""

from __future__ import annotations

import math

import torch

from chatseq.core.exchange import Exchange
from chatseq.engines.torch_engine import TorchEngine
from chatseq.evaluation.perplexity import pair_of, score
from chatseq.model.build import build_model
from chatseq.model.seq2seq import Seq2Seq
from chatseq.training.job import Job
from chatseq.training.step import Objective, make_optimiser, train_step
from chatseq.training.validation import Validator

from .conftest import MakeJob, exchanges


def model_of(job: Job) -> Seq2Seq:
    torch.manual_seed(0)
    return build_model(job.registry, job.recipe, job.tokenizer.size)


def taught(job: Job, epochs: int) -> Seq2Seq:
    model = model_of(job)
    model.dropout = 0.0
    optimiser = make_optimiser(model, weight_decay=0.0)
    for _ in range(epochs):
        batch = job.train.batch(range(len(job.train)))
        train_step(model, optimiser, batch, learning_rate=0.03, clip=1.0, objective=Objective())
    return model


def test_the_loss_is_that_of_an_evaluation(job: Job) -> None:
    model = model_of(job)
    judged = Validator(job, model).validate()
    pairs = [pair_of(job.reader, e.question, e.answer) for e in job.validation.exchanges]
    nats = tokens = 0.0
    for part in score(TorchEngine(model), pairs, features=job.reader.features):
        nats, tokens = nats + part.teacher_forced_nats, tokens + part.tokens
    assert abs(judged.loss - nats / tokens) < 1e-4
    assert judged.perplexity == math.exp(judged.loss)


def test_a_model_that_knows_the_answers_is_right_word_for_word(make_job: MakeJob) -> None:
    sizes = ("model.embedding_size=32", "model.encoder.hidden_size=24")
    job = make_job(*sizes, "decoding.max_length=32", "data.validation_share=0")
    judged = Validator(job, taught(job, 80)).validate()
    assert judged.exact_match > 0.9
    sample = judged.samples[0]
    assert sample.reply == sample.expected
    assert sample.question in {exchange.question for exchange in exchanges()}


def test_any_listed_answer_is_right(make_job: MakeJob) -> None:
    rows = exchanges()
    first = rows[0]
    several = [Exchange(first.question, "another answer"), *rows]
    for listed in (rows, several):
        job = make_job("data.validation_share=0", rows=listed)
        validator = Validator(job, model_of(job))
        assert len(validator._answers[first.question, ()]) == len(listed) - len(rows) + 1


def test_judging_touches_neither_weights_nor_chance_nor_mode(job: Job) -> None:
    model = model_of(job)
    model.train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    chance = torch.get_rng_state()
    validator = Validator(job, model)
    first = validator.validate()
    assert model.training
    assert torch.equal(torch.get_rng_state(), chance)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert validator.validate() == first
