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
    return query.reshape(memory.shape[0], -1, query.shape[2])


def unfold(folded: Tensor, query: Tensor) -> Tensor:
    """Return what `fold` put side by side as rows again: (batch x k, target, anything)."""
    return folded.reshape(query.shape[0], -1, folded.shape[2])


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
