"""What users said was right, looked up for every question, so that a bot learns it at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from chatseq.bots.responder import Correction
from chatseq.core.paths import history_file
from chatseq.history.contracts import History
from chatseq.history.corrections import corrected, corrected_in, newest


class Corrections:
    """Give the corrections of a bot by its name, as chatseq.bots.loader.load_bot wants them.

    They are read for every question, for another program may have changed the file; some dozens
    take half a millisecond. While nothing has changed, the very same tuple comes back.
    """

    def __init__(
        self,
        file: Path | None = None,
        *,
        beside: Callable[[], History | None] = lambda: None,
    ) -> None:
        """Name where corrections are kept.

        Args:
            file: a SQLite history, which need not exist; the user's own by default
            beside: gives a further history whose corrections win, as that of an unsaved chat
        """
        self._file = file or history_file()
        self._beside = beside
        self._last: dict[str, tuple[Correction, ...]] = {}

    def __call__(self, bot: str) -> tuple[Correction, ...]:
        """Return one correction for each question, newest first.

        Raises:
            HistoryError: the further history cannot be read.
        """
        other = self._beside()
        first = corrected(other, bot) if other else ()
        pairs = newest((*first, *corrected_in(self._file, bot)))
        found = tuple(Correction(question, answer) for question, answer in pairs)
        if found != self._last.get(bot):
            self._last[bot] = found
        return self._last[bot]
