"""A run takes place on the device and in the precision that its recipe says.

There is no GPU where these tests run, so the other device is one that chatseq.testing makes up: its
tensors say that they are on torch's `meta`, carry their numbers along, and may not meet others.
"""

from __future__ import annotations

import math

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from chatseq.bots.bundle import bot_folder
from chatseq.core.errors import EngineError, TrainingError
from chatseq.core.paths import runs_folder
from chatseq.model.build import build_model
from chatseq.model.loss import output_loss
from chatseq.model.scheduled_sampling import ScheduledSampling
from chatseq.testing.elsewhere import elsewhere
from chatseq.training import initial_weights
from chatseq.training.job import Job
from chatseq.training.run import train
from chatseq.training.state import TrainingState
from chatseq.training.step import Objective, make_optimiser, train_step

from .conftest import MakeJob
from .test_kill import finish
from .test_run import remarks, steps, stop_after

EVERY_LOSS = (
    "training.ema=0.5",
    "training.scheduled_sampling=0.5",
    "training.coverage_loss=0.1",
    "training.consistency_loss=0.1",
)


# Another device.


def test_a_whole_run_elsewhere_leaves_a_bot_and_checkpoints_for_the_processor(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(*EVERY_LOSS)
    asked = stop_after(6)
    with elsewhere() as device, monkeypatch.context() as patch:
        patch.setattr(initial_weights, "torch_device", lambda *_, **__: device)
        first = list(train(job, stop=lambda: next(asked)))
    assert steps(first)[-1].step == 6
    stored = load_file(bot_folder("faq") / "weights.safetensors")
    assert all(bool(tensor.isfinite().all()) for tensor in stored.values())
    rest = list(train(job, resume=True))
    assert steps(rest)[0].step == 7
    assert "began with device meta; now it is cpu" in remarks(rest)


def test_a_step_elsewhere_learns_what_a_step_here_learns(job: Job) -> None:
    batch = job.train.batch(range(8))

    def learnt(device: torch.device) -> tuple[float, Tensor]:
        torch.manual_seed(0)
        model = build_model(job.registry, job.recipe, job.tokenizer.size).to(device)
        objective = Objective(0.1, 0.1, 0.1, ScheduledSampling(0.5))
        stepped = train_step(
            model,
            TrainingState(model, weight_decay=0.01).optimiser,
            batch,
            learning_rate=0.01,
            clip=1.0,
            objective=objective,
        )
        return stepped.loss, torch.cat([p.detach().cpu().flatten() for p in model.parameters()])

    loss, weights = learnt(torch.device("cpu"))
    with elsewhere() as device:
        found, there = learnt(device)
    assert found == pytest.approx(loss, rel=1e-5)
    assert torch.allclose(there, weights, atol=1e-5)


@pytest.mark.parametrize("setting", ["training.device", "engine.device"])
def test_a_gpu_that_is_not_there_is_told_before_anything_is_lost(
    make_job: MakeJob, setting: str
) -> None:
    finish(make_job())
    kept = sorted(runs_folder().rglob("*"))
    with pytest.raises(EngineError, match=f"Set {setting}=cpu"):
        list(train(make_job(f"{setting}=cuda")))
    assert sorted(runs_folder().rglob("*")) == kept


def test_a_run_may_go_on_elsewhere_but_not_in_another_precision(make_job: MakeJob) -> None:
    finish(make_job("training.device=cpu"))
    finish_again = train(make_job("training.device=auto", "engine.device=cpu"), resume=True)
    assert list(finish_again)
    with pytest.raises(TrainingError, match="begun with another recipe"):
        list(train(make_job("training.precision=bf16"), resume=True))


# Mixed precision.


def test_a_run_in_bfloat16_learns_and_keeps_its_weights_in_single_precision(
    make_job: MakeJob,
) -> None:
    settings = ("training.precision=bf16", "training.max_epochs=8", "training.learning_rate=0.03")
    found = steps(list(train(make_job(*settings))))
    assert all(math.isfinite(step.loss) for step in found)
    assert found[-1].loss < 0.8 * found[0].loss
    stored = load_file(bot_folder("faq") / "weights.safetensors")
    assert {tensor.dtype for tensor in stored.values()} == {torch.float32}


@pytest.mark.parametrize("own", [None, ScheduledSampling(0.5)])
def test_a_step_in_bfloat16_is_near_one_in_single_precision_and_reaches_all_weights(
    job: Job, own: ScheduledSampling | None
) -> None:
    losses = {}
    for precision in ("fp32", "bf16"):
        torch.manual_seed(0)
        model = build_model(job.registry, job.recipe, job.tokenizer.size)
        optimiser = make_optimiser(model, weight_decay=0.0)
        losses[precision] = train_step(
            model,
            optimiser,
            job.train.batch(range(8)),
            learning_rate=0.01,
            clip=1.0,
            objective=Objective(0.1, own=own),
            precision=precision,
        ).loss
        reached = {name: p.grad is not None for name, p in model.named_parameters()}
        assert all(reached.values()), reached
        assert {state["exp_avg"].dtype for state in optimiser.state.values()} == {torch.float32}
    assert losses["bf16"] == pytest.approx(losses["fp32"], rel=0.02)
    assert losses["bf16"] != losses["fp32"]


def test_in_mixed_precision_the_products_of_the_loss_alone_are_rounded() -> None:
    torch.manual_seed(0)
    hidden, weight, bias = torch.randn(40, 16), torch.randn(30, 16), torch.randn(30)
    targets = torch.arange(40) % 30
    exact = output_loss(hidden, weight, bias, targets, label_smoothing=0.1)
    given = [tensor.clone().requires_grad_() for tensor in (hidden, weight, bias)]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = output_loss(*given, targets, label_smoothing=0.1)
    loss.backward()
    mixed = loss.detach()
    assert mixed.dtype == torch.float32
    assert float(mixed) == pytest.approx(float(exact), rel=1e-3)
    assert float(mixed) != float(exact)
    wanted = [tensor.clone().requires_grad_() for tensor in (hidden, weight, bias)]
    output_loss(*wanted, targets, label_smoothing=0.1).backward()
    for one, other in zip(given, wanted, strict=True):
        assert one.grad is not None
        assert other.grad is not None
        assert float((one.grad - other.grad).norm()) < 0.01 * float(other.grad.norm())
