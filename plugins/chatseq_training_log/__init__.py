"""Built-in plugin: keeps the reports of each training run in `metrics.jsonl` in its folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatseq.hookspecs import hookimpl

if TYPE_CHECKING:
    from pathlib import Path

    from chatseq.core.events import TrainingEvent


@hookimpl
def chatseq_training_event(event: TrainingEvent, run: Path) -> None:
    from chatseq_training_log.log import write  # only a training run needs it

    write(event, run)
