"""Averaged weights, own tokens and coverage in runs: what is stored, and resuming bit for bit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from chatseq.bots.bundle import bot_folder, open_bundle
from chatseq.core.events import FinishedReport, StepReport, ValidationReport
from chatseq.core.paths import runs_folder
from chatseq.model.build import build_model
from chatseq.model.scheduled_sampling import ScheduledSampling
from chatseq.model.seq2seq import Seq2Seq
from chatseq.training.collapse import diversity_of
from chatseq.training.job import Job
from chatseq.training.run import CHECKPOINTS, train
from chatseq.training.state import TrainingState
from chatseq.training.step import Objective, train_step
from chatseq.training.step_plan import StepPlan
from chatseq.training.validation import ValidationResult, Validator

from .conftest import MakeJob
from .test_kill import finish, weights

ALL = (
    "training.ema=0.9",
    "training.scheduled_sampling=0.5",
    "training.coverage_loss=0.5",
    "training.schedule=inverse-sqrt",
)


def state_of(job: Job, ema: float) -> TrainingState:
    torch.manual_seed(0)
    model = build_model(job.registry, job.recipe, job.tokenizer.size)
    return TrainingState(model, weight_decay=0.0, ema=ema)


def set_all(model: Seq2Seq, value: float) -> None:
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(value)


def values(tensors: Mapping[str, Tensor], prefix: str) -> set[float]:
    found = [t for name, t in tensors.items() if name.startswith(prefix)]
    return {round(float(v), 6) for tensor in found for v in (tensor.min(), tensor.max())}


def test_an_average_forgets_fast_at_first_and_slowly_later(job: Job) -> None:
    state = state_of(job, ema=0.5)
    for step, value in enumerate([1.0, 12.0, 0.0]):
        set_all(state.model, value)
        state.update_ema(step)
    # 1, then 2/11 of it and 9/11 of 12, then 3/12 of that and 9/12 of 0.
    assert values(state.tensors(), "mean/") == {round((2 / 11 + 9 / 11 * 12) * 3 / 12, 6)}
    set_all(state.model, 2.0)
    state.update_ema(1000)
    assert values(state.tensors(), "mean/") == {
        round(((2 / 11 + 9 / 11 * 12) * 3 / 12) / 2 + 1, 6)
    }, "from then on the decay of the recipe"


def test_a_model_has_its_averaged_weights_for_a_while(job: Job) -> None:
    state = state_of(job, ema=0.5)
    set_all(state.model, 1.0)
    state.update_ema(0)
    set_all(state.model, 5.0)
    with state.averaged():
        assert values(state.model.state_dict(), "") == {1.0}
        state.save_best()
    assert values(state.model.state_dict(), "") == {5.0}
    assert values(state.tensors(), "mean/") == values(state.tensors(), "best/") == {1.0}


def test_the_weights_come_back_after_a_fault(job: Job) -> None:
    state = state_of(job, ema=0.5)
    set_all(state.model, 1.0)
    state.update_ema(0)
    set_all(state.model, 5.0)
    with suppress(KeyboardInterrupt), state.averaged():
        raise KeyboardInterrupt
    assert values(state.model.state_dict(), "") == {5.0}


def test_without_a_best_the_averaged_weights_are_taken(job: Job) -> None:
    state = state_of(job, ema=0.5)
    set_all(state.model, 1.0)
    state.update_ema(0)
    set_all(state.model, 5.0)
    state.restore_best()
    assert values(state.model.state_dict(), "") == {1.0}


def test_without_a_decay_nothing_is_averaged(job: Job) -> None:
    state = state_of(job, ema=0.0)
    state.update_ema(0)
    assert not any(name.startswith("mean/") for name in state.tensors())
    with state.averaged():
        assert values(state.tensors(), "model/") == values(state_of(job, 0.0).tensors(), "model/")


def test_learning_goes_on_after_weights_were_swapped(job: Job) -> None:
    """Swapping for a validation changes nothing of what is learnt."""
    batch, found = job.train.batch(range(8)), []
    for swapping in (False, True):
        state = state_of(job, ema=0.9)
        for step in range(4):
            torch.manual_seed(step)
            train_step(
                state.model,
                state.optimiser,
                batch,
                learning_rate=0.01,
                clip=1.0,
                objective=Objective(),
            )
            state.update_ema(step)
            if swapping:
                with state.averaged(), torch.inference_mode():
                    state.model.loss(batch)
        found.append(torch.cat([p.detach().flatten() for p in state.model.parameters()]))
    assert torch.equal(*found)


def test_validations_and_the_bot_have_the_averaged_weights(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[Tensor] = []

    def judge(self: Validator) -> ValidationResult:
        judged.append(self._model.bias.detach().clone())
        return ValidationResult(1.0 - len(judged) / 100, 0.0, (), diversity_of([], []))

    monkeypatch.setattr(Validator, "validate", judge)
    finish(make_job("training.ema=0.95"))
    checkpoint = newest_state("faq")
    assert torch.equal(checkpoint["mean/bias"], judged[-1])
    assert not torch.equal(checkpoint["model/bias"], judged[-1])
    assert torch.equal(load_file(open_bundle(bot_folder("faq")).weights)["bias"], judged[-1])


def newest_state(name: str) -> dict[str, Tensor]:
    folders = sorted(Path(runs_folder() / name / CHECKPOINTS).glob("step-*"))
    return load_file(folders[-1] / "state.safetensors")


def test_averaging_changes_the_bot_but_not_what_is_learnt(make_job: MakeJob) -> None:
    plain = list(train(make_job(name="plain")))
    averaged = list(train(make_job("training.ema=0.95", name="averaged")))
    losses = [[e.loss for e in some if isinstance(e, StepReport)] for some in (plain, averaged)]
    assert losses[0] == losses[1]
    assert weights("plain") != weights("averaged")


@pytest.mark.slow("trains a bot several times")
@pytest.mark.parametrize("at", [1, 4, 7])
def test_a_run_with_all_helps_goes_on_bit_for_bit(make_job: MakeJob, at: int) -> None:
    finish(make_job(*ALL, name="whole"))
    asked = iter([False] * (at - 1) + [True] * 99)
    list(train(make_job(*ALL), stop=lambda: next(asked)))
    rest = list(train(make_job(*ALL), resume=True))
    assert isinstance(rest[-1], FinishedReport)
    assert weights("faq") == weights("whole")
    assert newest_state("faq").keys() == newest_state("whole").keys()
    for name, tensor in newest_state("faq").items():
        assert torch.equal(tensor, newest_state("whole")[name]), name


@pytest.mark.slow("trains a bot several times")
@pytest.mark.parametrize("help_", ALL)
def test_every_help_changes_what_comes_out_and_another_cannot_resume(
    make_job: MakeJob, help_: str
) -> None:
    finish(make_job("training.max_epochs=1", name="plain"))
    finish(make_job("training.max_epochs=1", help_))
    assert weights("faq") != weights("plain")
    recipe = json.loads(json.dumps(make_job(help_).compatibility_key()))["recipe"]
    assert recipe != make_job().compatibility_key()["recipe"]


def test_the_share_of_own_tokens_rises_with_the_progress(make_job: MakeJob) -> None:
    settings = ("training.scheduled_sampling=0.4", "training.sampling_choice=argmax")
    plan = StepPlan(make_job(*settings))
    assert [plan.objective(at).own for at in (0.0, 0.5, 1.0)] == [
        ScheduledSampling(0.0, argmax=True),
        ScheduledSampling(0.2, argmax=True),
        ScheduledSampling(0.4, argmax=True),
    ]
    later = StepPlan(make_job(*settings, "training.sampling_rise=sigmoid")).objective(0.25).own
    assert later is not None
    assert later.share == pytest.approx(0.4 / (1 + 2.718281828**3))


def test_without_helps_the_objective_is_the_plain_one(make_job: MakeJob) -> None:
    job = make_job("training.label_smoothing=0.2")
    assert StepPlan(job).objective(1.0) == Objective(label_smoothing=0.2)


def test_a_run_with_all_helps_tells_finite_figures(make_job: MakeJob) -> None:
    events = list(train(make_job(*ALL, "training.scheduled_sampling=1.0")))
    assert not any(e.skipped for e in events if isinstance(e, StepReport))
    assert all(e.loss < 100 for e in events if isinstance(e, ValidationReport))
