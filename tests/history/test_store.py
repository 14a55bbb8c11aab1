"""The file of the history: private, checked, moved aside when damaged, never downgraded."""

from __future__ import annotations

import os
import random
import sqlite3
import stat
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event

from chatseq.core.errors import HistoryError
from chatseq.core.exchange import Alternative, Reply, ReplySource
from chatseq.history import connect, files, migrate, records, sqlite
from chatseq.history.contracts import History, Verdict
from chatseq.history.memory import MemoryHistory
from chatseq.history.opening import open_history
from chatseq.history.store import HistoryStore
from chatseq.history.tables import Base

REVISIONS = Path(__file__).parent / "revisions"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


@pytest.fixture
def store(path: Path) -> Iterator[HistoryStore]:
    opened = HistoryStore(path)
    yield opened
    opened.close()


def ask(store: HistoryStore, text: str = "What?") -> str:
    asked = store.add_question(text, conversation=None, parent=None)
    reply = Reply(f"{text} That.", ReplySource.RETRIEVED, 0.5, (Alternative("This.", 0.25),))
    return store.add_reply(asked.id, reply).conversation


def filled(path: Path, count: int = 40) -> bytes:
    """Make a history with some conversations, and return the bytes of its file."""
    store = HistoryStore(path)
    for number in range(count):
        ask(store, f"question {number} 你好 " + "words " * 20)
    store.close()
    return path.read_bytes()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# Private from the first byte on


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
def test_only_the_owner_can_read_the_history(tmp_path: Path, umask: int) -> None:
    path = tmp_path / "home" / "history.db"
    if umask == 0o777:
        path.parent.mkdir(mode=0o700)
    before = os.umask(umask)
    try:
        store = HistoryStore(path)
        modes = []

        def look(*_: object) -> None:
            modes.extend(mode(file) for file in path.parent.iterdir())

        event.listen(store._engine, "commit", look)  # the journal exists until the commit
        ask(store)
        store.close()
    finally:
        os.umask(before)
    assert len(modes) >= 4
    assert set(modes) == {0o600}
    assert mode(path.parent) == 0o700


def test_a_history_that_others_can_read_is_taken_from_them(path: Path) -> None:
    HistoryStore(path).close()
    path.chmod(0o644)
    HistoryStore(path).close()
    assert mode(path) == 0o600


def test_copies_made_before_a_migration_are_private_too(path: Path) -> None:
    filled(path, 1)
    before = os.umask(0)
    try:
        migrate._back_up(path, "0001")
    finally:
        os.umask(before)
    copy = path.with_name("history.before-0001.db")
    assert mode(copy) == 0o600
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT count(*) FROM messages").fetchone() == (2,)


# Safe settings on every connection


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ((3, 40, 1), False), ((3, 44, 5), False), ((3, 44, 6), True), ((3, 44, 9), True),
        ((3, 45, 0), False), ((3, 50, 6), False), ((3, 50, 7), True), ((3, 51, 0), False),
        ((3, 51, 2), False), ((3, 51, 3), True), ((3, 53, 0), True), ((4, 0, 0), True),
    ],
)  # fmt: skip
def test_wal_is_used_only_where_its_fault_is_mended(
    version: tuple[int, int, int], safe: bool
) -> None:
    assert sqlite.wal_is_safe(version) is safe


@pytest.mark.parametrize(
    ("safe", "journal", "synchronous"), [(True, "wal", 2), (False, "delete", 3)]
)
def test_every_connection_waits_for_others_and_for_the_disk(
    path: Path, monkeypatch: pytest.MonkeyPatch, safe: bool, journal: str, synchronous: int
) -> None:
    monkeypatch.setattr(sqlite, "wal_is_safe", lambda _version: safe)
    store = HistoryStore(path)
    with store._engine.connect() as first, store._writer.connect() as second:
        for connection in (first, second):
            read = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
                for name in ("busy_timeout", "journal_mode", "synchronous", "foreign_keys")
            }
            assert read == {
                "busy_timeout": 30_000, "journal_mode": journal, "synchronous": synchronous,
                "foreign_keys": 1,
            }  # fmt: skip
    ask(store)
    store.close()


def test_a_journal_mode_that_others_hold_is_left_as_it_is(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "_SWITCH_MILLISECONDS", 1)
    monkeypatch.setattr(sqlite, "wal_is_safe", lambda _version: True)
    new = HistoryStore(path)
    ask(new, "by a newer SQLite")
    monkeypatch.setattr(sqlite, "wal_is_safe", lambda _version: False)
    old = HistoryStore(path)
    ask(old, "by an older SQLite")
    ask(new, "again")
    assert len(old.conversations()) == len(new.conversations()) == 3
    old.close()
    new.close()


def test_a_transaction_that_writes_takes_the_lock_at_once(store: HistoryStore) -> None:
    statements: list[str] = []
    event.listen(store._engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    ask(store)
    store.conversations()
    begun = [statement for statement in statements if statement.startswith("BEGIN")]
    assert begun == ["BEGIN IMMEDIATE", "BEGIN IMMEDIATE", "BEGIN"]


# Damage


@pytest.mark.parametrize(
    "content", [b"not a database", b"\x89PNG\r\n\x1a\n" * 1000, b"\x00" * 4096, b"S"]
)
def test_a_file_that_is_no_database_is_moved_aside(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    store = HistoryStore(path)
    (notice,) = store.notices
    (kept,) = path.parent.glob("history.corrupt-*.db")
    assert notice == (
        f"The history was damaged (it is not a database). It was kept as {kept}; a new one begins."
    )
    assert kept.read_bytes() == content
    ask(store)
    store.close()
    again = HistoryStore(path)
    assert (again.notices, len(again.conversations())) == ((), 1)
    again.close()


def test_an_empty_file_becomes_a_history(path: Path) -> None:
    path.touch()
    store = HistoryStore(path)
    assert store.notices == ()
    ask(store)
    store.close()


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_history_that_was_cut_is_moved_aside(path: Path, share: float) -> None:
    whole = filled(path)
    cut = whole[: int(len(whole) * share)]
    path.write_bytes(cut)
    store = HistoryStore(path)
    assert store.notices[0].startswith("The history was damaged (")
    assert [kept.read_bytes() for kept in path.parent.glob("history.corrupt-*.db")] == [cut]
    assert store.conversations() == ()
    store.close()


def test_a_damaged_file_is_never_written_over_another(path: Path) -> None:
    for number in range(3):
        path.write_bytes(b"broken %d" % number)
        HistoryStore(path).close()
    kept = sorted(file.read_bytes() for file in path.parent.glob("history.corrupt-*.db"))
    assert kept == [b"broken 0", b"broken 1", b"broken 2"]


def test_the_journal_of_a_damaged_file_goes_with_it(path: Path) -> None:
    path.write_bytes(b"broken")
    path.with_name("history.db-wal").write_bytes(b"its log")
    HistoryStore(path).close()
    (log,) = path.parent.glob("history.corrupt-*.db-wal")
    assert log.read_bytes() == b"its log"


def test_another_process_that_moved_the_file_aside_is_not_undone(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_bytes(b"broken")
    looks = files.looks_like_a_database

    def other_process_is_faster(file: Path) -> bool:
        monkeypatch.setattr(files, "looks_like_a_database", looks)
        files.set_aside(file)
        with closing(HistoryStore(file)) as other:
            ask(other, "by the other")
        return False

    monkeypatch.setattr(files, "looks_like_a_database", other_process_is_faster)
    store = HistoryStore(path)
    assert store.notices == ("The history was damaged and has been moved aside; a new one begins.",)
    assert [c.title for c in store.conversations()] == ["by the other"]
    store.close()


@pytest.mark.slow("damages a database in many places")
def test_any_damage_is_told_and_the_original_is_kept(path: Path) -> None:
    whole = filled(path)
    chance = random.Random(5)  # noqa: S311
    for _ in range(40):
        damaged = bytearray(whole)
        for _ in range(chance.choice([1, 10, 100])):
            start = chance.randrange(len(whole))
            size = chance.choice([1, 1, 1, 100, 4096])
            damaged[start : start + size] = chance.randbytes(len(damaged[start : start + size]))
        path.write_bytes(damaged)
        _use(path)
        aside = list(path.parent.glob("history.corrupt-*"))
        assert all(file.read_bytes() == damaged for file in aside)
        for file in (*aside, path):
            file.unlink()


def _use(path: Path) -> None:
    try:
        store = HistoryStore(path)
    except HistoryError:
        return
    for act in (
        store.conversations,
        store.faults,
        lambda: [store.messages(c.id) for c in store.conversations()],
        lambda: store.search("question"),
        lambda: ask(store),
    ):
        with suppress(HistoryError):
            act()
    store.close()


def test_a_text_that_changed_on_the_disk_is_found_by_its_checksum(path: Path) -> None:
    filled(path, 2)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE messages SET text = 'forged' WHERE id = 3")
        connection.commit()
    store = HistoryStore(path)
    assert store.faults() == ("The text of message 3 has changed on the disk.",)
    store.close()


@pytest.mark.parametrize(
    ("column", "value"),
    [("role", "quession"), ("status", "?"), ("created", "yesterday"), ("alternatives", "{"),
     ("alternatives", "[1]"), ("alternatives", "[{}]"), ("seed", "x"), ("text", b"\xff\xfe")],
)  # fmt: skip
def test_a_record_that_makes_no_sense_is_told_in_one_line(
    path: Path, column: str, value: str | bytes
) -> None:
    filled(path, 1)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"UPDATE messages SET {column} = CAST(? AS TEXT)", (value,))  # noqa: S608
        connection.commit()
    store = HistoryStore(path)
    name = store.conversations()[0].id
    with pytest.raises(HistoryError, match="The history cannot be read: ") as caught:
        store.messages(name)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    store.close()


# Places that cannot be used


def test_a_folder_is_no_history(path: Path) -> None:
    path.mkdir()
    with pytest.raises(HistoryError, match="The history cannot be opened: unable to open") as told:
        HistoryStore(path)
    assert str(told.value).endswith("Check that it is a file in a folder that you can write to.")


def test_a_home_within_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HistoryError, match="The history cannot be opened: Cannot make the folder"):
        HistoryStore(tmp_path / "file" / "history.db")


def test_a_history_that_cannot_be_opened_becomes_one_in_memory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    history = open_history(tmp_path / "file" / "history.db")
    assert isinstance(history, MemoryHistory)
    assert history.notices[0].startswith("The history cannot be opened: ")
    assert history.notices[0].endswith(" This chat is not saved.")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nonsense://x", "cannot be opened: .*nonsense.* Install the driver"),
        ("postgresql://me:secret@host/db", "cannot be opened: .*psycopg.* Install the driver"),
        ("://", "is no database URL. Write it as dialect://user:password@host/name"),
    ],
)
def test_an_address_that_cannot_be_used_is_told_without_its_password(
    url: str, message: str
) -> None:
    with pytest.raises(HistoryError, match=message) as caught:
        HistoryStore(url)
    assert "secret" not in str(caught.value)


def test_a_sqlite_address_is_as_good_as_a_file(path: Path) -> None:
    store = HistoryStore(f"sqlite:///{path}")
    ask(store)
    with pytest.raises(HistoryError, match="No message 99"):
        store.mark_failed(99)
    store.close()
    with closing(HistoryStore(path)) as again:
        assert len(again.conversations()) == 1


def test_a_password_is_in_no_message_of_an_open_history(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = connect.create_engine(f"sqlite:///{path}")
    sqlite.configure(engine)
    monkeypatch.setattr(connect, "create_engine", lambda _url: engine)
    store = HistoryStore("postgresql://me:secret@host/db")
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE messages")
    with pytest.raises(HistoryError, match=r"no such table: messages. postgresql://me:\*\*\*@host"):
        ask(store)
    store.close()


def test_another_program_that_holds_the_database_is_named_as_the_reason(
    store: HistoryStore, path: Path
) -> None:
    with store._engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 1")
        connection.commit()
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(HistoryError, match="database is locked.*Another program holds it"):
            ask(store)


def test_the_users_own_history_is_opened_in_any_thread(home: Path) -> None:
    opened: list[History] = []
    thread = threading.Thread(target=lambda: opened.append(open_history()))
    thread.start()
    thread.join()
    opened[0].add_question("What?", conversation=None, parent=None)
    opened[0].close()
    assert (home / "history.db").exists()
    assert opened[0].notices == ()


# Migrations


def test_the_list_of_revisions_is_that_of_the_files() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrate.FOLDER))
    script = ScriptDirectory.from_config(config)
    walked = [step.revision for step in script.walk_revisions()]
    assert tuple(reversed(walked)) == migrate.REVISIONS


def test_the_migrations_make_the_tables_of_the_code(store: HistoryStore) -> None:
    with store._engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": _is_own})
        assert compare_metadata(context, Base.metadata) == []


def _is_own(name: str | None, kind: str, _parents: object) -> bool:
    return kind != "table" or not str(name).startswith("message_search")


@pytest.mark.parametrize("dump", sorted(REVISIONS.glob("*.sql")), ids=lambda dump: dump.stem)
def test_a_history_of_every_release_opens_with_all_it_held(path: Path, dump: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(dump.read_text(encoding="utf-8"))
    store = HistoryStore(path)
    assert [(c.title, c.messages) for c in store.conversations()] == [
        ("怎样训练模型？", 3), ("What is chatseq?", 2),
    ]  # fmt: skip
    assert [m.status.value for m in store.messages(store.find("last").id)] == [
        "complete", "interrupted", "complete",
    ]  # fmt: skip
    assert [f.message.text for f in store.search("训练")] == ["怎样训练模型？"]
    assert store.faults() == ()
    held = [("bad", "new"), ("correct", "accepted"), ("good", "new")]
    said = [(said.verdict.value, said.status.value) for said in store.feedback()]
    assert said == ([] if dump.stem == "0001" else held)
    ask(store)
    store.add_feedback(store.find("last").head or 0, Verdict.GOOD)
    store.close()
    copies = [copy.name for copy in path.parent.glob("history.before-*.db")]
    older = dump.stem != migrate.REVISIONS[-1]
    assert copies == ([f"history.before-{dump.stem}.db"] if older else [])


def test_every_revision_has_a_history_that_was_kept() -> None:
    assert {dump.stem for dump in REVISIONS.glob("*.sql")} == set(migrate.REVISIONS)


def test_a_newer_history_is_refused_and_not_touched(path: Path) -> None:
    filled(path, 1)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    before = path.read_bytes()
    with pytest.raises(HistoryError) as caught:
        HistoryStore(path)
    assert str(caught.value) == (
        "The history was written by a newer chatseq (its form is '9999', this chatseq knows up to "
        f"'{migrate.REVISIONS[-1]}'). {path}. Update chatseq; the file was not touched."
    )
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["history.db"]


def test_a_database_of_another_program_is_refused(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE messages (x)")
    before = path.read_bytes()
    with pytest.raises(HistoryError, match="holds a table 'messages' of another program"):
        HistoryStore(path)
    assert path.read_bytes() == before


def test_an_up_to_date_history_opens_without_alembic(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(path, 1)
    monkeypatch.setitem(sys.modules, "alembic", None)  # importing it fails
    HistoryStore(path).close()
    path.unlink()
    with pytest.raises(ImportError):
        HistoryStore(path)


# The full-text index


def test_the_index_is_made_where_it_was_missing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as without:
        without.setattr(sqlite, "has_fts5", lambda _connection: False)
        with closing(HistoryStore(path)) as store:
            ask(store, "written without an index")
    with closing(HistoryStore(path)) as store:
        assert store._indexed
        assert len(store.search("index")) == 2


def test_a_program_without_full_text_search_can_go_on_with_an_indexed_history(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(HistoryStore(path)) as store:
        ask(store, "with index")
    with monkeypatch.context() as without:
        without.setattr(sqlite, "has_fts5", lambda _connection: False)
        with closing(HistoryStore(path)) as store:
            ask(store, "without index")
            assert len(store.search("index")) == 4
    with closing(HistoryStore(path)) as store:
        assert len(store.search("index")) == 4


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_what_was_deleted_can_be_found_in_no_file(
    path: Path, monkeypatch: pytest.MonkeyPatch, journal: str
) -> None:
    monkeypatch.setattr(sqlite, "wal_is_safe", lambda _version: journal == "wal")
    store = HistoryStore(path)
    ask(store, "keep this")
    name = ask(store, "xyzzysecret")
    assert b"xyzzysecret" in b"".join(file.read_bytes() for file in path.parent.iterdir())
    store.delete(name)
    assert b"xyzzysecret" not in b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert len(store.search("keep")) == 2
    store.close()


def test_ids_are_short_sortable_and_made_of_digits_that_nobody_mistakes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = []
    for day in range(200):
        monkeypatch.setattr(records.time, "time_ns", lambda day=day: day * 86_400 * 10**12)
        names.append(records.new_id())
    assert names == sorted(names)
    assert all(len(name) == 13 and not set(name) & set("ilou") for name in names)
