"""A real terminal for tests: a program in a pty, and a screen that says what a person would see."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pexpect
import pyte

PATIENCE = 20.0  # seconds; a loaded machine is slow


class Screen(pyte.Screen):
    """A screen that answers when the program asks where the cursor is."""

    answer: Callable[[str], None] = staticmethod(lambda _: None)

    def write_process_input(self, data: str) -> None:
        self.answer(data)


class Terminal:
    """A program at work in a terminal of its own."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        columns: int = 80,
        rows: int = 24,
        environment: Mapping[str, str] = {},
    ) -> None:
        kept = {k: v for k, v in os.environ.items() if k not in {"NO_COLOR", "LC_ALL"}}
        usual = {"TERM": "xterm-256color", "LANG": "C.UTF-8", "OMP_NUM_THREADS": "1"}
        self.raw = ""
        self.screen = Screen(columns, rows)
        self.child: Any = pexpect.spawn(
            command[0],
            list(command[1:]),
            dimensions=(rows, columns),
            env={**kept, **usual, **environment},
            encoding="utf-8",
            codec_errors="replace",
            echo=True,
        )
        self.child.delaybeforesend = None  # pexpect waits 50 ms otherwise
        self.screen.answer = self.child.send
        self._stream = pyte.Stream(self.screen)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.child.close(force=True)

    @property
    def lines(self) -> list[str]:
        """What is on the screen, without the empty end of each line and of the screen."""
        lines = [line.rstrip() for line in self.screen.display]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    @property
    def text(self) -> str:
        """What is on the screen."""
        return "\n".join(self.lines)

    def send(self, keys: str) -> None:
        """Type."""
        self.child.send(keys)

    def until(self, pattern: str, *, seconds: float = PATIENCE) -> None:
        """Wait until the screen shows something, as a regular expression over its lines."""
        give_up = time.monotonic() + seconds
        while not re.search(pattern, self.text, re.MULTILINE):
            assert time.monotonic() < give_up, f"{pattern!r} did not come:\n{self.text}"
            self._read(0.1)

    def settle(self, seconds: float = 0.3) -> None:
        """Take in what comes for a while."""
        give_up = time.monotonic() + seconds
        while time.monotonic() < give_up:
            self._read(0.05)

    def end(self) -> int:
        """Wait for the end of the program and return its exit code; of a killed one, minus."""
        give_up = time.monotonic() + PATIENCE
        while self.child.isalive():
            assert time.monotonic() < give_up, f"it did not end:\n{self.text}"
            self._read(0.1)
        self.settle(0.1)
        if self.child.signalstatus is not None:
            return -int(self.child.signalstatus)
        return int(self.child.exitstatus)

    def kill(self, number: int) -> None:
        """Send the program a signal."""
        os.kill(self.child.pid, number)

    def _read(self, seconds: float) -> None:
        try:
            got = self.child.read_nonblocking(65536, seconds)
        except pexpect.TIMEOUT:
            return
        except pexpect.EOF:
            time.sleep(0.02)
            return
        self.raw += got
        self._stream.feed(got)
