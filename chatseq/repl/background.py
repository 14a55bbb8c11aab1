"""Work that goes on while the prompt is already there."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")
PATIENCE = 5.0  # seconds that leaving waits for work that cannot be broken off


class BackgroundTask(Generic[Result]):
    """Something that is being made in a thread of its own, once `begin` was called."""

    def __init__(self, work: Callable[[], Result], *, done: Callable[[], None]) -> None:
        """Prepare the work.

        Args:
            done: called in the thread when the work has ended, well or not
        """
        self._work = work
        self._done = done
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._results: list[Result] = []
        self.fault: BaseException | None = None

    @property
    def ended(self) -> bool:
        """Whether the work has come to its end, well or not."""
        return self._ended.is_set()

    def begin(self) -> None:
        """Start the work, unless it was started before."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the end of work that was or will be begun, and tell whether it has come."""
        return self._ended.wait(seconds)

    def result(self) -> Result:
        """Return what was made, or raise what went wrong; waits for it."""
        self.begin()
        self.wait()
        if self.fault is not None:
            raise self.fault
        return self._results[0]

    def finish(self) -> None:
        """Wait a while for work that was begun, so that the program does not end amidst it."""
        if self._thread is not None:
            self._thread.join(PATIENCE)

    def _run(self) -> None:
        try:
            self._results.append(self._work())
        except BaseException as fault:  # raised again where the result is asked for
            self.fault = fault
        self._ended.set()
        self._done()
