"""What is calculated in bfloat16 while learning, and what never is.

In mixed precision (Micikevicius et al. 2018) products of matrices are calculated with fewer digits;
weights, sums over tokens and the optimiser keep all of theirs. bfloat16 has the range of single
precision (Kalamkar et al. 2019), so the loss needs no scaling.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

Precision = str  # fp32 or bf16, as a recipe says it


def mixed_precision(device: torch.device, precision: Precision) -> AbstractContextManager[object]:
    """Let products within the block be calculated as a recipe says."""
    if precision == "fp32":
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


def single_precision(device: torch.device) -> AbstractContextManager[object]:
    """Take back, within the block, whatever mixed precision is on."""
    if not torch.amp.is_autocast_available(device.type):
        return nullcontext()
    return torch.autocast(device.type, enabled=False)


def product_dtype(numbers: Tensor) -> torch.dtype:
    """Return what products of these numbers are to be calculated in."""
    device = numbers.device.type
    if torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device):
        return torch.get_autocast_dtype(device)
    return numbers.dtype


def exact(numbers: Tensor) -> Tensor:
    """Return half-precision numbers in single precision, as logarithms need them."""
    return numbers.to(torch.promote_types(numbers.dtype, torch.float32))
