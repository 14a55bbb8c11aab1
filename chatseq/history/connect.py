"""From a file or a URL to a database that is whole, private and up to date."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import URL, Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from chatseq.core.errors import HistoryError
from chatseq.history import files, migrate, sqlite
from chatseq.history.faults import cannot

_CHECKED_BYTES = 64_000_000  # above, checking the whole file would delay the first question


class Connected(NamedTuple):
    """An open database."""

    engine: Engine
    place: Path | str  # for messages: the file, or the URL without its password
    notices: tuple[str, ...] = ()


def connect(where: Path | str) -> Connected:
    """Open the database and bring its tables up to date.

    A file that is damaged or no database is moved aside and a new one started; a notice says so.

    Args:
        where: a SQLite file, or a SQLAlchemy URL

    Raises:
        HistoryError: it cannot be opened, or was written by a newer chatseq.
    """
    if isinstance(where, str) and "://" in where:
        url = _checked_url(where)
        return Connected(_opened(url, None), str(url))
    path = Path(where).absolute()
    before = files.identity(path)
    try:
        return Connected(_opened_file(path), path)
    except _Damaged as fault:
        if before == files.identity(path):  # else another process has just moved it aside
            kept = files.set_aside(path)
            notice = f"The history was damaged ({fault}). It was kept as {kept}; a new one begins."
        else:
            notice = "The history was damaged and has been moved aside; a new one begins."
    try:
        return Connected(_opened_file(path), path, (notice,))
    except _Damaged as fault:
        raise cannot("read", str(fault), path, "Move it away to start a new one.") from fault


class _Damaged(Exception):  # noqa: N818  (never leaves this module)
    """The file is no whole database."""


def _opened_file(path: Path) -> Engine:
    files.prepare(path)
    if not files.looks_like_a_database(path):
        raise _Damaged("it is not a database")
    try:
        return _opened(URL.create("sqlite", database=str(path)), path)
    except HistoryError as fault:
        if isinstance(fault.__cause__, DBAPIError) and sqlite.is_damage(fault.__cause__.orig):
            raise _Damaged(str(fault.__cause__.orig)) from fault
        raise


def _opened(url: URL, path: Path | None) -> Engine:
    place = path or str(url)
    try:
        engine = create_engine(url)
    except (SQLAlchemyError, ImportError) as fault:
        raise cannot("opened", str(fault), place, "Install the driver of that database.") from fault
    if sqlite.is_sqlite(engine):
        sqlite.configure(engine)
    try:
        with readable_faults("opened", place):
            migrate.bring_up_to_date(engine, path)
            _check(engine, path)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _check(engine: Engine, path: Path | None) -> None:
    if path is None or path.stat().st_size > _CHECKED_BYTES:
        return
    with engine.connect() as connection:
        wrong = sqlite.damage_in(connection)
    if wrong:
        raise _Damaged(" ".join(wrong.split()))


def _checked_url(where: str) -> URL:
    try:
        return make_url(where)
    except ArgumentError as fault:
        raise HistoryError(
            "The address of the history is no database URL. Write it as "
            "dialect://user:password@host/name, or give a file."
        ) from fault


@contextmanager
def readable_faults(what: str, where: Path | str) -> Iterator[None]:
    """Turn every fault of the database into a HistoryError of one line.

    A flipped bit can also show as a value that makes no sense, so those count as well.
    """
    try:
        yield
    except DBAPIError as fault:
        raise _told(what, where, fault) from fault
    except SQLAlchemyError as fault:
        raise cannot(what, _one_line(fault), where, "Try again, or report this.") from fault
    except (ValueError, TypeError, LookupError, ArithmeticError) as fault:
        advice = "The record is damaged. See: chatseq doctor"
        raise cannot(what, _one_line(fault), where, advice) from fault


_ADVICE = {
    "SQLITE_FULL": "Make room on that disk.",
    "SQLITE_READONLY": "Make it writable, or set CHATSEQ_HOME to a folder that you can write to.",
    "SQLITE_CANTOPEN": "Check that it is a file in a folder that you can write to.",
    "SQLITE_BUSY": "Another program holds it; try again when that has ended.",
    "SQLITE_IOERR": "Check that disk and the room on it.",
    "SQLITE_CORRUPT": "It is damaged: start chatseq again, which keeps it aside.",
    "SQLITE_NOTADB": "It is damaged: start chatseq again, which keeps it aside.",
    "SQLITE_CONSTRAINT": "Its conversation was deleted meanwhile; begin a new one.",
}


def _told(what: str, where: Path | str, fault: DBAPIError) -> HistoryError:
    name = str(getattr(fault.orig, "sqlite_errorname", ""))
    advice = next(
        (words for start, words in _ADVICE.items() if name.startswith(start)),
        "Check that the database can be reached.",
    )
    return cannot(what, _one_line(fault.orig or fault), where, advice)


def _one_line(fault: BaseException) -> str:
    return " ".join(str(fault).split()).rstrip(".") or type(fault).__name__
