"""The bots of this user: list and remove them, and remember which one was trained last."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from chatseq.bots.bundle.manifest import MANIFEST, Manifest
from chatseq.bots.bundle.names import bot_folder, check_name
from chatseq.bots.bundle.store import absent, read_manifest
from chatseq.core.errors import BundleError
from chatseq.core.files import REPLACED, place_beside, sweep, told_as, write_whole
from chatseq.core.paths import bots_folder

_DEFAULT = ".default"  # no bot's name begins with a dot


@dataclass(frozen=True, slots=True)
class BundleListing:
    """A stored bot, or what is wrong with it."""

    name: str
    manifest: Manifest | None
    fault: str = ""


def list_bundles() -> list[BundleListing]:
    """Return the bots by name; a damaged manifest is told as a fault, not raised."""
    folder = bots_folder()
    with suppress(OSError):
        sweep(folder)
    return [_shelved(path) for path in sorted(folder.glob("[!.]*")) if path.is_dir()]


def remove_bundle(name: str) -> None:
    """Remove a bot; a reader sees it whole or not at all.

    Raises:
        BundleError: there is none, or it may not be removed.
    """
    folder = bot_folder(name)
    if not folder.is_dir():
        raise absent(folder)
    with told_as(BundleError, folder):
        sweep(folder.parent)
        doomed = place_beside(folder)
        folder.rename(doomed)
        shutil.rmtree(doomed)


def default_bot() -> str | None:
    """Return the name of the bot trained or chosen last; None when there is no bot."""
    try:
        name = (bots_folder() / _DEFAULT).read_text(encoding="utf-8").strip()
        if (bot_folder(name) / MANIFEST).is_file() or _arriving(bot_folder(name)):
            return name
    except (OSError, UnicodeDecodeError, BundleError):
        pass
    dated = [(s.manifest.created, s.name) for s in list_bundles() if s.manifest is not None]
    return max(dated)[1] if dated else None


def set_default_bot(name: str) -> None:
    """Make a bot the one that `chatseq` chats with.

    Raises:
        BundleError: the record cannot be written.
    """
    file = bots_folder() / _DEFAULT
    with told_as(BundleError, file):
        write_whole(file, check_name(name).encode() + b"\n")


def _arriving(folder: Path) -> bool:
    """Tell whether the bot is absent only for the instant in which it is replaced."""
    return any(folder.parent.glob(f".{REPLACED}~*~{folder.name}"))


def _shelved(folder: Path) -> BundleListing:
    try:
        return BundleListing(folder.name, read_manifest(folder))
    except BundleError as fault:
        return BundleListing(folder.name, None, str(fault))
