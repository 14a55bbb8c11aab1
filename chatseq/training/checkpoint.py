"""Checkpoints of a run: written whole, verified before use, the newest whole one is taken."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from chatseq.core.errors import TrainingError
from chatseq.core.files import new_hash, place_beside, seal, swap_in, sweep, told_as, write_new

FORMAT = 1
_STATE = "state.safetensors"
_META = "meta.json"
_KEPT = 2
_NAME = re.compile(r"step-(\d{9})")


@dataclass(slots=True)
class RunProgress:
    """Where a run stands; with the tensors of a checkpoint, all that resuming needs.

    Chance needs no state: it is a function of these numbers (see deterministic.py).
    """

    epoch: int = 0
    index: int = 0  # batches of this epoch that are done
    step: int = 0  # batches that are done in all, dropped ones counted
    seconds: float = 0.0  # of learning and validating, over all resumes
    dropped: int = 0  # steps
    dropped_in_a_row: int = 0
    validations: int = 0  # of those that the recipe asks for
    validated_step: int = 0
    validations_without_gain: int = 0  # validations since the best one
    best_step: int = 0
    best_exact_match: float = -1.0
    best_loss: float = float("inf")
    stop_reason: str = ""  # why the run ended, once it has
    collapse_reported: bool = False  # it was told that the replies are dull


class Checkpoint(NamedTuple):
    """A run at one moment."""

    counters: RunProgress
    tensors: dict[str, Tensor]  # names begin with "model/", "best/" or "optimiser/"
    remarks: tuple[str, ...] = ()  # newer ones that were skipped, and what else is not as before


def save_checkpoint(
    folder: Path,
    counters: RunProgress,
    tensors: Mapping[str, Tensor],
    *,
    run: Mapping[str, str],
    device: str = "cpu",
) -> None:
    """Write a checkpoint; older ones go only after it is whole.

    Args:
        tensors: on any device; what is stored belongs to none
        run: what the checkpoint belongs to; resuming compares it
        device: the kind that the run is on; resuming tells of another

    Raises:
        TrainingError: the disk is full, or may not be written.
    """
    target = folder / f"step-{counters.step:09d}"
    temporary = place_beside(target)
    data = save_tensors({name: tensor.cpu().contiguous() for name, tensor in tensors.items()})
    meta = {
        "format": FORMAT,
        "run": dict(run),
        "counters": _plain(counters),
        "size": len(data),
        "blake2b": _digest(data),
        "environment": _environment(device),
    }
    with told_as(TrainingError, folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.rmtree(temporary, ignore_errors=True)
        try:
            temporary.mkdir(mode=0o700)
            write_new(temporary / _STATE, data)
            write_new(temporary / _META, _sealed(meta))
            seal(temporary)
            swap_in(temporary, target)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
    for old in _all(folder)[_KEPT:]:
        shutil.rmtree(old, ignore_errors=True)


def load_checkpoint(
    folder: Path, *, run: Mapping[str, str], device: str = "cpu"
) -> Checkpoint | None:
    """Return the newest whole checkpoint, or None where there is none; tensors on the processor.

    Raises:
        TrainingError: all are damaged, or they belong to another corpus or recipe.
    """
    if folder.is_dir():
        sweep(folder)
    skipped: list[str] = []
    for path in _all(folder):
        try:
            meta, tensors = _read(path)
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as fault:
            skipped.append(f"{path.name} ({str(fault).split(chr(10))[0]})")
            continue
        _check_run(meta["run"], run)
        told = [f"A damaged checkpoint was skipped: {damaged}." for damaged in skipped]
        return Checkpoint(
            _counters(meta["counters"]), tensors, (*told, *_differences(meta, device))
        )
    if skipped:
        raise TrainingError(
            f"No checkpoint in {folder} is whole: {'; '.join(skipped)}. Train again without "
            "--resume."
        )
    return None


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    meta = _unsealed((path / _META).read_bytes())
    if meta["format"] > FORMAT:
        raise ValueError("written by a newer chatseq")
    data = (path / _STATE).read_bytes()
    if len(data) != meta["size"] or _digest(data) != meta["blake2b"]:
        raise ValueError(f"{_STATE} does not match its checksum")
    return meta, load_tensors(data)


def _differences(meta: Mapping[str, Any], device: str) -> Iterator[str]:
    """Tell why the run may not go on bit for bit as it would have."""
    for what, now in _environment(device).items():
        before = meta["environment"].get(what, now)
        if before != now:
            yield (
                f"The run began with {what} {before}; now it is {now}, so "
                "its weights can differ in the last digits from those of an unbroken run."
            )


def _environment(device: str) -> dict[str, str]:
    threads = str(torch.get_num_threads())
    return {"torch": torch.__version__, "threads": threads, "device": device}


def _check_run(found: Mapping[str, str], wanted: Mapping[str, str]) -> None:
    for what, mark in wanted.items():
        if found.get(what) != mark:
            raise TrainingError(
                f"The run was begun with another {what}, so it cannot be resumed with this one. "
                f"Resume it with the same {what}, or train again without --resume."
            )


def _all(folder: Path) -> list[Path]:
    """Return the checkpoints, newest first."""
    if not folder.is_dir():
        return []
    named = [path for path in folder.iterdir() if _NAME.fullmatch(path.name)]
    return sorted(named, key=lambda path: path.name, reverse=True)


def _plain(counters: RunProgress) -> dict[str, Any]:
    values = asdict(counters)
    # JSON has no infinity; a run without a finite validation has no best loss.
    return {n: None if v == float("inf") else v for n, v in values.items()}


def _counters(values: Mapping[str, Any]) -> RunProgress:
    known: dict[str, Any] = {n: float("inf") if v is None else v for n, v in values.items()}
    return RunProgress(**known)


def _sealed(meta: Mapping[str, Any]) -> bytes:
    text = json.dumps(meta, sort_keys=True)
    return json.dumps({"meta": text, "checksum": _digest(text.encode())}).encode()


def _unsealed(data: bytes) -> dict[str, Any]:
    outer = json.loads(data)
    if _digest(outer["meta"].encode()) != outer["checksum"]:
        raise ValueError(f"{_META} does not match its checksum")
    found: dict[str, Any] = json.loads(outer["meta"])
    return found


def _digest(data: bytes) -> str:
    hashed = new_hash()
    hashed.update(data)
    return hashed.hexdigest()
