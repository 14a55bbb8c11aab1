"""One trainer at a time; a dead one holds nothing."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest

from chatseq.core.errors import TrainingError
from chatseq.training.lock import LOCK, locked

FORK = multiprocessing.get_context("fork")


def hold(folder: Path, seconds: float) -> None:
    with locked(folder):
        (folder / "held").touch()
        time.sleep(seconds)


def held_by_a_child(folder: Path) -> multiprocessing.process.BaseProcess:
    child = FORK.Process(target=hold, args=(folder, 60))
    child.start()
    while not (folder / "held").exists():
        time.sleep(0.01)
    return child


def test_a_second_trainer_is_refused_with_the_pid_of_the_first(tmp_path: Path) -> None:
    child = held_by_a_child(tmp_path)
    try:
        with (
            pytest.raises(TrainingError, match=rf"process {child.pid} on .* since 20\d\d-.*--bot"),
            locked(tmp_path),
        ):
            pass
    finally:
        child.kill()
        child.join()


def test_a_lock_of_a_killed_trainer_is_taken_over(tmp_path: Path) -> None:
    child = held_by_a_child(tmp_path)
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    with locked(tmp_path):
        assert str(os.getpid()) in (tmp_path / LOCK).read_text()


def test_a_lock_is_free_afterwards(tmp_path: Path) -> None:
    for _ in range(2):
        with locked(tmp_path):
            pass


def test_a_lock_is_free_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), locked(tmp_path):
        _ = 1 // 0
    with locked(tmp_path):
        pass


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff" * 5000])
def test_a_useless_lock_file_does_not_matter(tmp_path: Path, content: bytes) -> None:
    (tmp_path / LOCK).write_bytes(content)
    with locked(tmp_path), pytest.raises(TrainingError, match="trained already"), locked(tmp_path):
        pass


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="Cannot write .*absent"), locked(tmp_path / "absent"):
        pass
