"""Dropout with one choice for all steps of a row (Gal and Ghahramani 2016)."""

from __future__ import annotations

from torch import Tensor


def variational_dropout(numbers: Tensor, share: float, *, training: bool) -> Tensor:
    """Return the numbers with a share of their columns left out and the others scaled up.

    A column is left out of every step of its row. On small corpora that generalises a little better
    than choosing anew for each step, and it draws far fewer random numbers, which on a CPU cost as
    much as the recurrent layers' own gates.

    Args:
        numbers: (rows, steps, width), or (rows, width)
        share: 0 to below 1
    """
    if not training or not share:
        return numbers
    one_step = numbers[:, :1] if numbers.dim() == 3 else numbers
    kept = numbers.new_empty(one_step.shape).bernoulli_(1 - share)
    return numbers * kept.div_(1 - share)
