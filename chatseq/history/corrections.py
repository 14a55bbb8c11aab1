"""What was corrected: questions with their right answers, from any history or fast from a file.

`chatseq ask` answers before SQLAlchemy would be loaded, so the standard library reads the file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from chatseq.history.contracts import History, Review, Verdict
from chatseq.history.records import checksum_of, clean
from chatseq.text.normalise import question_text

Corrected = tuple[str, str]  # a question and its right answer

_WAITS = 0.2  # seconds; an answer without corrections is better than a late one
_BUSY_SIGNS = ("-wal", "-journal")
_QUERY = f"""
SELECT asked.text, asked.checksum, feedback.correction, feedback.checksum
FROM feedback
JOIN messages AS reply ON reply.id = feedback.message_id
JOIN messages AS asked ON asked.id = reply.parent_id
WHERE reply.bot = ? AND feedback.verdict = '{Verdict.CORRECT}'
AND feedback.status <> '{Review.REJECTED}'
ORDER BY feedback.id DESC
"""  # noqa: S608  (the names are those of the enums above)


def corrected(history: History, bot: str) -> tuple[Corrected, ...]:
    """Return what users said was right, where that was not rejected; newest first.

    Raises:
        HistoryError: the history cannot be read.
    """
    return newest(
        (said.question, said.correction)
        for said in history.feedback(bot=bot)
        if said.verdict is Verdict.CORRECT and said.status is not Review.REJECTED
    )


def corrected_in(file: Path, bot: str) -> tuple[Corrected, ...]:
    """Return the same from a SQLite history, which need not exist; nothing is written or raised.

    A history that is locked, damaged or older than corrections holds none; a text that has changed
    on the disk is left out.
    """
    try:
        with closing(sqlite3.connect(_address(file), uri=True, timeout=_WAITS)) as connection:
            rows = connection.execute(_QUERY, (clean(bot),)).fetchall()
    except (sqlite3.Error, OSError):
        return ()
    return newest(
        (question, answer)
        for question, question_sum, answer, answer_sum in rows
        if _whole(question, question_sum) and _whole(answer, answer_sum)
    )


def newest(corrections: Iterable[Corrected]) -> tuple[Corrected, ...]:
    """Return the first correction of each question; case and spaces make no other question."""
    kept: dict[str, Corrected] = {}
    for question, answer in corrections:
        if key := question_text(question):
            kept.setdefault(key, (question, answer))
    return tuple(kept.values())


def _address(file: Path) -> str:
    # Where nobody is writing, 'immutable' keeps SQLite from making files of its own beside one that
    # was written with a log; the checksums tell if somebody begins just now.
    busy = any(file.with_name(file.name + sign).exists() for sign in _BUSY_SIGNS)
    return f"{file.absolute().as_uri()}?mode=ro{'' if busy else '&immutable=1'}"


def _whole(text: object, checksum: object) -> bool:
    return isinstance(text, str) and checksum_of(text) == checksum
