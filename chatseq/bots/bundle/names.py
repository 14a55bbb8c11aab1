"""Names of bots: which are safe as the name of a folder, and where a bot lies."""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path

from chatseq.core.errors import BundleError, ErrorKind
from chatseq.core.paths import bots_folder

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_RESERVED = {"con", "prn", "aux", "nul"} | {f"{p}{n}" for p in ("com", "lpt") for n in range(10)}
_FALLBACK = "bot"


def check_name(name: str) -> str:
    """Return the name of a bot unchanged.

    Raises:
        BundleError: it could not be a folder of its own on every system.
    """
    reserved = name.split(".")[0].lower() in _RESERVED
    if not _NAME.fullmatch(name) or name.endswith(".") or reserved:
        raise BundleError(
            f"{name!r} cannot be the name of a bot. Use up to 64 letters, digits, '.', '_' and "
            f"'-', for example: {safe_name(name)}",
            kind=ErrorKind.BOT_NAME_INVALID,
            place=name,
            choices=[safe_name(name)],
        )
    return name


def safe_name(text: str) -> str:
    """Return the nearest name for a bot, for example from the name of a corpus file."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip("-._")[:64].rstrip("-._")
    if not name:
        return _FALLBACK
    return f"{_FALLBACK}-{name}" if name.split(".")[0].lower() in _RESERVED else name


def bot_folder(name: str) -> Path:
    """Return the folder of a bot by name; it need not exist."""
    return bots_folder() / check_name(name)


def find_bot(name_or_folder: str) -> Path:
    """Return the folder of a bot by its name, or the folder itself when a path was given."""
    if name_or_folder in {".", "..", "~"} or {"/", os.sep} & set(name_or_folder):
        return Path(name_or_folder).expanduser().resolve()
    return bot_folder(name_or_folder)
