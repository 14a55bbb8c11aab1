"""All that is particular to SQLite: safe settings, transactions, the full-text index, repair.

No other module of chatseq holds SQL that only SQLite understands; each function that is called for
any database says in its first line what it does for the others.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event, text

from chatseq.history.words import Term, line_of

BUSY_MILLISECONDS = 30_000
_SWITCH_MILLISECONDS = 1_000  # a journal mode that others hold is not worth waiting for
_OPTION = "chatseq_begin"  # of an engine: the statement that begins its transactions
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}

_MAKE_INDEX = """
CREATE VIRTUAL TABLE IF NOT EXISTS message_search USING fts5(
    words, content='messages', content_rowid='id', tokenize='ascii', columnsize=0)
"""
_REBUILD = "INSERT INTO message_search(message_search) VALUES ('rebuild')"
# chatseq.history.words has cut and folded the words already: the tokenizer 'ascii' only has to
# split them at the spaces. The triggers keep the index whole, also when rows go by cascade.
_TRIGGERS = {
    "message_added": """
        AFTER INSERT ON messages BEGIN
            INSERT INTO message_search(rowid, words) VALUES (new.id, new.words);
        END""",
    "message_deleted": """
        AFTER DELETE ON messages BEGIN
            INSERT INTO message_search(message_search, rowid, words)
            VALUES ('delete', old.id, old.words);
        END""",
    "message_changed": """
        AFTER UPDATE OF words ON messages BEGIN
            INSERT INTO message_search(message_search, rowid, words)
            VALUES ('delete', old.id, old.words);
            INSERT INTO message_search(rowid, words) VALUES (new.id, new.words);
        END""",
}


def is_sqlite(engine: Engine) -> bool:
    """Tell whether this module has anything to do."""
    return engine.dialect.name == "sqlite"


def wal_is_safe(version: tuple[int, int, int]) -> bool:
    """Tell whether this SQLite is free of the fault that could damage a shared WAL database.

    Mended in 3.51.3, and in the older series 3.50 and 3.44 from 3.50.7 and 3.44.6 on.
    """
    return (
        version >= (3, 51, 3)
        or (3, 50, 7) <= version < (3, 51, 0)
        or (3, 44, 6) <= version < (3, 45, 0)
    )


def configure(engine: Engine) -> None:
    """Make every connection safe, and let transactions begin as the engine's options say.

    Python's sqlite3 begins transactions late and ends them at some statements, which leaves half
    a migration behind; with isolation_level None it keeps out of it.
    """
    event.listen(engine, "connect", _settle)
    event.listen(engine, "begin", _begin)


def writer_of(engine: Engine) -> Engine:
    """Return the engine for transactions that write; other databases need no special one.

    A transaction that reads first and then writes would fail without waiting when another process
    has written in between. Taking the lock at once makes it wait.
    """
    return engine.execution_options(**{_OPTION: "BEGIN IMMEDIATE"})


def _begin(connection: Connection) -> None:
    statement = connection.get_execution_options().get(_OPTION, "BEGIN")
    if statement:
        connection.exec_driver_sql(str(statement))


def _settle(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    wanted = "wal" if wal_is_safe(sqlite3.sqlite_version_info) else "delete"
    with closing(connection.cursor()) as cursor:
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")  # before anything can wait
        _use_journal(cursor, wanted)
        # Without WAL the folder must reach the disk as well, which only EXTRA does.
        cursor.execute(f"PRAGMA synchronous = {'FULL' if wanted == 'wal' else 'EXTRA'}")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA secure_delete = ON")
        cursor.execute("PRAGMA fullfsync = ON")  # macOS: fsync alone does not reach the disk


def _use_journal(cursor: sqlite3.Cursor, wanted: str) -> None:
    if cursor.execute("PRAGMA journal_mode").fetchone()[0] == wanted:
        return
    cursor.execute(f"PRAGMA busy_timeout = {_SWITCH_MILLISECONDS}")
    try:
        cursor.execute(f"PRAGMA journal_mode = {wanted}")
    except sqlite3.OperationalError:
        pass  # another process holds the database, or it cannot be written: both modes read well
    finally:
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")


def code_of(fault: BaseException | None) -> int:
    """Return SQLite's primary code of an error, 0 for any other error."""
    return int(getattr(fault, "sqlite_errorcode", 0)) & 0xFF


def is_damage(fault: BaseException | None) -> bool:
    """Tell whether the error means that the file is no whole database."""
    return code_of(fault) in _DAMAGED


def damage_in(connection: Connection) -> str:
    """Return what SQLite finds wrong with the file, empty for a whole one."""
    found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
    return "" if found == "ok" else str(found)


def has_fts5(connection: Connection) -> bool:
    """Tell whether this SQLite was built with full-text search."""
    query = "SELECT count(*) FROM pragma_module_list WHERE name = 'fts5'"
    return bool(connection.exec_driver_sql(query).scalar_one())


def index_is_current(connection: Connection) -> bool:
    """Tell whether full-text search can be used as it stands."""
    query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    return set(_TRIGGERS) <= set(connection.exec_driver_sql(query).scalars())


def make_index(connection: Connection) -> None:
    """Make or mend the full-text index; for a SQLite without it, take away what needs it.

    The triggers tell that the index is whole: a SQLite without full-text search could add no
    message while they exist, and what it adds afterwards is missing until the next rebuilding.
    """
    for name in _TRIGGERS:
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")
    if has_fts5(connection):
        connection.exec_driver_sql(_MAKE_INDEX)
        connection.exec_driver_sql(_REBUILD)
        for name, body in _TRIGGERS.items():
            connection.exec_driver_sql(f"CREATE TRIGGER {name} {body}")


def search(connection: Connection, terms: Sequence[Term], limit: int) -> list[int]:
    """Return the ids of the newest messages that hold all terms, newest first."""
    query = text(
        "SELECT rowid FROM message_search WHERE words MATCH :wanted "
        "ORDER BY rowid DESC LIMIT :limit"
    )
    wanted = " AND ".join(_phrase(term) for term in terms)
    return list(connection.execute(query, {"wanted": wanted, "limit": limit}).scalars())


def _phrase(term: Term) -> str:
    # Words hold letters, digits and symbols only, so that a quote can never end early.
    return f'"{line_of(term.words).strip()}"{"*" if term.goes_on else ""}'


def forget(engine: Engine) -> None:
    """Overwrite what was deleted: in the index, which keeps old words, and in the file."""
    with engine.connect().execution_options(**{_OPTION: ""}) as connection:  # VACUUM runs alone
        if index_is_current(connection):
            connection.exec_driver_sql(_REBUILD)
        connection.exec_driver_sql("VACUUM")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def copy_to(source: Path, target: Path) -> None:
    """Copy a database that others may be using."""
    with (
        closing(sqlite3.connect(source, timeout=BUSY_MILLISECONDS / 1000)) as old,
        closing(sqlite3.connect(target)) as new,
    ):
        old.backup(new)
