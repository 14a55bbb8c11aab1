"""What the commands about the history share: opening it, and how they write times and numbers."""

from __future__ import annotations

from datetime import datetime

from chatseq.cli.output import tell
from chatseq.core.paths import history_file
from chatseq.history.contracts import History
from chatseq.history.opening import kept_history


def kept() -> History:
    """Return the history; looking at one that does not exist makes no file."""
    return _told(kept_history())


def opened() -> History:
    """Return the history, made where it does not exist.

    Raises:
        HistoryError: it cannot be opened.
    """
    from chatseq.history.store import HistoryStore  # SQLAlchemy takes half a second to load

    return _told(HistoryStore(history_file()))


def _told(history: History) -> History:
    for notice in history.notices:
        tell(notice)
    return history


def when(moment: datetime) -> str:
    """Return a time as it is on the clock of this computer."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M")


def count(number: int, noun: str) -> str:
    """Return a number with its noun, `2 messages`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
