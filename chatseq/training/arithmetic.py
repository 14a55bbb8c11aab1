"""How the processor is used while learning, and put back as it was afterwards."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from chatseq.model.allocator import keep_freed_memory


@contextmanager
def arithmetic(threads: int) -> Iterator[None]:
    """Learn with so many threads of the processor; 0: as many as it has.

    Numbers that vanish count as zero, since the optimiser's fading moments cost tenfold work.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(threads or os.cpu_count() or 1)
    torch.set_flush_denormal(True)
    keep_freed_memory()
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
        torch.set_num_threads(before)
