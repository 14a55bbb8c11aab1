"""A run: from a job to a trained bot, as a generator of reports.

Drawing, logging and stopping are the caller's. The run itself keeps checkpoints, from which it goes
on bit for bit after a kill, and writes the bundle before its last report.
"""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from chatseq.core.errors import ErrorKind, TrainingError
from chatseq.core.events import (
    FinishedReport,
    Remark,
    StepReport,
    TrainingEvent,
    ValidationReport,
)
from chatseq.core.files import sweep
from chatseq.core.paths import make_private_folder, runs_folder
from chatseq.training.arithmetic import ThreadTuner, all_threads, arithmetic, one_thread
from chatseq.training.checkpoint import RunProgress, load_checkpoint, save_checkpoint
from chatseq.training.collapse import WATCHED_FROM, collapse_warning
from chatseq.training.deterministic import Ints, derive_seed
from chatseq.training.finalize import finish
from chatseq.training.initial_weights import build_initial_model, load_initial_weights
from chatseq.training.job import Job
from chatseq.training.lock import LOCK, locked
from chatseq.training.state import TrainingState
from chatseq.training.step import StepResult, train_step
from chatseq.training.step_plan import FOR_STEP, StepPlan
from chatseq.training.validation import ValidationResult, Validator

CHECKPOINTS = "checkpoints"
_MOST_DROPPED = 3  # steps in a row
_OLD_SPEED = 0.9  # share of what was known in the shown speed

EPOCHS_DONE = "epochs done"
TIME_UP = "time is up"
NO_IMPROVEMENT = "no improvement"
DIVERGED = "diverged"
INTERRUPTED = "interrupted"


def train(
    job: Job, *, resume: bool = False, stop: Callable[[], bool] = lambda: False
) -> Iterator[TrainingEvent]:
    """Train a bot and store it; it is the default one when the last report comes.

    Args:
        resume: go on from the newest whole checkpoint
        stop: asked after each step; when true, the run saves, stores the best weights and ends

    Raises:
        TrainingError: another process trains this bot, the checkpoints belong to another corpus or
            recipe, or the disk is full.
    """
    folder = make_private_folder(make_private_folder(runs_folder()) / job.name)
    with locked(folder), arithmetic(job.recipe.training.threads):
        for event in _Run(job, folder, stop).events(resume=resume):
            job.registry.notify("chatseq_training_event", event=event, run=folder)
            yield event


class _Run:
    """The state of a run, and its way through epochs, steps and validations."""

    def __init__(self, job: Job, folder: Path, stop: Callable[[], bool]) -> None:
        self._job = job
        self._folder = folder
        self._stop = stop
        self._settings = job.recipe.training
        self._plan = StepPlan(job)
        model = build_initial_model(job)
        self._state = TrainingState(
            model, weight_decay=self._settings.weight_decay, ema=self._settings.ema
        )
        self._validator = Validator(job, model)
        self._counters = RunProgress()
        self._batches = self._plan.of_epoch(0)
        self._epochs = self._plan.epochs(len(self._batches))
        adaptable = self._settings.minutes and not self._settings.threads
        self._pace = ThreadTuner(all_threads()) if adaptable else None
        self._speed = 0.0  # target tokens a second
        self._clock = self._saved_at = time.perf_counter()

    def events(self, *, resume: bool) -> Iterator[TrainingEvent]:
        yield from map(Remark, self._job.remarks)
        yield from self._resumed() if resume else self._afresh()
        self._clock = self._saved_at = time.perf_counter()
        self._state.model.train()
        while not self._counters.stop_reason:
            yield from self._epoch()
        yield from self._ended()

    def _afresh(self) -> Iterator[Remark]:
        for path in self._folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            elif path.name != LOCK:
                path.unlink(missing_ok=True)
        yield from map(Remark, load_initial_weights(self._job, self._state.model))

    def _resumed(self) -> Iterator[Remark]:
        sweep(self._folder)
        found = load_checkpoint(
            self._folder / CHECKPOINTS,
            run=self._job.compatibility_key(),
            device=self._state.model.device.type,
        )
        if found is None:
            raise TrainingError(
                f"There is nothing to resume for the bot '{self._job.name}'. "
                "Train it without --resume.",
                kind=ErrorKind.NOTHING_TO_RESUME,
                place=self._job.name,
            )
        yield from map(Remark, found.remarks)
        counters = self._counters = found.counters
        self._state.restore(found.tensors)
        self._batches = self._plan.of_epoch(counters.epoch)
        validations_without_gain = counters.validations_without_gain >= self._settings.patience
        if (
            counters.stop_reason != DIVERGED
            and self._progress() < 1
            and not validations_without_gain
        ):
            counters.stop_reason = ""  # a longer time or more epochs leave something to do
        yield Remark(f"Resumed after step {counters.step}.")

    def _epoch(self) -> Iterator[TrainingEvent]:
        """Go through the rest of an epoch, until its end or that of the run."""
        counters = self._counters
        while counters.index < len(self._batches) and not counters.stop_reason:
            yield from self._step(self._batches[counters.index])
            self._look_for_an_end()
            if self._is_validation_due():
                yield from self._validated()
            if not counters.stop_reason and self._is_checkpoint_due():
                self._save()
        if not counters.stop_reason:
            counters.epoch, counters.index = counters.epoch + 1, 0
            self._batches = self._plan.of_epoch(counters.epoch)

    def _step(self, rows: Ints) -> Iterator[TrainingEvent]:
        settings, counters, state = self._settings, self._counters, self._state
        progress = self._progress()
        rate = self._plan.learning_rate(progress)
        # Dropout follows the number of the step alone, so resuming needs no generator's state.
        torch.manual_seed(derive_seed(settings.seed, FOR_STEP, counters.step))
        if self._pace:
            self._pace.before_step()
        stepped = train_step(
            state.model,
            state.optimiser,
            self._plan.batch(rows, counters.epoch),
            learning_rate=rate,
            clip=settings.clip,
            objective=self._plan.objective(progress),
            precision=settings.precision,
        )
        if not stepped.skipped:
            state.update_ema(counters.step - counters.dropped)
        counters.step += 1
        counters.index += 1
        self._measure(stepped)
        if stepped.skipped:
            yield self._dropped(stepped)
        else:
            counters.dropped_in_a_row = 0
        yield self._step_report(stepped, rate)

    def _dropped(self, stepped: StepResult) -> Remark:
        counters = self._counters
        counters.dropped += 1
        counters.dropped_in_a_row += 1
        what = "loss" if not math.isfinite(stepped.loss) else "gradient"
        return Remark(
            f"Step {counters.step} was dropped, since its {what} was not finite "
            f"({counters.dropped} so far). A smaller training.learning_rate may help."
        )

    def _look_for_an_end(self) -> None:
        counters, minutes = self._counters, self._settings.minutes
        if counters.dropped_in_a_row >= _MOST_DROPPED:
            counters.stop_reason = DIVERGED
        elif self._by_epochs() >= 1:
            counters.stop_reason = EPOCHS_DONE
        elif minutes and counters.seconds >= 60 * minutes:
            counters.stop_reason = TIME_UP
        elif self._stop():
            counters.stop_reason = INTERRUPTED

    def _by_epochs(self) -> float:
        share = self._counters.index / len(self._batches)
        return (self._counters.epoch + share) / self._epochs

    def _progress(self) -> float:
        """Return how far the run is, 0..1: by epochs or by time, whichever is further."""
        minutes = self._settings.minutes
        by_time = self._counters.seconds / (60 * minutes) if minutes else 0.0
        return min(1.0, max(self._by_epochs(), by_time))

    def _is_validation_due(self) -> bool:
        due = int(self._progress() * self._settings.validations)
        return due > self._counters.validations and not self._counters.stop_reason

    def _is_checkpoint_due(self) -> bool:
        return time.perf_counter() - self._saved_at >= self._settings.checkpoint_seconds

    def _validated(self) -> Iterator[TrainingEvent]:
        counters = self._counters
        with self._state.averaged():
            judged = self._validator.validate()
            best = self._is_best(judged)
            if best:
                self._state.save_best()
        counters.validations = int(self._progress() * self._settings.validations)
        counters.validated_step = counters.step
        counters.validations_without_gain = 0 if best else counters.validations_without_gain + 1
        if best:
            counters.best_step = counters.step
            counters.best_exact_match, counters.best_loss = judged.exact_match, judged.loss
        elif counters.validations_without_gain >= self._settings.patience:
            counters.stop_reason = counters.stop_reason or NO_IMPROVEMENT
        self._tick()
        yield ValidationReport(
            step=counters.step,
            epoch=counters.epoch,
            loss=judged.loss,
            perplexity=judged.perplexity,
            exact_match=judged.exact_match,
            best=best,
            samples=judged.samples,
            variety=judged.variety,
        )
        yield from self._warn_of_collapse(judged)

    def _warn_of_collapse(self, judged: ValidationResult) -> Iterator[Remark]:
        """Tell once that the replies are dull, when the network has had time to learn others."""
        counters = self._counters
        if counters.collapse_reported or not (
            counters.stop_reason or self._progress() >= WATCHED_FROM
        ):
            return
        if told := collapse_warning(judged.variety, self._job.answers_recur):
            counters.collapse_reported = True
            yield Remark(told)

    def _is_best(self, judged: ValidationResult) -> bool:
        """Compare by exact match, then loss, where answers recur; by loss alone elsewhere."""
        counters = self._counters
        if not math.isfinite(judged.loss):
            return False
        if self._job.answers_recur and judged.exact_match != counters.best_exact_match:
            return judged.exact_match > counters.best_exact_match
        return judged.loss < counters.best_loss

    def _ended(self) -> Iterator[TrainingEvent]:
        counters = self._counters
        reason = counters.stop_reason
        if reason == INTERRUPTED:  # the run that goes on must not see the validation below
            counters.stop_reason = ""
            self._save()
        if counters.validated_step != counters.step:
            yield from self._validated()
        if reason != INTERRUPTED:
            self._save()
        self._state.restore_best()
        with one_thread():
            figures = finish(self._job, self._state.model)
        best = counters.best_step if self._state.has_best else counters.step
        yield FinishedReport(reason, counters.step, counters.seconds, best, figures)

    def _save(self) -> None:
        save_checkpoint(
            self._folder / CHECKPOINTS,
            self._counters,
            self._state.tensors(),
            run=self._job.compatibility_key(),
            device=self._state.model.device.type,
        )
        self._saved_at = time.perf_counter()

    def _measure(self, stepped: StepResult) -> None:
        seconds = self._tick()
        if self._pace:
            self._pace.after_step(stepped.tokens, seconds)
        speed = stepped.tokens / max(seconds, 1e-9)
        known = self._speed or speed
        self._speed = _OLD_SPEED * known + (1 - _OLD_SPEED) * speed

    def _tick(self) -> float:
        """Add the time since the last call to the run's, and return it."""
        now = time.perf_counter()
        seconds, self._clock = now - self._clock, now
        self._counters.seconds += seconds
        return seconds

    def _step_report(self, stepped: StepResult, rate: float) -> StepReport:
        counters, progress = self._counters, self._progress()
        return StepReport(
            step=counters.step,
            epoch=counters.epoch,
            loss=stepped.loss,
            tokens=stepped.tokens,
            tokens_per_second=self._speed,
            learning_rate=rate,
            gradient_norm=stepped.norm,
            skipped=stepped.skipped,
            progress=progress,
            seconds_left=counters.seconds * (1 - progress) / max(progress, 1e-9),
        )
