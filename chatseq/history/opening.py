"""Open the history so that a chat never waits for it and never dies of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from chatseq.errors import HistoryError
from chatseq.history.contracts import History
from chatseq.history.memory import MemoryHistory
from chatseq.paths import history_file


def open_history(where: Path | str | None = None) -> History:
    """Return the history; one in memory, with a notice that says why, where it cannot be opened.

    Args:
        where: a file or a SQLAlchemy URL; the user's own history by default
    """
    from chatseq.history.store import HistoryStore  # SQLAlchemy takes half a second to load

    try:
        return HistoryStore(where or history_file())
    except HistoryError as fault:
        return MemoryHistory(notices=(f"{fault} This chat is not saved.",))


def open_in_background(where: Path | str | None = None) -> Callable[[], History]:
    """Begin to open the history in a thread; calling the result waits for it."""
    opened: list[History | BaseException] = []
    place = (
        where or history_file()
    )  # read here: a thread must not see later changes of CHATSEQ_HOME

    def work() -> None:
        try:
            opened.append(open_history(place))
        except BaseException as fault:
            opened.append(fault)

    thread = threading.Thread(target=work, name="open history", daemon=True)
    thread.start()

    def wait() -> History:
        thread.join()
        if isinstance(opened[0], BaseException):
            raise opened[0]
        return opened[0]

    return wait
