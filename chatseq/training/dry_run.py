"""A dry run: a few real steps that leave no file, and what they say about the whole."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

from chatseq.model.compatibility import PartNames
from chatseq.model.seq2seq import Seq2Seq
from chatseq.training.initial_weights import build_initial_model, load_initial_weights
from chatseq.training.job import Job
from chatseq.training.state import TrainingState
from chatseq.training.step import train_step
from chatseq.training.step_plan import StepPlan
from chatseq.training.validation import ValidationResult, Validator

_STEPS = 2
_EXPORT_SECONDS = 4.0  # writing the graphs; hardly depends on the model


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a dry run found."""

    parameters: dict[str, int]  # of each part, by its kind and name
    remarks: tuple[str, ...]  # of the beginning
    losses: tuple[float, ...]  # of its steps
    validation: ValidationResult
    steps: int  # of the whole run, when nothing ends it earlier
    seconds: float  # the whole run would take about so long
    memory_mb: float | None  # the most that was used so far; None where that cannot be asked


def dry_run(job: Job) -> DryRun:
    """Build the model, learn from the two largest batches, validate once; write nothing."""
    settings = job.recipe.training
    model = build_initial_model(job)
    remarks = tuple(load_initial_weights(job, model))
    state = TrainingState(model, weight_decay=settings.weight_decay)
    plan = StepPlan(job)
    batches = plan.of_epoch(0)
    largest = sorted(batches, key=len, reverse=True)[:_STEPS]
    started = time.perf_counter()
    losses = tuple(
        train_step(
            state.model,
            state.optimiser,
            plan.batch(rows, 0),
            learning_rate=settings.learning_rate,
            clip=settings.clip,
            objective=plan.objective(1.0),
            precision=settings.precision,
        ).loss
        for rows in largest
    )
    stepped = time.perf_counter()
    validation = Validator(job, state.model).validate()
    validated = time.perf_counter()
    steps = round(len(batches) * plan.epochs(len(batches)))
    seconds = steps * (stepped - started) / len(largest)
    seconds += (settings.validations + 1) * (validated - stepped)
    if settings.minutes:
        seconds = min(seconds, 60 * settings.minutes)
    return DryRun(
        parameters_of(job, model),
        remarks,
        losses,
        validation,
        steps,
        seconds + _EXPORT_SECONDS,
        _most_memory(),
    )


def parameters_of(job: Job, model: Seq2Seq) -> dict[str, int]:
    """Return how many numbers each part learns, by the part as people name it."""
    names = PartNames.of(job.recipe)
    found = dict.fromkeys(("embeddings", *names), 0)
    for path, parameter in model.named_parameters():
        part = getattr(names, path.partition(".")[0], "embeddings")
        found[part] += parameter.numel()
    return found


def _most_memory() -> float | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
