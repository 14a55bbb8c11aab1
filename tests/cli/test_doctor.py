"""`chatseq doctor`: everything is looked at, and one problem does not hide another."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from chatseq.cli.main import run
from chatseq.history.store import HistoryStore

Capture = pytest.CaptureFixture[str]


def examined(capsys: Capture) -> tuple[int, dict[str, Any]]:
    code = run(["doctor", "--json"])
    out, err = capsys.readouterr()
    assert err == ""
    told: dict[str, Any] = json.loads(out)
    assert told["problems"] == sum(not check["good"] for check in told["checks"])
    assert code == (1 if told["problems"] else 0)
    return code, told


def about(told: dict[str, Any], what: str) -> list[tuple[bool, str]]:
    return [(check["good"], check["told"]) for check in told["checks"] if check["what"] == what]


def test_a_fresh_installation_is_well(capsys: Capture) -> None:
    assert run(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "All is well."
    assert all(line.startswith("ok ") for line in lines[:-1])
    assert any(line.startswith("ok       torch: ") for line in lines)


def test_the_default_bot_answers(capsys: Capture, tiny_bot: Path) -> None:
    code, told = examined(capsys)
    assert code == 0
    ((good, text),) = about(told, "default bot")
    assert good
    assert text.startswith("'tiny' answered in ")
    files = sum(file.is_file() for file in tiny_bot.rglob("*")) - 1  # all but the manifest
    assert about(told, "bot tiny") == [(True, f"{files} files are whole")]


def test_a_flipped_byte_in_a_bot_is_found(capsys: Capture, tiny_bot: Path) -> None:
    file = tiny_bot / "weights.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    code, told = examined(capsys)
    assert code == 1
    ((good, text),) = about(told, "bot tiny")
    assert not good
    assert "weights.safetensors" in text


def test_a_broken_plugin_is_found(capsys: Capture, home: Path) -> None:
    (home / "plugins").mkdir()
    (home / "plugins" / "bad.py").write_text("import no_such_module\n", encoding="utf-8")
    code, told = examined(capsys)
    assert code == 1
    assert any(not good and "Plugin bad" in text for good, text in about(told, "plugins"))


def test_a_history_that_is_no_database_is_found(capsys: Capture, home: Path) -> None:
    (home / "history.db").write_bytes(b"not a database at all " * 100)
    code, told = examined(capsys)
    assert code == 1
    ((good, text),) = about(told, "history")
    assert not good
    assert "it is not a database" in text
    assert "history.corrupt-" in text  # where it was kept


def test_a_text_changed_on_the_disk_is_found(capsys: Capture, home: Path) -> None:
    store = HistoryStore(home / "history.db")
    store.add_question("true", conversation=None, parent=None)
    store.close()
    with sqlite3.connect(home / "history.db") as database:
        database.execute("PRAGMA ignore_check_constraints = 1")
        changed = database.execute(
            "UPDATE messages SET text = 'false' WHERE text = 'true'"
        ).rowcount
    database.close()
    assert changed == 1
    code, told = examined(capsys)
    assert code == 1
    assert any("has changed on the disk" in text for _, text in about(told, "history"))


def test_a_whole_history_is_counted(capsys: Capture, home: Path) -> None:
    store = HistoryStore(home / "history.db")
    store.add_question("hello", conversation=None, parent=None)
    store.close()
    assert about(examined(capsys)[1], "history") == [(True, "1 conversation(s) are whole")]


@pytest.mark.skipif(os.name != "posix", reason="modes are of POSIX systems")
def test_a_history_that_others_can_read_is_found(capsys: Capture, home: Path) -> None:
    HistoryStore(home / "history.db").close()
    (home / "history.db").chmod(0o644)
    home.chmod(0o755)
    ((good, text),) = about(examined(capsys)[1], "modes")
    assert not good
    assert "history.db can be read by others. Mend it: chmod go=" in text
    home.chmod(0o700)
    assert about(examined(capsys)[1], "modes") == []


def test_a_home_that_is_no_folder_is_found(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.write_text("", encoding="utf-8")
    monkeypatch.setenv("CHATSEQ_HOME", str(file))
    code, told = examined(capsys)
    assert code == 1
    ((good, text),) = about(told, "home")
    assert not good
    assert "cannot be written" in text
    assert "Set CHATSEQ_HOME to another folder" in text
