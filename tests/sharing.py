"""What is made once for a whole run of the tests, however many workers the run has."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

try:
    import fcntl
except ImportError:  # Windows; there, two workers may make the same thing at once, and one wins
    fcntl = None  # type: ignore[assignment]


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Return a folder that the first worker to ask for it fills; the others wait for that.

    Nothing may be written into it afterwards: tests that do so copy it.
    """
    folder = _of_the_run(factory) / name
    with _alone(folder.with_name(f"{name}.lock")):
        if not folder.is_dir():
            unfinished = Path(f"{folder}.{os.getpid()}")
            unfinished.mkdir(mode=0o700)
            make(unfinished)
            unfinished.rename(folder)
    return folder


def _of_the_run(factory: pytest.TempPathFactory) -> Path:
    own = factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    with file.open("w") as stream:
        if fcntl is not None:
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield
