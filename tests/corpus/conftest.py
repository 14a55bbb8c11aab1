"""Short ways to write a corpus file and to read it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from chatseq.core.exchange import Exchange
from chatseq.core.plugins import Registry
from chatseq.corpus.read import ReadOptions, ReadReport, read_corpus

Reads = Callable[..., list[Exchange]]
Writes = Callable[[str, str | bytes], Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Writes:
    """Write a file into the working folder, so that messages carry its bare name."""
    monkeypatch.chdir(tmp_path)

    def put(name: str, content: str | bytes) -> Path:
        file = Path(name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    return put


@pytest.fixture
def read(registry: Registry) -> Reads:
    """Read files with the installed readers."""

    def all_of(*paths: Path | str, report: ReadReport | None = None, **options: object) -> list:
        given = ReadOptions(**options)  # type: ignore[arg-type]
        return list(read_corpus(registry, paths, options=given, report=report))

    return all_of
