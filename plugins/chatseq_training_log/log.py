"""The log of a run: one JSON object a line, each step once, also after a kill and a resumption."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from chatseq.core.events import (
    FinishedReport,
    Remark,
    StepReport,
    TrainingEvent,
    ValidationReport,
)
from chatseq.core.files import write_whole

METRICS = "metrics.jsonl"
_KINDS: dict[type[Any], str] = {
    StepReport: "step",
    ValidationReport: "validation",
    Remark: "remark",
    FinishedReport: "finished",
}
_last_steps: dict[Path, int] = {}  # of each run that this process has written about


def write(event: TrainingEvent, run: Path) -> None:
    """Append a report to the log of a run.

    A run that goes on from a checkpoint repeats the steps after it; what the log has of them from
    the time before is taken out first.
    """
    file = run / METRICS
    if isinstance(event, StepReport):
        if event.step <= _last_steps.get(run, event.step):
            _forget_from(event.step, file)
        _last_steps[run] = event.step
    line = json.dumps(_finite({"event": _KINDS[type(event)], **asdict(event)}), ensure_ascii=False)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as stream:
        stream.write(line.encode("utf-8", "replace") + b"\n")


def read(file: Path) -> Iterator[dict[str, Any]]:
    """Yield the reports of a log; a line that a kill cut off is left out."""
    if not file.is_file():
        return
    for line in file.read_text(encoding="utf-8", errors="replace").split("\n"):
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict):
            yield found


def _forget_from(step: int, file: Path) -> None:
    kept = [report for report in read(file) if report.get("step", 0) < step]
    text = "".join(json.dumps(report, ensure_ascii=False) + "\n" for report in kept)
    if file.is_file():
        write_whole(file, text.encode())


def _finite(value: Any) -> Any:
    """Return the value with null where a number is not finite, which JSON cannot say."""
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
