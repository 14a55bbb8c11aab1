"""The file of the history: private from its first byte on, and moved aside when it is damaged."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from chatseq.core.errors import ChatseqError
from chatseq.core.paths import make_private_folder
from chatseq.history.faults import cannot

_PRIVATE = 0o600
_OTHERS = 0o077
_MAGIC = b"SQLite format 3\x00"
_COMPANIONS = ("-journal", "-wal", "-shm")


def prepare(path: Path) -> None:
    """Make sure that the file exists and that only its owner can read it.

    SQLite gives its companion files the mode of the database, so this covers them too.

    Raises:
        HistoryError: the file or its folder cannot be made.
    """
    try:
        make_private_folder(path.parent)
        create_private(path)
    except FileExistsError:
        _take_from_others(path)
    except (OSError, ChatseqError) as fault:
        reason = getattr(fault, "strerror", None) or str(fault).rstrip(".")
        advice = "Set CHATSEQ_HOME to a folder that you can write to."
        raise cannot("opened", reason.partition(". ")[0], path, advice) from fault


def create_private(path: Path) -> None:
    """Create an empty file for its owner alone, whatever the umask says.

    Raises:
        FileExistsError: it exists already.
    """
    number = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _PRIVATE)
    try:
        if hasattr(os, "fchmod"):
            os.fchmod(number, _PRIVATE)
    finally:
        os.close(number)


def _take_from_others(path: Path) -> None:
    if path.stat().st_mode & _OTHERS and path.is_file():
        # It may be somebody else's, or on a disk that cannot be written: reading still helps.
        with suppress(OSError):
            path.chmod(_PRIVATE)


def looks_like_a_database(path: Path) -> bool:
    """Tell whether the file begins as a SQLite database does; an empty one may become one."""
    try:
        with path.open("rb") as stream:
            start = stream.read(len(_MAGIC))
    except OSError:
        return True  # SQLite will say what is wrong with it
    return start in (b"", _MAGIC)


def identity(path: Path) -> tuple[int, int] | None:
    """Return what tells this file from another one of the same name."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def set_aside(path: Path) -> Path:
    """Rename a damaged database and its companions, and return its new place.

    Raises:
        HistoryError: it cannot be renamed.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    target = free_name(path, f"corrupt-{stamp}")
    try:
        for companion in _COMPANIONS:
            beside = path.with_name(path.name + companion)
            if beside.exists():
                beside.rename(target.with_name(target.name + companion))
        path.rename(target)
    except OSError as fault:
        advice = "Move it away to start a new one."
        raise cannot("read", "it is damaged", path, advice) from fault
    return target


def free_name(path: Path, mark: str) -> Path:
    """Return a name beside the file that is not taken: history.db -> history.MARK.db."""
    number = 1
    while True:
        more = f"-{number}" if number > 1 else ""
        target = path.with_name(f"{path.stem}.{mark}{more}{path.suffix}")
        if not target.exists():
            return target
        number += 1
