"""`chatseq plugins list`, `show` and `doctor`: what there is, on lines that fit a terminal."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from chatseq.cli.main import run
from chatseq.core.plugins import Registry
from chatseq.hookspecs import PART_HOOKS

Capture = pytest.CaptureFixture[str]

PLUGIN = '''
"""A plugin of one file (Elman 1990)."""
from typing import Literal
from chatseq.hookspecs import hookimpl

class Loud:
    """Shout.

    Args:
        volume: how loud, from 0
    """
    def __init__(self, *, volume: float = 1.0, voice: Literal["high", "low"] = "low"): ...

@hookimpl
def chatseq_adjusters():
    return {"loud": Loud, "ngram-block": Loud}
'''


def said(capsys: Capture, *arguments: str, code: int = 0) -> str:
    assert run(["plugins", *arguments]) == code
    out, err = capsys.readouterr()
    assert err == ""
    return out


def told(capsys: Capture, *arguments: str) -> Any:
    return json.loads(said(capsys, *arguments, "--json"))


@pytest.fixture
def plugin(home: Path) -> None:
    (home / "plugins").mkdir()
    (home / "plugins" / "noise.py").write_text(PLUGIN, encoding="utf-8")


def test_parts_are_grouped_by_kind_in_the_order_of_the_hooks(capsys: Capture) -> None:
    lines = said(capsys, "list").splitlines()
    headings = [line for line in lines if line and not line.startswith(" ")]
    kinds = [heading.split()[0] for heading in headings]
    assert list(dict.fromkeys(kinds)) == [*PART_HOOKS, "plugins"]
    assert {"decoder (chatseq_rnn)", "decoder (chatseq_transformer)"} < set(headings)
    attentions = lines[lines.index("attention (chatseq_attention)") + 1 :]
    attentions = attentions[: attentions.index("")]
    names = [line.split()[0] for line in attentions]
    assert names == sorted(names)
    assert "  general     Score each memory vector by query" in "\n".join(attentions)


def test_the_plugins_come_last_with_version_time_and_status(capsys: Capture) -> None:
    lines = said(capsys, "list").splitlines()
    rows = [line.split() for line in lines[lines.index("plugins") + 1 :]]
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    name, version, milliseconds, unit, status = rows[0]
    assert name.startswith("chatseq_")
    assert (unit, status) == ("ms", "active")
    assert version == "0.1.0"
    assert float(milliseconds) >= 0


@pytest.mark.parametrize("columns", [60, 80])
def test_no_line_is_wider_than_the_terminal(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    size = os.terminal_size((columns, 24))
    monkeypatch.setattr(shutil, "get_terminal_size", lambda *_, **__: size)
    monkeypatch.setattr(type(sys.stdout), "isatty", lambda self: True)
    lines = said(capsys, "list").splitlines()
    assert max(map(len, lines)) == columns
    assert any(line.endswith("…") for line in lines)


def test_wide_characters_count_twice(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    (home / "plugins").mkdir()
    text = PLUGIN.replace("Shout.", "训练" * 40)
    (home / "plugins" / "noise.py").write_text(text, encoding="utf-8")
    size = os.terminal_size((60, 24))
    monkeypatch.setattr(shutil, "get_terminal_size", lambda *_, **__: size)
    monkeypatch.setattr(type(sys.stdout), "isatty", lambda self: True)
    (line,) = [line for line in said(capsys, "list").splitlines() if line.startswith("  loud")]
    assert 57 <= len(line) + sum(character in "训练" for character in line) <= 60


def test_nothing_is_cut_where_no_terminal_is(capsys: Capture) -> None:
    assert "…" not in said(capsys, "list")


def test_a_row_for_programs_has_these_fields(capsys: Capture) -> None:
    rows = told(capsys, "list")
    fields = {"kind", "name", "plugin", "version", "status", "summary", "import_ms"}
    assert all(set(row) == fields for row in rows)
    assert {row["kind"] for row in rows} == set(PART_HOOKS)
    (general,) = [row for row in rows if row["name"] == "general"]
    assert general["plugin"] == "chatseq_attention"
    assert general["status"] == "active"
    assert general["summary"].startswith("Score each memory vector")
    assert general["import_ms"] >= 0


def test_one_kind_is_listed_with_its_plugins_alone(capsys: Capture) -> None:
    assert {row["kind"] for row in told(capsys, "list", "--kind", "output")} == {"output"}
    lines = said(capsys, "list", "--kind", "output").splitlines()
    assert lines[0] == "output (chatseq_output)"
    assert [line.split()[0] for line in lines[lines.index("plugins") + 1 :]] == ["chatseq_output"]


def test_a_contested_part_and_a_broken_plugin_are_marked(
    capsys: Capture, home: Path, plugin: None
) -> None:
    (home / "plugins" / "bad.py").write_text("1 / 0", encoding="utf-8")
    out = said(capsys, "list")
    assert "\nadjuster (noise)\n  loud         Shout\n  ngram-block  [contested] Shout\n" in out
    assert "\nplugin (bad)\n  bad  [set aside] Plugin bad: cannot be imported: ZeroDiv" in out
    (bad,) = [row for row in told(capsys, "list") if row["plugin"] == "bad"]
    assert (bad["kind"], bad["status"], bad["import_ms"]) == ("plugin", "set aside", None)
    last = [line.split() for line in out.splitlines()][-1]
    assert last[0] == "noise"  # it is active, since one of its parts is


def test_an_unknown_kind_or_name_is_told(capsys: Capture, registry: Registry) -> None:
    attentions = ", ".join(registry.parts("attention"))
    for arguments, error in {
        (
            "list",
            "--kind",
            "atention",
        ): "No kind of part named 'atention'. Did you mean 'attention'?",
        ("show", "genral"): "No part named 'genral'. Did you mean 'general'?",
        ("show", "gru", "--kind", "attention"): f"No part named 'gru'. Choose from: {attentions}.",
        ("show", "zzz"): "No part named 'zzz'. See: chatseq plugins list",
    }.items():
        assert run(["plugins", *arguments]) == 1
        assert capsys.readouterr().err.startswith(f"Error: {error}")


def test_a_part_is_shown_with_everything_that_can_be_set(capsys: Capture, home: Path) -> None:
    (home / "plugins").mkdir()
    (home / "plugins" / "noise.py").write_text(PLUGIN, encoding="utf-8")
    line = PLUGIN.split("\n").index("class Loud:") + 1
    assert said(capsys, "show", "loud").splitlines() == [
        "adjuster loud",
        "  plugin  noise",
        f"  file    {home / 'plugins' / 'noise.py'}:{line}",
        "  paper   Elman 1990",
        "  use     chatseq chat --set 'decoding.adjusters=[{name=\"loud\"}]'",
        "",
        "Shout.",
        "",
        "options",
        "  volume: float = 1.0",
        "      how loud, from 0",
        "  voice: 'high' | 'low' = 'low'",
    ]


def test_prose_is_filled_to_the_terminal_and_lists_are_left(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    (home / "plugins").mkdir()
    prose = "Shout.\n\n    " + "word " * 20 + "\n    more\n\n    - one\n    - " + "long" * 15
    text = PLUGIN.replace("Shout.", prose)
    (home / "plugins" / "noise.py").write_text(text, encoding="utf-8")
    size = os.terminal_size((60, 24))
    monkeypatch.setattr(shutil, "get_terminal_size", lambda *_, **__: size)
    lines = said(capsys, "show", "loud").splitlines()
    start = lines.index("Shout.")
    assert lines[start : start + 7] == [
        *("Shout.", ""),
        " ".join(["word"] * 12),
        " ".join(["word"] * 8 + ["more"]),
        *("", "- one"),
        "- " + "long" * 15,
    ]


def test_a_part_is_shown_to_programs(capsys: Capture) -> None:
    (general,) = told(capsys, "show", "general")
    assert (general["kind"], general["name"]) == ("attention", "general")
    assert general["papers"] == ["Luong et al. 2015"]
    assert "multiplicative.py:" in general["place"]
    (option,) = general["options"]
    assert option["name"] == "normaliser"
    assert option["type"] == "Literal['softmax', 'sparsemax', 'entmax15']"
    assert option["default"] == "'softmax'"
    assert option["doc"].startswith("softmax, or")


def test_a_name_of_several_kinds_shows_all_of_them_or_one(capsys: Capture) -> None:
    assert {each["kind"] for each in told(capsys, "show", "gru")} == {"encoder", "decoder"}
    assert {each["kind"] for each in told(capsys, "show", "gru", "--kind", "decoder")} == {
        "decoder"
    }
    assert said(capsys, "show", "gru").count("\n  plugin  chatseq_rnn") == 2


def test_the_name_of_a_plugin_shows_all_its_parts(capsys: Capture) -> None:
    parts = told(capsys, "show", "chatseq_output")
    assert {"pointer", "tied"} <= {part["name"] for part in parts}
    assert {part["plugin"] for part in parts} == {"chatseq_output"}


def test_a_contested_part_is_not_shown_but_explained(capsys: Capture, plugin: None) -> None:
    assert run(["plugins", "show", "ngram-block"]) == 1
    assert "Two plugins provide the adjuster 'ngram-block'" in capsys.readouterr().err


@pytest.mark.slow("shows every part, one command each")
def test_every_part_can_be_shown(capsys: Capture) -> None:
    for row in told(capsys, "list"):
        out = said(capsys, "show", row["name"], "--kind", row["kind"])
        assert out.startswith(f"{row['kind']} {row['name']}\n  plugin  ")
        assert "\n  use     " in out


def test_the_doctor_tells_each_plugin_and_each_fault(
    capsys: Capture, home: Path, plugin: None
) -> None:
    (home / "plugins.json").write_text("{", encoding="utf-8")
    lines = said(capsys, "doctor", code=1).splitlines()
    assert any(line.startswith("noise  (") and line.endswith("ms): in use") for line in lines)
    assert (
        "broken: Plugin noise, hook chatseq_adjusters: the adjuster 'ngram-block' is"
        in "\n".join(lines)
    )
    assert (
        f"broken: {home / 'plugins.json'} cannot be read, so that every plugin is on"
        in "\n".join(lines)
    )
    assert lines[-1].endswith(" plugins in use, 2 faults.")
