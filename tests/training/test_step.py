"""One step: what it changes, and that a broken number changes nothing."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from chatseq.model.build import build_model
from chatseq.model.seq2seq import Seq2Seq
from chatseq.training.job import Job
from chatseq.training.schedule import learning_rate
from chatseq.training.state import TrainingState
from chatseq.training.step import Objective, StepResult, make_optimiser, train_step


@pytest.fixture
def model(job: Job) -> Seq2Seq:
    torch.manual_seed(0)
    return build_model(job.registry, job.recipe, job.tokenizer.size)


def step(
    job: Job, model: Seq2Seq, optimiser: torch.optim.Optimizer, rate: float = 0.01
) -> StepResult:
    batch = job.train.batch(range(8))
    torch.manual_seed(4)  # of dropout
    return train_step(
        model, optimiser, batch, learning_rate=rate, clip=1.0, objective=Objective(0.1)
    )


def weights(model: Seq2Seq) -> Tensor:
    return torch.cat([p.detach().flatten() for p in model.parameters()]).clone()


def test_steps_make_the_loss_smaller(job: Job, model: Seq2Seq) -> None:
    optimiser = make_optimiser(model, weight_decay=0.0)
    losses = [step(job, model, optimiser).loss for _ in range(30)]
    assert losses[-1] < 0.8 * losses[0]


def test_a_step_reports_the_tokens_that_it_learnt_from(job: Job, model: Seq2Seq) -> None:
    stepped = step(job, model, make_optimiser(model, weight_decay=0.0))
    assert stepped.tokens == int(job.train.answer_lengths[:8].sum())
    assert stepped.norm > 0
    assert not stepped.skipped


@pytest.mark.parametrize("broken", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_changes_nothing(
    job: Job, model: Seq2Seq, monkeypatch: pytest.MonkeyPatch, broken: float
) -> None:
    optimiser = make_optimiser(model, weight_decay=0.1)
    step(job, model, optimiser)
    before = weights(model)
    real = model.loss

    def poisoned(*given: object, **named: object) -> object:
        found = real(*given, **named)  # type: ignore[arg-type]
        return found._replace(total=found.total * broken)

    monkeypatch.setattr(model, "loss", poisoned)
    stepped = step(job, model, optimiser)
    assert stepped.skipped
    assert not math.isfinite(stepped.loss)
    assert torch.equal(weights(model), before)


def test_a_gradient_that_is_not_finite_changes_nothing(job: Job, model: Seq2Seq) -> None:
    optimiser = make_optimiser(model, weight_decay=0.1)
    step(job, model, optimiser)
    before = weights(model)
    model.bias.register_hook(lambda gradient: gradient * math.nan)
    stepped = step(job, model, optimiser)
    assert stepped.skipped
    assert math.isfinite(stepped.loss)
    assert math.isnan(stepped.norm)
    assert torch.equal(weights(model), before)


def test_vectors_do_not_decay(model: Seq2Seq) -> None:
    matrices, vectors = make_optimiser(model, weight_decay=0.3).param_groups
    assert (matrices["weight_decay"], vectors["weight_decay"]) == (0.3, 0.0)
    assert all(p.dim() > 1 for p in matrices["params"])
    assert all(p.dim() <= 1 for p in vectors["params"])
    assert len(matrices["params"]) + len(vectors["params"]) == len(list(model.parameters()))


def test_a_rate_of_zero_changes_nothing(job: Job, model: Seq2Seq) -> None:
    before = weights(model)
    step(job, model, make_optimiser(model, weight_decay=0.1), rate=0.0)
    assert torch.equal(weights(model), before)


def test_the_rate_rises_in_a_line_and_falls_to_almost_nothing() -> None:
    rates = [learning_rate(at / 100, highest=2.0, warmup_share=0.2) for at in range(101)]
    assert rates[10] == pytest.approx(1.0)
    assert rates[20] == pytest.approx(2.0)
    assert max(rates) == pytest.approx(2.0)
    assert rates[60] == pytest.approx(1.01, abs=0.01)
    assert rates[100] == pytest.approx(0.02)
    assert rates[20:] == sorted(rates[20:], reverse=True)
    assert min(rates) > 0


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_every_share_of_warming_up_is_possible(share: float) -> None:
    rates = [learning_rate(at / 10, highest=1.0, warmup_share=share) for at in range(11)]
    assert all(0 < rate <= 1 for rate in rates)


def test_a_state_comes_back_from_its_tensors(job: Job, model: Seq2Seq) -> None:
    state = TrainingState(model, weight_decay=0.1)
    step(job, state.model, state.optimiser)
    state.save_best()
    step(job, state.model, state.optimiser)
    kept = {name: tensor.clone() for name, tensor in state.tensors().items()}
    expected = step(job, state.model, state.optimiser), weights(state.model)
    other = TrainingState(
        build_model(job.registry, job.recipe, job.tokenizer.size), weight_decay=0.1
    )
    other.restore(kept)
    found = step(job, other.model, other.optimiser), weights(other.model)
    assert found[0] == expected[0]
    assert torch.equal(found[1], expected[1])


def test_the_best_weights_come_back(job: Job, model: Seq2Seq) -> None:
    state = TrainingState(model, weight_decay=0.1)
    step(job, state.model, state.optimiser)
    best = weights(model)
    state.save_best()
    step(job, state.model, state.optimiser)
    assert not torch.equal(weights(model), best)
    state.restore_best()
    assert torch.equal(weights(model), best)
