"""docs/api.md is a program: its blocks run one after another, in one namespace."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chatseq.bots.bundle import list_bundles

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)


def test_every_block_of_the_page_is_python() -> None:
    kinds = re.findall(r"^```(\w+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(kinds) == {"python"}
    assert len(BLOCKS) >= 10


def test_every_block_of_the_page_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {}
    for number, block in enumerate(BLOCKS):
        exec(compile(block, f"{PAGE.name}, block {number}", "exec"), namespace)  # noqa: S102
    printed = capsys.readouterr().out
    assert "We open at nine." in printed
    assert "when do you open faq.csv:2" in printed
    assert "CorpusReport epochs done" in printed
    assert [listed.name for listed in list_bundles()] == ["shop"]
