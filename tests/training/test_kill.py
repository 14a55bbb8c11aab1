"""Kill -9 at any time, full disks and faults at any call: nothing whole is ever lost."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import resource
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from chatseq.bots.bundle import bot_folder, open_bundle
from chatseq.core.errors import ChatseqError
from chatseq.core.events import FinishedReport, StepReport
from chatseq.core.paths import runs_folder
from chatseq.training.job import Job
from chatseq.training.run import CHECKPOINTS, train
from chatseq_training_log.log import METRICS, read

from .conftest import MakeJob

FORK = multiprocessing.get_context("fork")
ALWAYS = "training.checkpoint_seconds=1e-9"  # a checkpoint after each step
HELPS = (
    "training.ema=0.9",
    "training.scheduled_sampling=0.5",
    "training.coverage_loss=0.3",
    "training.typos=0.3",
    "training.word_swaps=0.5",
)


def finish(job: Job, *, resume: bool = False) -> FinishedReport:
    last = list(train(job, resume=resume))[-1]
    assert isinstance(last, FinishedReport)
    return last


def weights(name: str) -> bytes:
    return open_bundle(bot_folder(name)).weights.read_bytes()


def losses(name: str) -> list[tuple[int, float]]:
    found = read(runs_folder() / name / METRICS)
    return [(report["step"], report["loss"]) for report in found if report["event"] == "step"]


def has_checkpoint(name: str) -> bool:
    folder = runs_folder() / name / CHECKPOINTS
    return folder.is_dir() and any(folder.glob("step-*"))


def run_and_kill(job: Job, after: float) -> bool:
    """Train in a child that is killed after some time; tell whether it had finished."""
    child = FORK.Process(target=finish, args=(job,), kwargs={"resume": has_checkpoint(job.name)})
    child.start()
    child.join(after)
    if child.is_alive():
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        return False
    assert child.exitcode == 0
    return True


@pytest.mark.slow("trains in many processes that are killed")
def test_a_run_killed_at_random_times_ends_with_the_same_bytes(make_job: MakeJob) -> None:
    whole = make_job(ALWAYS, *HELPS, name="whole")
    finish(whole)
    killed = make_job(ALWAYS, *HELPS, name="killed")
    draw = random.Random(7)  # noqa: S311
    kills = 0
    while not run_and_kill(killed, draw.uniform(0.02, 0.15) if kills < 12 else 60):
        kills += 1
    assert kills >= 5
    assert weights("killed") == weights("whole")
    assert losses("killed") == losses("whole")
    left = [p.name for p in (runs_folder() / "killed" / CHECKPOINTS).iterdir()]
    assert not [name for name in left if name.startswith(".")], "what was left is swept"


@pytest.mark.slow("trains in many processes that are killed or fail")
def test_a_run_killed_while_it_writes_its_bot_ends_with_the_same_bytes(make_job: MakeJob) -> None:
    finish(make_job(name="whole"))
    for call, at in (("rename", 0), ("rename", 1), ("rename", 2), ("fsync", 3), ("fsync", 8)):
        job = make_job(name=f"killed-{call}-{at}")
        child = FORK.Process(target=finish_until, args=(job, call, at))
        child.start()
        child.join()
        assert child.exitcode == -signal.SIGKILL
        finish(job, resume=has_checkpoint(job.name))
        assert weights(job.name) == weights("whole")


def finish_until(job: Job, call: str, at: int) -> None:
    """Train, and die at the nth call of a function of the system."""
    replace_call(call, at, lambda: os.kill(os.getpid(), signal.SIGKILL))
    finish(job)


def replace_call(call: str, at: int, action: Callable[[], object]) -> None:
    real: Callable[..., object] = getattr(os, call)
    count = iter(range(10_000))

    def counted(*given: object, **named: object) -> object:
        if next(count) == at:
            action()
        return real(*given, **named)

    setattr(os, call, counted)


@pytest.mark.slow("trains in many processes that are killed or fail")
@pytest.mark.parametrize("call", ["fsync", "rename", "mkdir"])
def test_a_fault_at_any_call_leaves_a_run_that_goes_on(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    finish(make_job(name="whole"))
    for at in range(0, 12, 2):
        job = make_job(ALWAYS, name=f"{call}-{at}")
        with monkeypatch.context() as patched:
            patched.setattr(os, call, getattr(os, call))  # put back at the end
            replace_call(call, at, fail)
            try:
                finish(job)
            except ChatseqError as fault:
                assert "No space left on device" in str(fault)  # noqa: PT017
        finish(job, resume=has_checkpoint(job.name))
        assert weights(job.name) == weights("whole")


def fail() -> None:
    raise OSError(28, "No space left on device")


def test_a_full_disk_keeps_the_old_bot_and_the_old_checkpoint(make_job: MakeJob) -> None:
    finish(make_job())
    before = weights("faq")
    larger = make_job(ALWAYS, "model.embedding_size=32", "training.max_epochs=1")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, hard))
    try:
        with pytest.raises(ChatseqError, match=r"Cannot write .*checkpoints: .*MB free there"):
            finish(larger)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert weights("faq") == before


def test_a_disk_that_fills_up_later_keeps_the_last_checkpoint(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(ALWAYS)
    events = train(job)
    for event in events:
        if isinstance(event, StepReport) and event.step == 4:
            break
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", lambda handle: fail())
        with pytest.raises(ChatseqError, match="No space left on device"):
            list(events)
    finish(make_job(ALWAYS, name="whole"))
    finish(job, resume=True)
    assert weights("faq") == weights("whole")


def test_the_log_keeps_each_step_once_after_a_kill(make_job: MakeJob) -> None:
    job = make_job("training.checkpoint_seconds=0.05", name="killed")
    while not run_and_kill(job, 0.4 if not has_checkpoint("killed") else 60):
        time.sleep(0.01)
    steps = [step for step, _ in losses("killed")]
    assert steps == sorted(set(steps))
    assert steps == list(range(1, len(steps) + 1))
    last = (runs_folder() / "killed" / METRICS).read_text(encoding="utf-8").split("\n")[-2]
    assert json.loads(last)["event"] == "finished"


def test_nothing_of_a_run_can_be_read_by_others(job: Job) -> None:
    finish(job)
    for path in runs_folder().rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
    assert Path(runs_folder()).stat().st_mode & 0o077 == 0
