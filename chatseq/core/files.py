"""Write files so that a crash, a kill or a full disk leaves the old state or the new one.

The recipe: write into a temporary place beside the target, flush to the disk, rename, flush the
folder. A temporary place carries the host and process that made it, so that what a killed process
left behind can be told from what another one is writing just now.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from chatseq.core.errors import ChatseqError, ErrorKind

TEMPORARY = "tmp"
REPLACED = "old"  # what a newer version takes the place of, for an instant
_CHUNK = 1 << 20  # bytes
_PLACE = re.compile(r"\.(tmp|old)~(?P<host>[^~]*)~(?P<pid>\d+)~(?P<name>.*)")


def place_beside(target: Path, kind: str = TEMPORARY) -> Path:
    """Return the path of this process's temporary place for a target, in the same folder."""
    return target.with_name(f".{kind}~{_host()}~{os.getpid()}~{target.name}")


def write_new(file: Path, data: bytes) -> None:
    """Write a file that did not exist, for its owner only, and flush it to the disk."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def write_whole(file: Path, data: bytes) -> None:
    """Write or replace a file: a reader sees the old content or the new one."""
    temporary = place_beside(file)
    temporary.unlink(missing_ok=True)
    try:
        write_new(temporary, data)
        temporary.replace(file)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(file.parent)


def seal(folder: Path) -> None:
    """Make every file below a folder private, and flush all of it to the disk."""
    for path in sorted(folder.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
        _sync(path)
    _sync(folder)


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder to the disk."""
    _sync(folder)


def swap_in(new: Path, target: Path) -> None:
    """Rename a folder to its final name; an older folder of that name is removed after it."""
    old = place_beside(target, REPLACED)
    shutil.rmtree(old, ignore_errors=True)
    try:
        while True:
            with suppress(FileNotFoundError):
                target.rename(old)
            try:
                new.rename(target)
                break
            except OSError:  # another process may put its own there between the two renames
                if not target.exists():
                    raise
                shutil.rmtree(old, ignore_errors=True)
        sync_folder(target.parent)
    finally:
        if old.exists() and not target.exists():
            old.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def sweep(folder: Path) -> list[str]:
    """Remove what killed processes of this machine left in a folder, and return the names.

    A folder that was moved away and whose successor never arrived is put back.
    """
    swept = []
    for path in sorted(folder.glob(".*~*")):
        named = _PLACE.fullmatch(path.name)
        if named is None or named["host"] != _host() or is_running(int(named["pid"])):
            continue
        target = path.with_name(named["name"])
        if named[1] == REPLACED and not target.exists():
            with suppress(OSError):
                path.rename(target)
                continue
        _remove(path)
        swept.append(path.name)
    return swept


def is_running(pid: int) -> bool:
    """Tell whether a process of this machine lives; where that cannot be asked, it does."""
    if os.name == "nt":  # there, signal 0 would end it
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def checksum(file: Path) -> str:
    """Return the BLAKE2b checksum of a file, as hexadecimal digits."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, new_hash).hexdigest()


def new_hash() -> hashlib.blake2b:
    """Return the hash that all checksums of chatseq use."""
    return hashlib.blake2b(digest_size=32)


@contextmanager
def told_as(error: type[ChatseqError], path: Path) -> Iterator[None]:
    """Turn a fault of the disk into one line that names the path and the space left on it."""
    try:
        yield
    except OSError as fault:
        reason = fault.strerror or str(fault)
        raise error(
            f"Cannot write {path}: {reason} ({_space_left(path)}). Free some space or mend the "
            "permissions, or set CHATSEQ_HOME to another folder. Nothing older was lost.",
            kind=ErrorKind.CANNOT_WRITE,
            place=str(path),
        ) from fault


def _space_left(path: Path) -> str:
    for folder in (path, *path.parents):
        with suppress(OSError):
            return f"{shutil.disk_usage(folder).free / 1e6:,.1f} MB free there"
    return "free space unknown"


def _sync(path: Path) -> None:
    if path.is_dir() and os.name == "nt":  # folders cannot be opened there
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _host() -> str:
    return re.sub(r"[^A-Za-z0-9.-]", "_", socket.gethostname())
