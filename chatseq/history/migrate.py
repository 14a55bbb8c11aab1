"""Bring the tables to the present form: wholly or not at all, with a copy of the old file first.

Alembic is loaded only when there is something to do; that saves a quarter of a second at most
starts.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from chatseq.core.errors import HistoryError
from chatseq.history import files, sqlite
from chatseq.history.tables import Base

REVISIONS = (
    "0001",
    "0002",
)  # oldest first; a test holds them equal to the files in migrations/versions
FOLDER = Path(__file__).parent / "migrations"


def bring_up_to_date(
    engine: Engine,
    path: Path | None,
    *,
    revisions: tuple[str, ...] = REVISIONS,
    folder: Path = FOLDER,
) -> None:
    """Run the migrations that are missing, all in one transaction.

    Several processes may do this at once: the first migrates, the others wait and find it done.

    Args:
        path: the database file, of which a copy is kept; None for a database server

    Raises:
        HistoryError: the tables belong to a newer chatseq or to another program.
    """
    with engine.connect() as connection:
        if _nothing_to_do(connection, revisions):
            return
    with sqlite.writer_of(engine).begin() as connection:
        if _nothing_to_do(connection, revisions):
            return
        found = stored_revision(connection)
        if found != revisions[-1]:
            if found and path:
                _back_up(path, found)
            _upgrade(connection, folder)
        if sqlite.is_sqlite(engine):
            sqlite.make_index(connection)


def stored_revision(connection: Connection) -> str | None:
    """Return the revision of the tables, None before the first migration."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def _nothing_to_do(connection: Connection, revisions: tuple[str, ...]) -> bool:
    found = stored_revision(connection)
    if found is None:
        _refuse_foreign_tables(connection)
    elif found not in revisions:
        raise HistoryError(
            f"The history was written by a newer chatseq (its form is '{found}', this chatseq "
            f"knows up to '{revisions[-1]}'). {connection.engine.url.database}. "
            "Update chatseq; the file was not touched."
        )
    if found != revisions[-1]:
        return False
    if connection.dialect.name != "sqlite":
        return True
    return sqlite.index_is_current(connection) == sqlite.has_fts5(connection)


def _refuse_foreign_tables(connection: Connection) -> None:
    taken = sorted(set(inspect(connection).get_table_names()) & set(Base.metadata.tables))
    if taken:
        raise HistoryError(
            f"The database holds a table '{taken[0]}' of another program. "
            f"{connection.engine.url.database}. Move it away, or name another database."
        )


def _back_up(path: Path, revision: str) -> None:
    target = files.free_name(path, f"before-{revision}")
    try:
        files.create_private(target)
        sqlite.copy_to(path, target)
    except OSError as fault:
        raise HistoryError(
            f"The history cannot be copied before it is migrated: {fault.strerror}. {target}. "
            "Make room there; nothing was changed."
        ) from fault


def _upgrade(connection: Connection, folder: Path) -> None:
    from alembic import command  # only when there is something to migrate
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
