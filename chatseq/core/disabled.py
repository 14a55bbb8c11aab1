"""Which plugins the user has switched off: one small JSON file in chatseq's home.

Beside each plugin stand the names of the parts that it had, so that whoever asks for one of them
can be told where it is without importing anything.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chatseq.core.errors import ChatseqError
from chatseq.core.paths import disabled_file, make_private_folder
from chatseq.core.plugins import PartNames, first_line


@dataclass(frozen=True, slots=True)
class DisabledPlugins:
    """What the file says."""

    off: Mapping[str, PartNames] = field(default_factory=dict)  # by the name of the plugin
    fault: str = ""  # why it could not be read, as one line; every plugin is on then


def read_disabled() -> DisabledPlugins:
    """Return which plugins are off; never raises for a damaged file."""
    file = disabled_file()
    try:
        return DisabledPlugins(_checked(json.loads(file.read_text(encoding="utf-8"))))
    except FileNotFoundError:
        return DisabledPlugins()
    except (OSError, ValueError, RecursionError) as fault:
        reason = getattr(fault, "strerror", None) or first_line(fault)
        return DisabledPlugins(
            fault=f"{file} cannot be read, so that every plugin is on: {reason}. Remove it, and "
            "switch off again what shall be off: chatseq plugins off NAME"
        )


def switch_off(plugin: str, parts: PartNames) -> None:
    """Leave a plugin out from the next start on.

    Args:
        parts: what it brings now

    Raises:
        ChatseqError: the file cannot be written.
    """
    _write({**read_disabled().off, plugin: parts})


def switch_on(plugin: str) -> None:
    """Take a plugin in again from the next start on.

    Raises:
        ChatseqError: the file cannot be written.
    """
    _write({name: parts for name, parts in read_disabled().off.items() if name != plugin})


def _write(off: Mapping[str, PartNames]) -> None:
    from chatseq.core.files import told_as, write_whole  # every start reads, hardly any writes

    file = disabled_file()
    make_private_folder(file.parent)
    with told_as(ChatseqError, file):
        write_whole(file, json.dumps({"off": off}, indent=1).encode())


def _checked(found: Any) -> dict[str, PartNames]:
    if not isinstance(found, dict) or not isinstance(off := found.get("off", {}), dict):
        raise ValueError('it must look like {"off": {}}')
    return {name: _names(name, parts) for name, parts in off.items()}


def _names(plugin: str, parts: Any) -> PartNames:
    fits = isinstance(parts, dict) and all(
        isinstance(names, list) and all(isinstance(name, str) for name in names)
        for names in parts.values()
    )
    if not fits:
        raise ValueError(f"the parts of '{plugin}' must look like {{kind: [name, ...]}}")
    return {kind: tuple(names) for kind, names in parts.items()}
