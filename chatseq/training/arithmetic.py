"""How the processor is used while learning, and put back as it was afterwards."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from chatseq.model.allocator import keep_freed_memory

_ROUND = 60  # steps between two comparisons of thread counts
_TRIED = 4  # steps of a comparison with each count; the first of them only warms up


@contextmanager
def arithmetic(threads: int) -> Iterator[None]:
    """Learn with so many threads of the processor; 0: as many as it has.

    Numbers that vanish count as zero, since the optimiser's fading moments cost tenfold work.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(threads or all_threads())
    torch.set_flush_denormal(True)
    keep_freed_memory()
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
        torch.set_num_threads(before)


@contextmanager
def one_thread() -> Iterator[None]:
    """Ask a network questions, one or a few at a time: more threads would only wait for each other.

    On a machine with other work, two of them took twenty times as long.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def all_threads() -> int:
    """Return the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class ThreadTuner:
    """Use one thread or all, whichever learns faster just now.

    Where the machine is idle, all are faster; where other work takes a processor, threads that wait
    for each other can take five times as long as one alone. Which it is changes while a run lasts,
    so it is tried again every now and then. The count changes the last bits of sums, so this is for
    runs that are limited by time, which are not the same twice in any case.
    """

    def __init__(self, most: int, *, use: Callable[[int], object] = torch.set_num_threads) -> None:
        self._counts = (1, most) if most > 1 else (1,)
        self._use = use
        self._step = 0
        self._speeds = dict.fromkeys(self._counts, 0.0)  # tokens a second, in this comparison

    def before_step(self) -> None:
        """Set the number of threads for the step to come."""
        self._use(self._count())

    def after_step(self, tokens: int, seconds: float) -> None:
        """Take note of how fast the step was."""
        at = self._step % _ROUND
        trial, first = divmod(at, _TRIED)
        if trial < len(self._counts) and first:
            count = self._counts[trial]
            # The fastest of the steps: one that was disturbed says nothing of the count.
            self._speeds[count] = max(self._speeds[count], tokens / max(seconds, 1e-9))
        self._step += 1
        if self._step % _ROUND == 0:
            self._speeds = dict.fromkeys(self._counts, 0.0)

    def _count(self) -> int:
        trial = self._step % _ROUND // _TRIED
        if trial < len(self._counts):
            return self._counts[trial]
        return max(self._counts, key=lambda count: self._speeds[count])
