"""Checkpoints: whole or absent, the newest whole one is taken, every damage is found."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import pytest
import torch
from torch import Tensor

from chatseq.core.errors import TrainingError
from chatseq.training.checkpoint import Checkpoint, RunProgress, load_checkpoint, save_checkpoint

RUN = {"corpus": "c", "recipe": "r"}


def tensors(value: float) -> dict[str, Tensor]:
    return {"model/a": torch.full((3, 2), value), "optimiser/0/step": torch.tensor(value)}


def save(folder: Path, step: int) -> None:
    save_checkpoint(folder, RunProgress(step=step), tensors(step), run=RUN)


def load(folder: Path) -> Checkpoint:
    found = load_checkpoint(folder, run=RUN)
    assert found is not None
    return found


def test_what_was_saved_comes_back(tmp_path: Path) -> None:
    counters = RunProgress(2, 3, 50, 12.5, 1, 0, 4, 48, 1, 40, 0.75, 1.25, "")
    save_checkpoint(tmp_path, counters, tensors(1.5), run=RUN)
    found = load(tmp_path)
    assert found.counters == counters
    assert found.remarks == ()
    assert torch.equal(found.tensors["model/a"], torch.full((3, 2), 1.5))
    assert found.tensors["optimiser/0/step"].shape == ()


def test_a_run_without_a_best_loss_comes_back(tmp_path: Path) -> None:
    save(tmp_path, 1)
    assert load(tmp_path).counters.best_loss == math.inf


def test_another_number_of_threads_is_told(tmp_path: Path) -> None:
    save(tmp_path, 1)
    torch.set_num_threads(2)
    assert (
        "began with threads 1; now it is 2, so its weights can differ" in load(tmp_path).remarks[0]
    )


def test_no_checkpoint_is_none(tmp_path: Path) -> None:
    assert load_checkpoint(tmp_path / "absent", run=RUN) is None
    assert load_checkpoint(tmp_path, run=RUN) is None


def test_the_newest_is_taken_and_two_are_kept(tmp_path: Path) -> None:
    for step in (1, 2, 10, 9):
        save(tmp_path, step)
    assert load(tmp_path).counters.step == 10
    assert sorted(p.name for p in tmp_path.iterdir()) == ["step-000000009", "step-000000010"]


def test_the_same_step_may_be_saved_again(tmp_path: Path) -> None:
    save(tmp_path, 1)
    save_checkpoint(tmp_path, RunProgress(step=1, stop_reason="epochs done"), tensors(7), run=RUN)
    assert load(tmp_path).counters.stop_reason == "epochs done"


@pytest.mark.parametrize("file", ["state.safetensors", "meta.json"])
@pytest.mark.parametrize("part", [0.0, 0.3, 0.6, 0.99])
def test_a_flipped_bit_is_found_and_the_older_one_taken(
    tmp_path: Path, file: str, part: float
) -> None:
    save(tmp_path, 1)
    save(tmp_path, 2)
    damaged = tmp_path / "step-000000002" / file
    data = bytearray(damaged.read_bytes())
    data[int(part * len(data))] ^= 0x10
    damaged.write_bytes(data)
    found = load(tmp_path)
    assert found.counters.step == 1
    assert "A damaged checkpoint was skipped: step-000000002" in found.remarks[0]


@pytest.mark.parametrize("file", ["state.safetensors", "meta.json"])
def test_a_missing_or_cut_file_is_found(tmp_path: Path, file: str) -> None:
    save(tmp_path, 1)
    save(tmp_path, 2)
    (tmp_path / "step-000000002" / file).write_bytes(b"")
    assert load(tmp_path).counters.step == 1
    (tmp_path / "step-000000002" / file).unlink()
    assert load(tmp_path).counters.step == 1


def test_files_of_two_checkpoints_never_mix(tmp_path: Path) -> None:
    save(tmp_path, 1)
    save(tmp_path, 2)
    state = "state.safetensors"
    shutil.copy(tmp_path / "step-000000001" / state, tmp_path / "step-000000002" / state)
    assert load(tmp_path).counters.step == 1


def test_only_damaged_ones_are_an_error_that_names_them(tmp_path: Path) -> None:
    save(tmp_path, 1)
    (tmp_path / "step-000000001" / "meta.json").write_bytes(b"{")
    with pytest.raises(TrainingError, match=r"No checkpoint in .* is whole: step-000000001 .*with"):
        load_checkpoint(tmp_path, run=RUN)


@pytest.mark.parametrize("what", ["corpus", "recipe"])
def test_another_corpus_or_recipe_is_refused(tmp_path: Path, what: str) -> None:
    save(tmp_path, 1)
    with pytest.raises(TrainingError, match=f"begun with another {what}.*without --resume"):
        load_checkpoint(tmp_path, run={**RUN, what: "other"})


def test_a_folder_in_the_place_of_a_file_is_skipped(tmp_path: Path) -> None:
    save(tmp_path, 1)
    (tmp_path / "step-000000002" / "meta.json").mkdir(parents=True)
    assert load(tmp_path).counters.step == 1


def test_a_full_disk_is_told_and_the_older_one_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path, 1)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        with pytest.raises(TrainingError, match="Cannot write .*No space left on device"):
            save(tmp_path, 2)
    assert load(tmp_path).counters.step == 1
    assert [p.name for p in tmp_path.iterdir()] == ["step-000000001"]
