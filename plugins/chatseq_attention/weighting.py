"""What every score function shares: folding beams into the query axis, and a safe softmax."""

from __future__ import annotations

import torch
from torch import Tensor


def fold(query: Tensor, memory: Tensor) -> Tensor:
    """Return the queries with all rows of one source side by side, so that it is read only once.

    Args:
        query: (batch x k, target, query), the k rows of a source adjacent
        memory: anything with the batch as its first axis

    Returns:
        (batch, k x target, query)
    """
    return query.reshape(memory.shape[0], -1, _width(query))


def unfold(context: Tensor, weights: Tensor, query: Tensor) -> tuple[Tensor, Tensor]:
    """Return what was found for folded queries as rows again: (batch x k, target, ...) each."""
    target = int(query.shape[1])
    return (
        context.reshape(-1, target, _width(context)),
        weights.reshape(-1, target, weights.shape[2]),
    )


def masked_softmax(scores: Tensor, mask: Tensor) -> Tensor:
    """Return weights that sum to 1 over real tokens and are exactly 0 at padding.

    A row without any real token gets zeros, never NaN.

    Args:
        scores: (batch, queries, source)
        mask: (batch, source)
    """
    padding = ~mask.unsqueeze(1)  # (batch, 1, source)
    lowest = torch.finfo(scores.dtype).min  # not -inf: a row of only -inf would become NaN
    weights = scores.masked_fill(padding, lowest).softmax(-1)
    return weights.masked_fill(padding, 0.0)


def _width(tensor: Tensor) -> int:
    """Return the last size as a constant: a graph need not work it out at every step."""
    return int(tensor.shape[-1])
