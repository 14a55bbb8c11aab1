"""Other processes, kills, full and read-only disks: nothing is lost, nothing is half done."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chatseq.history.migrate import FOLDER, REVISIONS

WORKERS = Path(__file__).with_name("workers.py")
MIGRATION = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "{number}", "{before}"


def upgrade():
    op.add_column("messages", sa.Column("{column}", sa.Text))
    op.execute("UPDATE messages SET {column} = text")
"""

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def report(task: str, folder: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, str(WORKERS), task, str(folder)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    told = json.loads(done.stdout)
    assert isinstance(told, dict)
    return told


@pytest.fixture
def later_migrations(tmp_path: Path) -> Path:
    """The migrations of today, and two made up ones after them."""
    shutil.copytree(FOLDER, tmp_path / "migrations", ignore=shutil.ignore_patterns("__pycache__"))
    present = REVISIONS[-1]
    for number, before, column in (("9001", present, "first"), ("9002", "9001", "second")):
        text = MIGRATION.format(number=number, before=before, column=column)
        (tmp_path / "migrations" / "versions" / f"r{number}.py").write_text(text)
    return tmp_path


@pytest.mark.slow("eight processes write 50 times each")
def test_eight_processes_lose_no_write(tmp_path: Path) -> None:
    told = report("crowd", tmp_path)
    assert told["codes"] == [0] * 8
    assert told["conversations"] == 8
    assert told["kept"] == 8 * 50
    assert told["distinct"] == 8 * 49 + 1
    assert told["found"] == 8 * 49
    assert (told["faults"], told["notices"], told["files"]) == ([], [], ["history.db"])


@pytest.mark.slow("processes that write, are killed or are refused")
def test_a_killed_chat_loses_nothing_that_it_had_stored(tmp_path: Path) -> None:
    told = report("kills", tmp_path)
    assert told["lost"] == []
    assert told["runs"] >= 15  # the others may have been killed before their first question
    assert (told["faults"], told["notices"]) == ([], [])


@pytest.mark.slow("processes that write, are killed or are refused")
def test_a_full_disk_is_told_and_the_chat_goes_on(tmp_path: Path) -> None:
    told = report("full", tmp_path)
    (notice,) = told["notices"]
    assert notice.startswith("The history cannot be written: ")
    assert f"{tmp_path / 'history.db'} (" in notice
    assert " MB free). " in notice
    assert notice.endswith(" This chat goes on unsaved.")
    assert len(told["again"]) == 1
    assert told["turns"] == 2
    assert told["kept"][0] == 2  # saved again when there was room
    assert 2 <= told["kept"][1] < 2 * told["asked"]
    assert told["faults"] == []


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that other users can reach; root has to become one of them to be refused."""
    folder = Path(tempfile.mkdtemp())
    yield folder
    folder.chmod(0o700)
    shutil.rmtree(folder)


@pytest.mark.slow("processes that write, are killed or are refused")
def test_a_read_only_history_can_be_read_and_the_chat_goes_on(public_folder: Path) -> None:
    told = report("read_only", public_folder)
    assert told["found"] == ["before"]
    (notice,) = told["notices"]
    assert notice.startswith("The history cannot be written: attempt to write a readonly database.")
    assert "set CHATSEQ_HOME to a folder that you can write to. This chat goes on" in notice
    (fresh,) = told["fresh"]
    assert fresh.startswith("The history cannot be opened: Cannot make the folder")
    assert fresh.endswith(
        "Set CHATSEQ_HOME to a folder that you can write to. This chat is not saved."
    )


@pytest.mark.slow("a process for every statement of two migrations")
def test_a_migration_killed_at_any_statement_leaves_the_old_form_or_the_new(
    later_migrations: Path,
) -> None:
    told = report("migrations", later_migrations)
    old, new = [REVISIONS[-1], [], 1], ["9002", ["first", "second"], 1]
    assert told["outcomes"][0] == old
    assert told["outcomes"][-1] == new
    assert len(told["outcomes"]) > 10
    assert all(outcome in (old, new) for outcome in told["outcomes"])
    assert told["backups"] == [f"history1.before-{REVISIONS[-1]}.db"]


@pytest.mark.slow("processes that write, are killed or are refused")
def test_processes_that_migrate_at_once_all_succeed(later_migrations: Path) -> None:
    told = report("migration_race", later_migrations)
    assert told["codes"] == [0] * 20
    assert told["states"] == [["9002", ["first", "second"], 0]] * 5
