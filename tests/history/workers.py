"""Run by tests as a program of its own: crowds of processes, kills, full and read-only disks.

    python workers.py TASK FOLDER

Each task imports once, forks what it needs, and prints one JSON report. It is no test itself.
"""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import alembic.command
import platformdirs  # noqa: F401  (a process that gave up its rights cannot import any more)
from sqlalchemy import event

from chatseq.chat.chat import Chat
from chatseq.core.exchange import Reply
from chatseq.history import migrate
from chatseq.history.opening import open_history
from chatseq.history.store import HistoryStore
from chatseq.testing import ScriptedResponder

assert alembic.command  # imported before the processes fork
NOBODY = 65534
LATER = (*migrate.REVISIONS, "9001", "9002")  # two are made up


def fork(work: Callable[[], object]) -> int:
    """Run the work in a process of its own, and return its number; a fault ends it with 1."""
    number = os.fork()
    if number:
        return number
    try:
        work()
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def crowd(folder: Path, processes: int = 8, writes: int = 50) -> dict[str, Any]:
    """Let many processes make, migrate and write one history at once."""
    path = folder / "history.db"

    def work(name: int) -> None:
        store = HistoryStore(path)
        shared = store.add_question("own", conversation=None, parent=None).conversation
        for number in range(writes - 1):
            store.add_question(f"write {name} {number}", conversation=shared, parent=None)
            if number % 10 == 0:
                store.search(f"write {name}")

    children = [fork(lambda name=name: work(name)) for name in range(processes)]  # type: ignore[misc]
    codes = [os.waitpid(child, 0)[1] for child in children]
    store = HistoryStore(path)
    names = [c.id for c in store.conversations()]
    kept = [m.text for name in names for m in store.messages(name)]
    found = len(store.search("write", 10_000))
    return {
        "codes": codes, "kept": len(kept), "distinct": len(set(kept)), "found": found,
        "conversations": len(names), "faults": store.faults(), "notices": store.notices,
        "files": sorted(p.name for p in folder.iterdir()),
    }  # fmt: skip


def kills(folder: Path, count: int = 20) -> dict[str, Any]:
    """Kill a chatting process at random times, and look for what it said was stored."""
    path = folder / "history.db"
    HistoryStore(path).close()
    chance = random.Random(13)  # noqa: S311
    acknowledged: list[str] = []
    for run in range(count):
        reading, writing = os.pipe()
        child = fork(lambda: _chatter(path, run, writing))  # noqa: B023  (runs at once)
        os.close(writing)
        begun = b""
        while run % 4 and not begun.endswith(b"\n"):  # every fourth may die while it opens
            begun += os.read(reading, 1)
        time.sleep(chance.uniform(0.0, 0.1))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        with os.fdopen(reading) as stream:
            acknowledged += (begun.decode() + stream.read()).split("\n")[:-1]
    store = HistoryStore(path)
    kept = {
        f"{message.role.value} {message.text}"
        for conversation in store.conversations()
        for message in store.messages(conversation.id)
    }
    return {
        "lost": sorted(set(acknowledged) - kept),
        "runs": len({line.split()[1] for line in acknowledged}),
        "faults": store.faults(),
        "notices": store.notices,
    }


def _chatter(path: Path, run: int, told: int) -> None:
    store = HistoryStore(path)
    chat = Chat(ScriptedResponder(), lambda: store)
    for number in range(10_000):
        said = f"{run} {number} hello"
        for place, part in enumerate(chat.stream(said)):
            if isinstance(part, Reply):
                os.write(told, f"reply {part.text}\n".encode())
            elif place == 0:
                os.write(told, f"question {said}\n".encode())


def full(folder: Path) -> dict[str, Any]:
    """Chat while files may not grow any more, as on a full disk."""
    path = folder / "history.db"
    chat = Chat(ScriptedResponder(), lambda: open_history(path))
    list(chat.stream("before"))
    size = path.stat().st_size + 20_000
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    asked = 1
    while not (notices := chat.take_notices()):
        list(chat.stream("long " * 200 + str(asked)))
        asked += 1
    list(chat.stream("after"))
    chat.new()
    list(chat.stream("still full " + "long " * 4000))
    again = chat.take_notices()
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    chat.new()
    list(chat.stream("room again"))
    kept = HistoryStore(path)
    return {
        "asked": asked,
        "turns": len(chat.turns),
        "notices": notices,
        "again": again,
        "kept": [len(kept.messages(c.id)) for c in kept.conversations()],
        "faults": kept.faults(),
    }


def read_only(folder: Path) -> dict[str, Any]:
    """Use a history and a home that cannot be written."""
    path = folder / "history.db"
    store = HistoryStore(path)
    store.add_question("before", conversation=None, parent=None)
    store.close()
    path.chmod(0o444)
    folder.chmod(0o555)
    if os.geteuid() == 0:
        os.setuid(NOBODY)
    chat = Chat(ScriptedResponder(), lambda: open_history(path))
    found = [c.title for c in chat.history.conversations()]
    list(chat.stream("after"))
    fresh = Chat(ScriptedResponder(), lambda: open_history(folder / "deeper" / "history.db"))
    list(fresh.stream("anything"))
    return {"found": found, "notices": chat.take_notices(), "fresh": fresh.take_notices()}


def migrations(folder: Path) -> dict[str, Any]:
    """Kill a migration at every one of its statements."""
    scripts = folder / "migrations"
    outcomes = []
    for stop in range(1, 100):
        path = folder / f"history{stop}.db"
        store = HistoryStore(path)
        store.add_question("kept", conversation=None, parent=None)
        store.close()
        child = fork(lambda: _migrate_until(path, scripts, stop))  # noqa: B023
        killed = os.waitpid(child, 0)[1] == signal.SIGKILL
        outcomes.append(_state(path))
        _migrate_until(path, scripts, 0)
        if _state(path) != [LATER[-1], ["first", "second"], 1]:
            return {"broken": _state(path), "at": stop}
        if not killed:
            break
    backups = sorted(p.name for p in folder.glob("history1.before-*"))
    return {"outcomes": outcomes, "backups": backups}


def _migrate_until(path: Path, scripts: Path, stop: int) -> None:
    from sqlalchemy import create_engine

    from chatseq.history import sqlite

    engine = create_engine(f"sqlite:///{path}")
    sqlite.configure(engine)
    seen = 0

    def count(*_: object) -> None:
        nonlocal seen
        seen += 1
        if seen == stop:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(engine, "after_cursor_execute", count)
    migrate.bring_up_to_date(engine, path, revisions=LATER, folder=scripts)
    engine.dispose()


def _state(path: Path) -> list[Any]:
    import sqlite3

    connection = sqlite3.connect(path)
    (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    columns = [row[1] for row in connection.execute("PRAGMA table_info(messages)")]
    (count,) = connection.execute("SELECT count(*) FROM messages").fetchone()
    connection.close()
    return [revision, [c for c in columns if c in ("first", "second")], count]


def migration_race(folder: Path) -> dict[str, Any]:
    """Let several processes migrate one history at once, again and again."""
    scripts = folder / "migrations"
    codes, states = [], []
    for race in range(5):
        path = folder / f"race{race}.db"
        HistoryStore(path).close()
        children = [
            fork(lambda: _migrate_until(path, scripts, 0))  # noqa: B023
            for _ in range(4)
        ]
        codes += [os.waitpid(child, 0)[1] for child in children]
        states.append(_state(path))
    return {"codes": codes, "states": states}


TASKS: dict[str, Callable[[Path], dict[str, Any]]] = {
    task.__name__: task for task in (crowd, kills, full, read_only, migrations, migration_race)
}

if __name__ == "__main__":
    json.dump(TASKS[sys.argv[1]](Path(sys.argv[2])), sys.stdout, default=str)
