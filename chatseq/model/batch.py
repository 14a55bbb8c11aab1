"""One batch of exchanges as tensors."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Batch(NamedTuple):
    """Questions and answers in ids, rows filled up with padding on the right.

    Answers end with the end mark; the start mark is put in front by the model.
    """

    question_ids: Tensor  # (batch, source)
    question_mask: Tensor  # (batch, source)
    question_features: Tensor | None  # (batch, source, features), 0 where there is none
    answer_ids: Tensor  # (batch, target)
    answer_mask: Tensor  # (batch, target)

    def to(self, device: torch.device) -> Batch:
        """Return the batch on a device; itself, where it is there already."""
        return Batch(*(None if rows is None else rows.to(device) for rows in self))  # type: ignore[arg-type]

    def twice(self) -> Batch:
        """Return all rows, and then all of them again."""
        return Batch(
            _twice(self.question_ids),
            _twice(self.question_mask),
            None if self.question_features is None else _twice(self.question_features),
            _twice(self.answer_ids),
            _twice(self.answer_mask),
        )


def _twice(rows: Tensor) -> Tensor:
    return torch.cat([rows, rows])
