"""`chatseq plugins off` and `on`: what is off is not imported, and what needs it says so."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from chatseq.cli.main import run
from chatseq.core.disabled import read_disabled
from chatseq.core.plugins import Registry

Capture = pytest.CaptureFixture[str]


def said(capsys: Capture, *arguments: str) -> str:
    assert run(list(arguments)) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def refused(capsys: Capture, *arguments: str) -> str:
    assert run(list(arguments)) == 1
    out, err = capsys.readouterr()
    assert out == ""
    return err


def listed(capsys: Capture) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(said(capsys, "plugins", "list", "--json"))
    return rows


def test_a_built_in_plugin_is_switched_off_and_on(capsys: Capture, registry: Registry) -> None:
    attentions = ", ".join(registry.parts("attention"))
    out = said(capsys, "plugins", "off", "chatseq_attention")
    assert out.startswith(f"Switched off chatseq_attention: attention {attentions}.")
    assert out.endswith(". Back on with: chatseq plugins on chatseq_attention\n")
    rows = [row for row in listed(capsys) if row["kind"] == "attention"]
    assert {row["status"] for row in rows} == {"off"}
    assert "general" in {row["name"] for row in rows}
    assert {row["version"] for row in rows} == {"0.1.0"}
    assert "  chatseq_attention     0.1.0             off\n" in said(capsys, "plugins", "list")
    out = said(capsys, "plugins", "on", "chatseq_attention")
    assert out.startswith(f"Switched on chatseq_attention: attention {attentions}")
    assert "off" not in {row["status"] for row in listed(capsys)}


def test_what_is_off_is_imported_by_no_command(home: Path) -> None:
    run(["plugins", "off", "chatseq_attention"])
    code = (
        "import sys; from chatseq.cli.main import run; run(['plugins', 'list']); "
        "print('IMPORTED', [name for name in sys.modules if 'chatseq_attention' in name])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "IMPORTED []"
    assert "[off]" in done.stdout


def test_what_needs_it_stops_and_tells_the_way_back(capsys: Capture, tmp_path: Path) -> None:
    corpus = tmp_path / "faq.csv"
    corpus.write_text("question,answer\nhello,hi\nbye,goodbye\n", encoding="utf-8")
    run(["plugins", "off", "chatseq_attention"])
    capsys.readouterr()
    for arguments in (["train", str(corpus), "--dry-run"], ["plugins", "show", "general"]):
        error = refused(capsys, *arguments)
        assert "The attention 'general'" in error
        assert "belongs to plugin chatseq_attention, which is switched off." in error
        assert error.endswith("Switch it on: chatseq plugins on chatseq_attention\n")


def test_without_its_reader_a_file_is_not_read(capsys: Capture, tmp_path: Path) -> None:
    corpus = tmp_path / "faq.csv"
    corpus.write_text("question,answer\nhello,hi\n", encoding="utf-8")
    run(["plugins", "off", "chatseq_readers"])
    capsys.readouterr()
    error = refused(capsys, "corpus", "check", str(corpus))
    assert "(switched off: chatseq_readers; see: chatseq plugins list)" in error
    error = refused(capsys, "corpus", "check", str(corpus), "--format", "csv")
    assert "Switch it on: chatseq plugins on chatseq_readers" in error


def test_a_bot_that_was_made_with_it_tells_the_way_back(capsys: Capture, tiny_bot: Path) -> None:
    run(["plugins", "off", "chatseq_subword"])
    capsys.readouterr()
    assert refused(capsys, "ask", "hello", "--bot", "tiny") == (
        "Error: The bot 'tiny' needs the plugin chatseq_subword, which is switched off. "
        "Switch it on: chatseq plugins on chatseq_subword\n"
    )
    said(capsys, "plugins", "on", "chatseq_subword")
    assert said(capsys, "ask", "hello", "--bot", "tiny").strip()


GREET = """
import click
from chatseq.hookspecs import hookimpl

@click.command()
def greet():
    "Greet."

@hookimpl
def chatseq_commands():
    return {"greet": greet}
"""


def test_a_command_that_is_off_tells_the_way_back(capsys: Capture, home: Path) -> None:
    (home / "plugins").mkdir()
    (home / "plugins" / "greeting.py").write_text(GREET, encoding="utf-8")
    said(capsys, "greet")
    said(capsys, "plugins", "off", "greeting")
    assert "The command 'greet' belongs to plugin greeting, which" in refused(capsys, "greet")
    assert "greet" not in said(capsys, "--help")
    said(capsys, "plugins", "on", "greeting")
    said(capsys, "greet")


def test_a_broken_plugin_can_be_off_and_is_no_fault_then(capsys: Capture, home: Path) -> None:
    (home / "plugins").mkdir()
    (home / "plugins" / "bad.py").write_text("1 / 0", encoding="utf-8")
    assert run(["plugins", "doctor"]) == 1
    capsys.readouterr()
    assert said(capsys, "plugins", "off", "bad").startswith("Switched off bad: no parts.")
    assert "bad: switched off; back on with: chatseq plugins on bad\n" in said(
        capsys, "plugins", "doctor"
    )
    (row,) = [row for row in listed(capsys) if (row["name"], row["kind"]) == ("bad", "plugin")]
    assert (row["kind"], row["status"]) == ("plugin", "off")


def test_the_plugin_of_this_command_stays_on(capsys: Capture) -> None:
    error = refused(capsys, "plugins", "off", "chatseq_terminal")
    assert error.startswith("Error: The plugin chatseq_terminal cannot be switched off: it brings")
    assert read_disabled().off == {}


def test_a_file_that_switches_the_commands_off_is_not_obeyed(capsys: Capture, home: Path) -> None:
    (home / "plugins.json").write_text('{"off": {"chatseq_terminal": {}, "chatseq_rnn": {}}}')
    assert {row["status"] for row in listed(capsys)} == {"active"}
    said(capsys, "plugins", "on", "chatseq_terminal")
    assert "off" in {row["status"] for row in listed(capsys)}


def test_switching_twice_is_told(capsys: Capture) -> None:
    assert said(capsys, "plugins", "on", "chatseq_rnn") == "The plugin chatseq_rnn is on already.\n"
    said(capsys, "plugins", "off", "chatseq_rnn")
    before = read_disabled()
    out = said(capsys, "plugins", "off", "chatseq_rnn")
    assert out == "The plugin chatseq_rnn is off already.\n"
    assert read_disabled() == before  # its parts are still known


def test_a_plugin_that_is_gone_can_still_be_switched_on(capsys: Capture, home: Path) -> None:
    (home / "plugins.json").write_text('{"off": {"gone": {"metric": ["x"]}}}')
    assert "gone" not in said(capsys, "plugins", "list")
    assert said(capsys, "plugins", "on", "gone") == "Switched on gone: metric x.\n"


def test_an_unknown_name_and_the_name_of_a_part_are_told(capsys: Capture) -> None:
    error = refused(capsys, "plugins", "off", "chatseq_rn")
    assert error == "Error: No plugin named 'chatseq_rn'. Did you mean 'chatseq_rnn'?\n"
    error = refused(capsys, "plugins", "off", "general")
    assert error.startswith(
        "Error: 'general' is no plugin. The attention 'general' belongs to plugin"
    )


def test_a_damaged_file_stops_nothing_and_is_told_by_the_doctor(
    capsys: Capture, home: Path
) -> None:
    (home / "plugins.json").write_text("{", encoding="utf-8")
    assert {row["status"] for row in listed(capsys)} == {"active"}
    assert run(["doctor"]) == 1
    problems = [line for line in capsys.readouterr().out.splitlines() if "problem  " in line]
    assert len(problems) == 1
    assert problems[0].startswith(f"problem  plugins: {home / 'plugins.json'} cannot be read")
    assert run(["plugins", "off", "chatseq_rnn"]) == 0
    assert "cannot be read" in capsys.readouterr().err
    assert read_disabled().fault == ""


def test_the_doctor_tells_what_is_off(capsys: Capture) -> None:
    said(capsys, "plugins", "off", "chatseq_metrics")
    assert "in use, switched off: chatseq_metrics\n" in said(capsys, "doctor")
