"""One step of learning: loss, gradient, and a change of the weights unless a number is broken."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn

from chatseq.model.batch import Batch
from chatseq.model.precision import Precision, mixed_precision
from chatseq.model.scheduled_sampling import ScheduledSampling
from chatseq.model.seq2seq import Seq2Seq

_BETAS = (0.9, 0.99)  # the second is short, since runs are: a few hundred steps
_EPSILON = 1e-8
_FUSED = ("cpu", "cuda")  # devices for which torch has the whole update in one kernel


@dataclass(frozen=True, slots=True)
class Objective:
    """What a step makes small, beside the cross entropy of the true tokens."""

    label_smoothing: float = 0.0
    coverage: float = 0.0  # weight of the loss for looking at the same tokens again
    consistency: float = 0.0  # weight of the loss for answering otherwise under other dropout
    own: ScheduledSampling | None = None  # fed in; None: true tokens alone


class StepResult(NamedTuple):
    """What one step did."""

    loss: float  # mean per target token
    tokens: int  # target tokens
    norm: float  # of the gradient, before it was clipped
    skipped: bool  # a number was not finite; the weights are as before


def make_optimiser(model: nn.Module, *, weight_decay: float) -> torch.optim.AdamW:
    """Return AdamW (Loshchilov and Hutter 2019); vectors, such as biases, do not decay."""
    matrices = [p for p in model.parameters() if p.dim() > 1]
    vectors = [p for p in model.parameters() if p.dim() <= 1]
    groups = [
        {"params": matrices, "weight_decay": weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    fused = matrices[0].device.type in _FUSED
    return torch.optim.AdamW(groups, betas=_BETAS, eps=_EPSILON, fused=fused)


def train_step(
    model: Seq2Seq,
    optimiser: torch.optim.Optimizer,
    batch: Batch,
    *,
    learning_rate: float,
    clip: float,
    objective: Objective,
    precision: Precision = "fp32",
) -> StepResult:
    """Learn from one batch.

    A loss or a gradient that is not finite changes nothing.

    Args:
        clip: the largest norm of the gradient
        precision: of the forward pass and the loss; weights and the optimiser keep theirs
    """
    optimiser.zero_grad(set_to_none=True)
    with mixed_precision(model.device, precision):
        found = model.loss(
            batch,
            label_smoothing=objective.label_smoothing,
            coverage=objective.coverage,
            consistency=objective.consistency,
            own=objective.own,
        )
    loss = found.total / max(1, found.tokens)
    value = float(loss.detach())
    if not math.isfinite(value):
        return StepResult(value, found.tokens, math.nan, skipped=True)
    loss.backward()  # type: ignore[no-untyped-call]
    norm = float(nn.utils.clip_grad_norm_(model.parameters(), clip))
    if not math.isfinite(norm):
        return StepResult(value, found.tokens, norm, skipped=True)
    for group in optimiser.param_groups:
        group["lr"] = learning_rate
    optimiser.step()
    return StepResult(value, found.tokens, norm, skipped=False)
