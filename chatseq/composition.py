"""Where the parts of chatseq come together: plugins that are on, bots on the disk, corrections.

Importing it imports nothing heavy. Programs call chatseq.api, which stands on it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from chatseq.core.disabled import read_disabled
from chatseq.core.paths import plugins_folder
from chatseq.core.plugins import Registry, discover

if TYPE_CHECKING:
    from chatseq.bots.bot import Bot
    from chatseq.history.contracts import History

SWITCHBOARD = "plugins"  # the command without which nothing could be switched on again
ALL_CORES = 0


def installed_plugins() -> Registry:
    """Return the plugins that are on, those of one file in chatseq's home among them.

    Plugins that are switched off are left out; all are on where that would leave no way back.
    Functions of chatseq.api look for them at each call unless they are given.
    """
    folders = [plugins_folder()]
    registry = discover(folders, off=read_disabled().off)
    if registry.off and SWITCHBOARD not in registry.parts("command"):
        return discover(folders)
    return registry


def load_answering(
    registry: Registry,
    name: str | Path | None,
    overrides: Iterable[str],
    *,
    corrections: bool = True,
    beside: Callable[[], History | None] = lambda: None,
) -> Bot:
    """Load what a chatseq.Bot wraps, with the corrections of the user's history.

    Args:
        beside: gives a history in memory whose corrections count, too
    """
    from chatseq.bots.loader import load_bot
    from chatseq.chat.corrections import Corrections

    if not corrections:
        return load_bot(registry, name, overrides=overrides)
    return load_bot(registry, name, overrides=overrides, corrections=Corrections(beside=beside))


def thread_settings(threads: int | None) -> list[str]:
    """Return the setting of so many threads of the processor; 0: all, None: as the bot says."""
    if threads is None:
        return []
    return [f"engine.threads={threads or _cores()}"]


def _cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1  # macOS, Windows
