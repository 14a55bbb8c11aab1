"""A bot as one `.chatseq` file: a zip of its files, read with suspicion.

An archive comes from somebody else. Nothing is unpacked but the files that a bot may have, each
streamed, counted and compared with the checksum that the manifest gives.
"""

from __future__ import annotations

import os
import shutil
import stat
import zipfile
import zlib
from pathlib import Path
from typing import IO

from chatseq.bots.bundle.manifest import KNOWN, MANIFEST, FileRecord, Manifest, parse_manifest
from chatseq.bots.bundle.names import bot_folder, check_name, safe_name
from chatseq.bots.bundle.store import Bundle, open_bundle
from chatseq.core.errors import BundleError, ErrorKind
from chatseq.core.files import new_hash, place_beside, seal, swap_in, sweep, sync_folder, told_as
from chatseq.core.paths import bots_folder, make_private_folder

SUFFIX = ".chatseq"
_MOST_MEMBERS = 1000
_MOST_BYTES = 2 << 30
_MOST_MANIFEST = 1 << 20
_MOST_RATIO = 100  # unpacked bytes for a packed one
_CHUNK = 1 << 20


def export_bundle(name: str, file: Path) -> Path:
    """Write a bot as one file, and return its path.

    Raises:
        BundleError: the bot is not whole, the file exists, or the disk is full.
    """
    bundle = open_bundle(bot_folder(name))
    if file.exists():
        told = f"{file} exists already. Choose another name, or remove it first."
        raise BundleError(told, kind=ErrorKind.CANNOT_WRITE, place=str(file))
    temporary = place_beside(file)
    with told_as(BundleError, file):
        try:
            _pack(bundle, temporary)
            temporary.rename(file)
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(file.absolute().parent)
    return file


def import_bundle(file: Path, *, name: str | None = None, replace: bool = False) -> str:
    """Take in a bot from a `.chatseq` file, and return its name.

    Args:
        name: the bot's new name; its own where None
        replace: whether a bot of that name may be replaced

    Raises:
        BundleError: the file is no bot, is damaged or hostile, or the name is taken.
    """
    where = f"The file {file.name}"
    try:
        with zipfile.ZipFile(file) as archive:
            members = _members(archive, where)
            manifest = _manifest(archive, members, where)
            chosen = check_name(name) if name else safe_name(manifest.name)
            _refuse_taken(chosen, replace)
            _unpack(archive, members, manifest, bot_folder(chosen), where)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as fault:
        raise _refused(where, f"it cannot be unpacked ({fault})") from fault
    except (FileNotFoundError, IsADirectoryError, PermissionError) as fault:
        told = f"Cannot read {file}: {fault.strerror}. Check the path."
        raise BundleError(told, kind=ErrorKind.BOT_NOT_FOUND, place=str(file)) from fault
    return chosen


def _pack(bundle: Bundle, target: Path) -> None:
    target.unlink(missing_ok=True)
    handle = os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w+b") as stream:
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            for name in (MANIFEST, *bundle.manifest.files):
                archive.write(bundle.folder / name, name)
        stream.flush()
        os.fsync(stream.fileno())


def _members(archive: zipfile.ZipFile, where: str) -> dict[str, zipfile.ZipInfo]:
    """Return the members by name after refusing all that no bot has."""
    listed = archive.infolist()
    if len(listed) > _MOST_MEMBERS:
        raise _refused(where, f"it has {len(listed)} members")
    members: dict[str, zipfile.ZipInfo] = {}
    for info in listed:
        if info.filename != MANIFEST and not KNOWN.fullmatch(info.filename):
            raise _refused(where, f"it holds {info.filename!r}, which no bot has")
        if info.filename in members:
            raise _refused(where, f"it holds {info.filename} twice")
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in {0, stat.S_IFREG} or info.flag_bits & 1:
            raise _refused(where, f"{info.filename} is not a plain file")
        if info.file_size > _MOST_RATIO * max(info.compress_size, _CHUNK // _MOST_RATIO):
            raise _refused(where, f"{info.filename} is packed too tightly")
        members[info.filename] = info
    return members


def _manifest(
    archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], where: str
) -> Manifest:
    if MANIFEST not in members:
        raise _refused(where, f"it has no {MANIFEST}")
    with archive.open(members[MANIFEST]) as stream:
        text = stream.read(_MOST_MANIFEST + 1)
    if len(text) > _MOST_MANIFEST:
        raise _refused(where, f"its {MANIFEST} is too large")
    manifest = parse_manifest(text.decode("utf-8", "replace"), where)
    missing = set(manifest.files) - set(members)
    if missing:
        raise _refused(where, f"it lacks {min(missing)}")
    unlisted = set(members) - set(manifest.files) - {MANIFEST}
    if unlisted:
        raise _refused(where, f"its manifest does not list {min(unlisted)}")
    if sum(record.size for record in manifest.files.values()) > _MOST_BYTES:
        raise _refused(where, "its files are larger than 2 GiB")
    return manifest


def _unpack(
    archive: zipfile.ZipFile,
    members: dict[str, zipfile.ZipInfo],
    manifest: Manifest,
    folder: Path,
    where: str,
) -> None:
    make_private_folder(folder.parent)
    temporary = place_beside(folder)
    with told_as(BundleError, folder):
        sweep(folder.parent)
        shutil.rmtree(temporary, ignore_errors=True)
        try:
            for name, record in manifest.files.items():
                target = temporary / name
                target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                with archive.open(members[name]) as packed, target.open("xb") as out:
                    _copy(packed, out, record, f"{where}: {name}")
            (temporary / MANIFEST).write_text(manifest.to_json(), encoding="utf-8")
            seal(temporary)
            swap_in(temporary, folder)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise


def _copy(packed: IO[bytes], out: IO[bytes], record: FileRecord, where: str) -> None:
    hashed, size = new_hash(), 0
    while chunk := packed.read(_CHUNK):
        size += len(chunk)
        if size > record.size:
            break
        hashed.update(chunk)
        out.write(chunk)
    if size != record.size or hashed.hexdigest() != record.blake2b:
        raise _refused(where, "its content does not match the manifest")


def _refuse_taken(name: str, replace: bool) -> None:
    if not replace and (bots_folder() / name).exists():
        raise BundleError(
            f"There is a bot named '{name}' already. Give the imported one another name, or remove "
            f"that one first: chatseq bots remove {name}",
            kind=ErrorKind.BOT_EXISTS,
            place=name,
        )


def _refused(where: str, what: str) -> BundleError:
    return BundleError(
        f"{where} was refused: {what}. Nothing was unpacked. Ask its maker for a new export.",
        kind=ErrorKind.BOT_DAMAGED,
        place=where,
    )
