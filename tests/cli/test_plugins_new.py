"""`chatseq plugins new`: what is printed leads on."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatseq.cli.main import run
from chatseq.hookspecs import PART_HOOKS

Capture = pytest.CaptureFixture[str]


def test_the_three_next_commands_are_told(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["plugins", "new", "loud", "--kind", "metric"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "Wrote the metric 'loud' into loud:",
        "  .gitignore",
        "  README.md",
        "  loud/__init__.py",
        "  loud/metric.py",
        "  pyproject.toml",
        "  tests/test_metric.py",
        "Next:",
        "  pytest loud",
        "  pip install -e loud",
        "  chatseq plugins check loud",
    ]
    assert (tmp_path / "loud" / "loud" / "metric.py").is_file()


def test_a_folder_with_a_blank_can_be_copied_from_the_commands(
    capsys: Capture, tmp_path: Path
) -> None:
    place = tmp_path / "my plugins"
    assert run(["plugins", "new", "loud", "--kind", "metric", "--folder", str(place)]) == 0
    assert f"  pytest '{place / 'loud'}'\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["general", "--kind", "attention"], "The attention 'general' is already there"),
        (["Loud", "--kind", "metric"], "'Loud' cannot be the name of a package"),
        (["loud", "--kind", "metrics"], "No kind of part named 'metrics'. Did you mean 'metric'?"),
    ],
)
def test_what_cannot_be_is_told_and_nothing_is_written(
    capsys: Capture,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["plugins", "new", *arguments]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"Error: {told}")
    assert list(tmp_path.iterdir()) == []


def test_the_help_names_every_kind(capsys: Capture) -> None:
    assert run(["plugins", "new", "--help"]) == 0
    words = capsys.readouterr().out.replace(",", " ").replace(".", " ").split()
    assert set(PART_HOOKS) <= set(words)
