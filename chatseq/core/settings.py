"""Settings as they are given: `path=value` on a command line, a mapping in a program."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Settings = Mapping[str, object] | Iterable[str]  # {"training.seed": 7} or ["training.seed=7"]


def as_overrides(settings: Settings, *, plain: Iterable[str] = ()) -> list[str]:
    """Return settings as `path=value`, the value as TOML.

    Args:
        plain: beginnings of paths whose values are taken as they are written, not as TOML; those
            of corpus readers, `csv.question=Frage`
    """
    if not isinstance(settings, Mapping):
        return list(settings)
    as_written = set(plain)
    return [
        f"{path}={value if path.partition('.')[0] in as_written else as_toml(value)}"
        for path, value in settings.items()
    ]


def flattened(table: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the values of a table and of the tables in it as path and TOML text."""
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from flattened(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", as_toml(value)


def as_toml(value: object) -> str:
    """Return a value as `/set` and `--set` take it."""
    if isinstance(value, Mapping):
        inner = ", ".join(f"{key} = {as_toml(each)}" for key, each in value.items())
        return f"{{{inner}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(as_toml, value))}]"
    return json.dumps(value, ensure_ascii=False)
