"""Where chatseq keeps its files: the platform's own places, or one folder named by CHATSEQ_HOME."""

from __future__ import annotations

import os
from pathlib import Path

from chatseq.core.errors import ChatseqError, ErrorKind


def home() -> Path:
    """Return the folder that holds everything chatseq keeps; it need not exist yet."""
    moved = os.environ.get("CHATSEQ_HOME")
    if moved:
        return Path(moved).expanduser().absolute()
    from platformdirs import user_data_path  # only needed without CHATSEQ_HOME

    return user_data_path("chatseq", appauthor=False)


def bots_folder() -> Path:
    """Return the folder of trained bots, one bundle each."""
    return home() / "bots"


def runs_folder() -> Path:
    """Return the folder of training runs: checkpoints and logs, one folder a bot."""
    return home() / "runs"


def plugins_folder() -> Path:
    """Return the folder of one-file plugins."""
    return home() / "plugins"


def disabled_file() -> Path:
    """Return the file that says which plugins are switched off."""
    return home() / "plugins.json"


def history_file() -> Path:
    """Return the file of the history database."""
    return home() / "history.db"


def starter_folder() -> Path:
    """Return the folder of the starter corpora: in the wheel, or in a source checkout."""
    package = Path(__file__).parents[1]
    for folder in (package / "starter", package.parent / "corpora"):
        if folder.is_dir():
            return folder
    raise ChatseqError(
        "The starter corpora are missing from this installation. Install chatseq again, or train "
        "on a file of your own: chatseq train FILE"
    )


def make_private_folder(folder: Path) -> Path:
    """Create a folder that only its owner can read, and return it.

    Raises:
        ChatseqError: it cannot be made, for example in a read-only home.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as fault:
        reason = fault.strerror or str(fault)
        raise ChatseqError(
            f"Cannot make the folder {folder}: {reason}. "
            "Set CHATSEQ_HOME to a folder that you can write to.",
            kind=ErrorKind.CANNOT_WRITE,
            place=str(folder),
        ) from fault
    return folder
