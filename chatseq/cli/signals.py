"""Ctrl-C during long work: the first one asks it to stop in good order."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_PATIENCE = 3  # signals; at the last, the work is given up where it stands


class Stop:
    """Whether the user asked for the end."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> bool:
        """Tell whether it was asked."""
        return self.times > 0

    def ask(self, number: int, frame: FrameType | None) -> None:
        """Take a signal.

        Raises:
            KeyboardInterrupt: for the third time.
        """
        del number, frame
        self.times += 1
        if self.times >= _PATIENCE:
            raise KeyboardInterrupt


@contextmanager
def stopping() -> Iterator[Stop]:
    """Turn SIGINT, SIGTERM and SIGHUP into a question that the work asks between two steps."""
    stop = Stop()
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {number: signal.signal(number, stop.ask) for number in numbers}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
