"""Open the history so that a chat never dies of it."""

from __future__ import annotations

from pathlib import Path

from chatseq.core.errors import HistoryError
from chatseq.core.paths import history_file
from chatseq.history.contracts import History
from chatseq.history.memory import MemoryHistory


def kept_history() -> History:
    """Return the user's history to look at; one that does not exist is empty and makes no file.

    Raises:
        HistoryError: it cannot be opened.
    """
    if not history_file().exists():
        return MemoryHistory()
    from chatseq.history.store import HistoryStore

    return HistoryStore(history_file())


def open_history(where: Path | str | None = None) -> History:
    """Return the history; one in memory, with a notice that says why, where it cannot be opened.

    It may be called in a thread of its own, while the user types.

    Args:
        where: a file or a SQLAlchemy URL; the user's own history by default
    """
    from chatseq.history.store import HistoryStore  # SQLAlchemy takes half a second to load

    try:
        return HistoryStore(where or history_file())
    except HistoryError as fault:
        return MemoryHistory(notices=(f"{fault} This chat is not saved.",))
