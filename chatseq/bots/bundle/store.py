"""Write a bundle whole, and open one only after every byte of it was checked."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from chatseq.bots.bundle.answers import MOST_ANSWERS, MOST_BYTES, KnownAnswer, read_answers
from chatseq.bots.bundle.manifest import (
    ANSWERS,
    FOLDER,
    FOLDER_1,
    KNOWN,
    MANIFEST,
    RECIPE,
    REQUIRED,
    TOKENIZER,
    WEIGHTS,
    FileRecord,
    Manifest,
    damaged,
    parse_manifest,
)
from chatseq.core.errors import BundleError, ErrorKind, did_you_mean, nearest
from chatseq.core.files import (
    REPLACED,
    checksum,
    new_hash,
    place_beside,
    seal,
    swap_in,
    sweep,
    told_as,
    write_new,
)
from chatseq.core.paths import bots_folder, make_private_folder
from chatseq.core.plugins import Registry
from chatseq.core.version import VERSION

if TYPE_CHECKING:
    from chatseq.core.recipe import Recipe

Built = TypeVar("Built")
_PATIENCE = 2.0  # seconds to wait for a bot that is being replaced
_MOST_MANIFEST = 1 << 20  # bytes


@dataclass(frozen=True, slots=True)
class Bundle:
    """A trained bot whose files were all found whole."""

    folder: Path
    manifest: Manifest
    version: tuple[int, ...]  # of the folder on the disk; a newer bot has another

    @property
    def name(self) -> str:
        """The name under which the bot lies."""
        return self.folder.name

    @property
    def model(self) -> str:
        """The checksum of the weights, which names this very model."""
        return self.manifest.files[WEIGHTS].blake2b

    @property
    def weights(self) -> Path:
        """The file of the weights."""
        return self.folder / WEIGHTS

    @property
    def data_folder(self) -> Path:
        """Where the corpus lies that the bot was trained on, and what its responder learnt."""
        return self.folder / self._data_name

    @property
    def _data_name(self) -> str:
        return FOLDER_1 if self.manifest.format == 1 else FOLDER

    def recipe(self) -> Recipe:
        """Return the recipe that the bot was made by."""
        from chatseq.core.recipe import parse_recipe  # 0.2 s of pydantic that listings need not pay

        return parse_recipe(self.read_text(RECIPE), str(self.folder / RECIPE), tell_old=False)

    def tokenizer_json(self) -> str:
        """Return the stored tokenizer."""
        return self.read_text(TOKENIZER)

    def has(self, *files: str) -> bool:
        """Tell whether the bundle holds all of these files."""
        return all(file in self.manifest.files for file in files)

    def read_text(self, file: str) -> str:
        """Return the text of one of the files."""
        return (self.folder / file).read_text(encoding="utf-8")

    def answers(self) -> list[KnownAnswer]:
        """Return the answers that the bot was trained on; none of a bot stored without them.

        Raises:
            BundleError: the bot was replaced or damaged since it was opened.
        """
        record = self.manifest.files.get(f"{self._data_name}/{ANSWERS}")
        if record is None:
            return []
        try:
            with (self.data_folder / ANSWERS).open("rb") as stream:
                data = stream.read(MOST_BYTES + 1)
            hashed = new_hash()
            hashed.update(data)
            if hashed.hexdigest() == record.blake2b:
                return read_answers(data.decode())[:MOST_ANSWERS]
        except (OSError, ValueError):
            pass
        raise BundleError(
            f"The answers of the bot '{self.name}' are not those that it came with: it was "
            "replaced or damaged since it was loaded. Load it again: "
            f"chatseq chat --bot {self.name}",
            kind=ErrorKind.BOT_DAMAGED,
            place=self.name,
        )

    def is_current(self) -> bool:
        """Tell whether the folder is still the one that was opened, not a newer bot."""
        return _version(self.folder) == self.version


def open_bundle(folder: Path, *, registry: Registry | None = None) -> Bundle:
    """Open a bot, its checksums compared.

    Args:
        registry: the plugins at hand; those that the bot needs must be among them.

    Raises:
        BundleError: there is none, a file is missing or damaged, it is of a newer format, or a
            plugin is missing. The text says which and what to do.
    """
    give_up = time.monotonic() + _PATIENCE
    while True:
        version = _version(folder)
        try:
            bundle = _opened(folder, version)
            break
        except BundleError:
            # A bot that is just being replaced is absent, or seems mixed, for an instant.
            moving = _is_being_replaced(folder) or _version(folder) != version
            if not moving or time.monotonic() > give_up:
                raise
            _put_back(folder)
            time.sleep(0.01)
    if registry is not None:
        _check_plugins(bundle, registry)
    return bundle


def use_bundle(
    folder: Path, build: Callable[[Bundle], Built], *, registry: Registry | None = None
) -> Built:
    """Open a bot and build something from its files, all of the same version of the bot.

    When the bot was replaced meanwhile, it is opened and built again.
    """
    while True:
        bundle = open_bundle(folder, registry=registry)
        try:
            built = build(bundle)
        except Exception:
            if bundle.is_current():
                raise
            continue
        if bundle.is_current():
            return built


def write_bundle(folder: Path, manifest: Manifest, fill: Callable[[Path], None]) -> Bundle:
    """Write a bot; it appears whole or not at all, and only then replaces an older one.

    Args:
        manifest: without its files, which are listed here
        fill: writes the files of the bundle into the folder that it is given

    Raises:
        BundleError: the disk is full, or may not be written.
    """
    make_private_folder(folder.parent)
    with told_as(BundleError, folder):
        sweep(folder.parent)
        temporary = place_beside(folder)
        shutil.rmtree(temporary, ignore_errors=True)
        try:
            temporary.mkdir(mode=0o700)
            fill(temporary)
            complete = replace(
                manifest,
                files=_records(temporary),
                created=manifest.created or datetime.now(UTC).isoformat(timespec="seconds"),
                chatseq=VERSION,
            )
            write_new(temporary / MANIFEST, complete.to_json().encode())
            seal(temporary)
            swap_in(temporary, folder)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        return Bundle(folder, complete, _version(folder))


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a bot, without looking at its other files.

    Raises:
        BundleError: there is none, or it is damaged or newer.
    """
    where = f"The bot '{folder.name}' in {folder.parent}"
    file = folder / MANIFEST
    try:
        if file.stat().st_size > _MOST_MANIFEST:
            raise damaged(where, MANIFEST, "it is too large")
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as fault:
        raise damaged(where, MANIFEST, "it is not text") from fault
    except OSError as fault:
        if not folder.is_dir():
            raise absent(folder) from fault
        reason = fault.strerror or str(fault)
        raise damaged(where, MANIFEST, reason) from fault
    return parse_manifest(text, where)


def absent(folder: Path) -> BundleError:
    """Return the error about a bot that is not there."""
    if folder.parent != bots_folder():
        told = f"There is no bot in {folder}. Check the path."
        return BundleError(told, kind=ErrorKind.BOT_NOT_FOUND, place=str(folder))
    names = [path.name for path in folder.parent.glob("[!.]*") if path.is_dir()]
    hint = did_you_mean(folder.name, names) or " There is none yet."
    return BundleError(
        f"No bot named '{folder.name}'.{hint} Train it: chatseq train FILE --bot {folder.name}",
        kind=ErrorKind.BOT_NOT_FOUND,
        place=folder.name,
        choices=nearest(folder.name, names),
    )


def _opened(folder: Path, version: tuple[int, ...]) -> Bundle:
    manifest = read_manifest(folder)
    where = f"The bot '{folder.name}' in {folder.parent}"
    for name in REQUIRED:
        if name not in manifest.files:
            raise damaged(where, name, "the manifest does not list it")
    for name, record in manifest.files.items():
        _check_file(folder / name, record, where, name)
    return Bundle(folder, manifest, version)


def _check_file(file: Path, record: FileRecord, where: str, name: str) -> None:
    try:
        size = file.stat().st_size
        if size != record.size:
            raise damaged(where, name, f"it has {size} bytes instead of {record.size}")
        if checksum(file) != record.blake2b:
            raise damaged(where, name, "its content does not match its checksum")
    except FileNotFoundError as fault:
        raise damaged(where, name, "the file is missing") from fault
    except OSError as fault:
        raise damaged(where, name, fault.strerror or str(fault)) from fault


def _check_plugins(bundle: Bundle, registry: Registry) -> None:
    present = {plugin.name for plugin in registry.plugins}
    off = {plugin.name: plugin.way_back for plugin in registry.off}
    for name, version in bundle.manifest.plugins.items():
        if name in off:
            raise BundleError(
                f"The bot '{bundle.name}' needs the plugin {name}, which is switched off. "
                f"Switch it on: {off[name]}",
                kind=ErrorKind.PLUGIN_OFF,
                place=bundle.name,
                choices=[name],
            )
        if name not in present:
            wanted = f"{name} {version}".strip()
            raise BundleError(
                f"The bot '{bundle.name}' needs the plugin {wanted}, which is not installed or was "
                "set aside. Install it, or see: chatseq plugins doctor",
                kind=ErrorKind.PLUGIN_MISSING,
                place=bundle.name,
                choices=[wanted],
            )


def _is_being_replaced(folder: Path) -> bool:
    return any(folder.parent.glob(f".{REPLACED}~*~{folder.name}"))


def _put_back(folder: Path) -> None:
    """Undo a replacement whose process was killed in the middle."""
    with suppress(OSError):
        sweep(folder.parent)


def _records(folder: Path) -> dict[str, FileRecord]:
    records = {}
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = file.relative_to(folder).as_posix()
        if not KNOWN.fullmatch(name):
            raise ValueError(f"a bundle has no file named {name!r}")
        records[name] = FileRecord(file.stat().st_size, checksum(file))
    return records


def _version(folder: Path) -> tuple[int, ...]:
    try:
        found = folder.stat()
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_mtime_ns
