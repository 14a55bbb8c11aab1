"""One trainer at a time: a lock on the folder of a run, which a dead process cannot hold."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chatseq.core.errors import ErrorKind, TrainingError
from chatseq.core.files import told_as

try:
    import fcntl
except ImportError:  # Windows; there, two trainers of one bot are not kept apart
    fcntl = None  # type: ignore[assignment]

LOCK = "lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the run for as long as the block lasts; the system lets go of it when we die.

    Raises:
        TrainingError: another process holds it; the text says which.
    """
    with told_as(TrainingError, folder):
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _take(handle, folder)
        os.truncate(handle, 0)
        os.pwrite(handle, json.dumps(_holder()).encode(), 0)
        yield
    finally:
        os.close(handle)


def _take(handle: int, folder: Path) -> None:
    if fcntl is None:
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as fault:
        holder = _read(handle)
        raise TrainingError(
            f"The bot '{folder.name}' is being trained already, by process "
            f"{holder.get('pid', '?')} on {holder.get('host', '?')} since "
            f"{holder.get('since', '?')}. Wait for it, stop it, or give this one another name: "
            "--bot NAME",
            kind=ErrorKind.TRAINING_BUSY,
            place=folder.name,
        ) from fault


def _holder() -> dict[str, Any]:
    since = datetime.now(UTC).isoformat(timespec="seconds")
    return {"pid": os.getpid(), "host": socket.gethostname(), "since": since}


def _read(handle: int) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        found = json.loads(os.pread(handle, 1000, 0))
        if isinstance(found, dict):
            return found
    return {}
