"""What is learnt at each step: which rows, with which noise, how fast and towards what.

All of it is a function of the recipe, the epoch and how far the run is, so that a run which is
resumed is given the same steps.
"""

from __future__ import annotations

from chatseq.core.recipe import TrainingSection
from chatseq.model.batch import Batch
from chatseq.model.scheduled_sampling import ScheduledSampling
from chatseq.training.data import Noise
from chatseq.training.deterministic import Ints, bucketed_batches, derive_seed
from chatseq.training.job import Job
from chatseq.training.schedule import RISES, epochs_of_run, learning_rate
from chatseq.training.step import Objective

FOR_MODEL, FOR_STEP, FOR_NOISE = 1, 2, 3  # keep the three uses of chance apart


class StepPlan:
    """What each step of a job learns: its rows, its rate, its objective."""

    def __init__(self, job: Job) -> None:
        self._examples = job.epoch_examples
        self._settings = job.recipe.training
        self._noise = noise_of(self._settings)

    def of_epoch(self, epoch: int) -> list[Ints]:
        """Return the rows of each batch of an epoch."""
        return bucketed_batches(
            self._examples.question_lengths,
            self._examples.answer_lengths,
            budget=self._settings.batch_tokens,
            seed=self._settings.seed,
            epoch=epoch,
        )

    def epochs(self, steps_an_epoch: int) -> float:
        """Return how often the corpus is gone through, unless something ends the run earlier."""
        return epochs_of_run(
            steps_an_epoch,
            max_epochs=self._settings.max_epochs,
            min_steps=self._settings.min_steps,
        )

    def batch(self, rows: Ints, epoch: int) -> Batch:
        """Return a batch with its noise, which differs from epoch to epoch."""
        if not self._noise:
            return self._examples.batch(rows)
        seed = derive_seed(self._settings.seed, FOR_NOISE, epoch)
        return self._examples.noisy_batch(rows, self._noise, seed)

    def learning_rate(self, progress: float) -> float:
        """Return the rate of learning at a progress of 0..1."""
        settings = self._settings
        return learning_rate(
            progress,
            highest=settings.learning_rate,
            warmup_share=settings.warmup_share,
            schedule=settings.schedule,
        )

    def objective(self, progress: float) -> Objective:
        """Return what is made small at a progress of 0..1."""
        settings = self._settings
        own = None
        if settings.scheduled_sampling:
            share = settings.scheduled_sampling * RISES[settings.sampling_rise](progress)
            own = ScheduledSampling(share, argmax=settings.sampling_choice == "argmax")
        return Objective(
            settings.label_smoothing, settings.coverage_loss, settings.consistency_loss, own
        )


def noise_of(settings: TrainingSection) -> Noise:
    """Return how the questions are changed while they are learnt."""
    return Noise(
        word_dropout=settings.word_dropout,
        subword_dropout=settings.subword_dropout,
        typos=settings.typos,
        word_swaps=settings.word_swaps,
    )
