"""What a training run reports. Pure values, safe to import without torch.

A run is a generator of these; drawing, logging, saving elsewhere and stopping are the caller's.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class TextStats:
    """What some texts have in common; words as chatseq.text.normalise counts them."""

    distinct_1: float  # distinct words by all words, 0..1
    distinct_2: float  # distinct pairs of neighbours by all words, 0..1
    words: float  # of a text, in the mean
    empty: float  # share of the texts, 0..1


@dataclass(frozen=True, slots=True)
class DiversityReport:
    """The replies of a validation beside the answers that were wanted."""

    count: int  # replies
    replies: TextStats
    wanted: TextStats
    most_frequent: str  # of the replies that are not empty
    share: float  # of the replies that are it, 0..1
    wanted_share: float  # of the wanted answers that are it, 0..1


@dataclass(frozen=True, slots=True)
class Sample:
    """One validation question with what the model answers now."""

    question: str
    expected: str
    reply: str


@dataclass(frozen=True, slots=True)
class StepReport:
    """One step of the optimiser."""

    step: int
    epoch: int
    loss: float  # mean per target token, nats, with label smoothing
    tokens: int  # target tokens of this step, the end mark counted, no padding
    tokens_per_second: float
    learning_rate: float
    gradient_norm: float
    skipped: bool  # the loss or a gradient was not finite; nothing was changed
    progress: float  # 0..1 of the whole run
    seconds_left: float


@dataclass(frozen=True, slots=True)
class ValidationReport:
    """The figures of one validation."""

    step: int
    epoch: int
    loss: float  # mean per target token, nats, without smoothing
    perplexity: float  # teacher-forced
    exact_match: float  # free-running, 0..1, over a fixed sample
    best: bool  # these weights are the best so far
    samples: tuple[Sample, ...] = ()
    variety: DiversityReport | None = None  # of the replies, beside the wanted answers


@dataclass(frozen=True, slots=True)
class FinishedReport:
    """The last word of a run."""

    reason: str  # "epochs done", "no improvement", "time is up", "interrupted", "diverged"
    step: int
    seconds: float
    best_step: int
    figures: dict[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to be told once, in one line."""

    text: str


@dataclass(frozen=True, slots=True)
class CorpusReport:
    """What was read, before anything is learnt; no report of a run, which begins after it."""

    name: str  # of the bot
    exchanges: int
    skipped: int  # bad rows that were left out
    accepted: int  # answers of the history that are learnt, too
    learns_on: bool = False  # a trained bot goes on, and the exchanges are those that it has learnt


TrainingEvent = StepReport | ValidationReport | Remark | FinishedReport
