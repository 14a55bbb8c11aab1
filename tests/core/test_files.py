"""Writing files: the old state or the new one, whatever happens in between."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from chatseq.core.errors import BundleError
from chatseq.core.files import (
    REPLACED,
    checksum,
    is_running,
    place_beside,
    seal,
    swap_in,
    sweep,
    told_as,
    write_new,
    write_whole,
)


def folder_with(path: Path, text: str) -> Path:
    path.mkdir()
    (path / "a").write_text(text)
    return path


def dead_process() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def left_by(pid: int, target: Path, kind: str = "tmp", host: str | None = None) -> Path:
    return target.with_name(f".{kind}~{host or socket.gethostname()}~{pid}~{target.name}")


def test_a_written_file_is_private_whatever_the_umask(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        write_whole(tmp_path / "a", b"1")
        write_new(tmp_path / "b", b"2")
    finally:
        os.umask(old)
    assert [(tmp_path / n).stat().st_mode & 0o777 for n in "ab"] == [0o600, 0o600]


def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", b"1")
    write_whole(tmp_path / "a", b"22")
    assert (tmp_path / "a").read_bytes() == b"22"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_failed_write_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_whole(tmp_path / "a", b"1")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(tmp_path / "a", b"2")
    assert (tmp_path / "a").read_bytes() == b"1"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_new_file_never_follows_one_that_was_planted(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("kept")
    (tmp_path / "a").symlink_to(tmp_path / "secret")
    with pytest.raises(FileExistsError):
        write_new(tmp_path / "a", b"x")
    assert (tmp_path / "secret").read_text() == "kept"


def test_sealing_makes_everything_private(tmp_path: Path) -> None:
    inner = folder_with(tmp_path / "f", "x")
    (inner / "sub").mkdir(mode=0o755)
    (inner / "a").chmod(0o644)
    seal(inner)
    assert (inner / "a").stat().st_mode & 0o777 == 0o600
    assert (inner / "sub").stat().st_mode & 0o777 == 0o700


def test_swapping_in_replaces_a_folder(tmp_path: Path) -> None:
    folder_with(tmp_path / "bot", "old")
    swap_in(folder_with(tmp_path / "new", "new"), tmp_path / "bot")
    assert (tmp_path / "bot" / "a").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["bot"]


def test_a_swap_that_fails_puts_the_old_folder_back(tmp_path: Path) -> None:
    folder_with(tmp_path / "bot", "old")
    with pytest.raises(FileNotFoundError):
        swap_in(tmp_path / "absent", tmp_path / "bot")
    assert (tmp_path / "bot" / "a").read_text() == "old"


def test_what_a_dead_process_left_is_swept(tmp_path: Path) -> None:
    gone = folder_with(left_by(dead_process(), tmp_path / "bot"), "x")
    assert sweep(tmp_path) == [gone.name]
    assert list(tmp_path.iterdir()) == []


def test_what_a_living_process_or_another_machine_writes_is_kept(tmp_path: Path) -> None:
    mine = folder_with(place_beside(tmp_path / "bot"), "x")
    theirs = folder_with(left_by(dead_process(), tmp_path / "bot", host="elsewhere"), "x")
    assert sweep(tmp_path) == []
    assert mine.is_dir()
    assert theirs.is_dir()


def test_a_folder_moved_away_by_a_killed_process_comes_back(tmp_path: Path) -> None:
    folder_with(left_by(dead_process(), tmp_path / "bot", REPLACED), "old")
    sweep(tmp_path)
    assert (tmp_path / "bot" / "a").read_text() == "old"


def test_a_folder_whose_successor_arrived_is_swept(tmp_path: Path) -> None:
    folder_with(left_by(dead_process(), tmp_path / "bot", REPLACED), "old")
    folder_with(tmp_path / "bot", "new")
    sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["bot"]
    assert (tmp_path / "bot" / "a").read_text() == "new"


def test_running_processes_are_known() -> None:
    assert is_running(os.getpid())
    assert not is_running(dead_process())


def test_a_checksum_changes_with_one_bit(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\x00" * 100)
    before = checksum(tmp_path / "a")
    (tmp_path / "a").write_bytes(b"\x00" * 99 + b"\x01")
    assert checksum(tmp_path / "a") != before
    assert len(before) == 64


def test_a_fault_of_the_disk_is_told_with_path_and_space(tmp_path: Path) -> None:
    with (
        pytest.raises(BundleError, match=r"No space left on device \([\d,.]+ MB free there\)") as e,
        told_as(BundleError, tmp_path / "not" / "yet"),
    ):
        raise OSError(28, "No space left on device")
    assert str(tmp_path / "not" / "yet") in str(e.value)
    assert "CHATSEQ_HOME" in str(e.value)
