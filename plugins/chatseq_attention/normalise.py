"""From scores to weights: softmax, sparsemax and 1.5-entmax, over real tokens only.

All three sum to 1 over real tokens, are exactly 0 at padding, and give zeros, never NaN, to a row
without any real token. They take scores (..., source) and a mask that can be broadcast to them,
and return weights in at least single precision.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import torch
from torch import Tensor

Normaliser = Literal["softmax", "sparsemax", "entmax15"]
Normalise = Callable[[Tensor, Tensor], Tensor]


def normaliser_named(name: Normaliser) -> Normalise:
    """Return the function of that name.

    Raises:
        ValueError: there is none.
    """
    if name not in _NAMED:
        choices = ", ".join(get_args(Normaliser))
        raise ValueError(f"there is no normaliser '{name}'. Set it to one of {choices}.")
    return _NAMED[name]


def masked_softmax(scores: Tensor, mask: Tensor) -> Tensor:
    """Return weights that follow the exponentials of the scores; none is 0."""
    scores = exact(scores)
    lowest = torch.finfo(scores.dtype).min  # not -inf: a row of only -inf would become NaN
    return torch.where(mask, torch.where(mask, scores, lowest).softmax(-1), 0.0)


def masked_sparsemax(scores: Tensor, mask: Tensor) -> Tensor:
    """Return the nearest weights to the scores, many of them 0 (Martins & Astudillo 2016)."""
    shifted = _below_highest(exact(scores), mask)
    with torch.no_grad():
        ordered, count = _falling(shifted)
        threshold = (ordered.cumsum(-1) - 1) / count  # rises up to the last support, then falls
        left_out = (shifted <= threshold.amax(-1, keepdim=True)) | ~mask
    threshold = (_total(shifted, left_out) - 1) / _size(left_out)
    return (shifted - threshold).masked_fill(left_out, 0.0).clamp(min=0)


def masked_entmax15(scores: Tensor, mask: Tensor) -> Tensor:
    """Return weights between softmax and sparsemax, some of them 0 (Peters et al. 2019, 1.5)."""
    halved = _below_highest(exact(scores) / 2, mask)
    with torch.no_grad():
        ordered, count = _falling(halved)
        mean = ordered.cumsum(-1) / count
        spread = ordered.square().cumsum(-1) - count * mean.square()
        threshold = mean - ((1 - spread) / count).clamp(min=0).sqrt()
        inside = threshold.masked_fill(threshold > ordered, -2.0)  # rises up to the last support
        left_out = (halved <= inside.amax(-1, keepdim=True)) | ~mask
    size = _size(left_out)
    mean = _total(halved, left_out) / size
    spread = _total((halved - mean).square(), left_out)
    root = ((1 - spread) / size).sqrt()  # at least 1 / size, so its gradient is finite
    return (halved - mean + root).masked_fill(left_out, 0.0).square()


def exact(numbers: Tensor) -> Tensor:
    """Return at least single precision, finite where half precision has overflowed."""
    if numbers.dtype.itemsize >= 4:
        return numbers
    return within_half(numbers).float()


def within_half(numbers: Tensor) -> Tensor:
    """Return the largest number of half precision in place of infinity."""
    if numbers.dtype is not torch.float16:
        return numbers
    limits = torch.finfo(torch.float16)
    return numbers.clamp(limits.min, limits.max)


def _below_highest(scores: Tensor, mask: Tensor) -> Tensor:
    """Return the scores less the highest of their row.

    What lies 1 or more below has no weight, however far below it is; -1 stands for it and for
    padding, so that sums stay small and precise.
    """
    filled = torch.where(mask, scores, torch.finfo(scores.dtype).min)
    highest = filled.detach().amax(-1, keepdim=True)  # weights do not depend on a common shift
    return (filled - highest).clamp(min=-1)


def _falling(scores: Tensor) -> tuple[Tensor, Tensor]:
    """Return the scores from high to low, and how many there are up to each."""
    ordered = scores.topk(scores.shape[-1], dim=-1).values
    return ordered, torch.ones_like(ordered).cumsum(-1)


def _total(numbers: Tensor, left_out: Tensor) -> Tensor:
    return numbers.masked_fill(left_out, 0.0).sum(-1, keepdim=True)


def _size(left_out: Tensor) -> Tensor:
    return (~left_out).sum(-1, keepdim=True).clamp(min=1)  # a row of padding has no support


_NAMED: dict[str, Normalise] = {
    "softmax": masked_softmax,
    "sparsemax": masked_sparsemax,
    "entmax15": masked_entmax15,
}
