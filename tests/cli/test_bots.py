"""`chatseq bots`: list, show, remove, export and import."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
import pytest

from chatseq.cli.main import run

Capture = pytest.CaptureFixture[str]


def told(capsys: Capture, *arguments: str) -> tuple[int, str, str]:
    code = run(["bots", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def on_a_terminal(monkeypatch: pytest.MonkeyPatch, *, answer: bool) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(click, "confirm", lambda text, err: answer)


def test_no_bots_are_missed_politely(capsys: Capture) -> None:
    assert told(capsys, "list") == (0, "No bots yet. Train one: chatseq train FILE\n", "")
    assert told(capsys, "list", "--json") == (0, "[]\n", "")


def test_bots_are_listed_with_the_default_marked(capsys: Capture, tiny_bot: Path) -> None:
    code, out, _ = told(capsys, "list")
    assert code == 0
    star, name, *_ = out.splitlines()[1].split()
    assert (star, name) == ("*", "tiny")
    assert "100%" in out


def test_the_list_as_json_is_one_value(capsys: Capture, tiny_bot: Path) -> None:
    (listed,) = json.loads(told(capsys, "list", "--json")[1])
    assert (listed["name"], listed["default"], listed["status"]) == ("tiny", True, "good")
    assert (listed["exchanges"], listed["exact_match"], listed["fault"]) == (36, 1.0, "")
    assert listed["bytes"] > 1000


def test_a_damaged_bot_does_not_hide_the_others(capsys: Capture, tiny_bot: Path) -> None:
    broken = tiny_bot.parent / "broken"
    broken.mkdir()
    (broken / "manifest.json").write_text("{", encoding="utf-8")
    code, out, err = told(capsys, "list")
    assert code == 0
    assert "tiny" in out
    assert "damaged" in out
    assert err.startswith("Damaged: The bot 'broken'")
    statuses = {bot["name"]: bot["status"] for bot in json.loads(told(capsys, "list", "--json")[1])}
    assert statuses == {"broken": "damaged", "tiny": "good"}


def test_show_tells_corpus_figures_plugins_and_recipe(capsys: Capture, tiny_bot: Path) -> None:
    code, out, _ = told(capsys, "show", "tiny")
    assert code == 0
    assert "36 exchanges" in out
    assert "exact_match 1" in out
    assert "chatseq_rnn" in out
    assert "[model.encoder]" in out


def test_show_as_json_is_one_value(capsys: Capture, tiny_bot: Path) -> None:
    shown = json.loads(told(capsys, "show", "tiny", "--json")[1])
    assert shown["name"] == "tiny"
    assert shown["corpus"]["exchanges"] == 36
    assert shown["recipe"]["decoding"]["strategy"] == {"name": "greedy"}
    assert "weights.safetensors" in shown["bytes"]


def test_an_unknown_bot_is_told_with_the_nearest_one(capsys: Capture, tiny_bot: Path) -> None:
    for action in (["show"], ["remove", "--yes"], ["export"]):
        code, out, err = told(capsys, *action, "tony")
        assert (code, out) == (1, "")
        assert err.startswith("Error: No bot named 'tony'. Did you mean 'tiny'?")


def test_removing_needs_a_yes_where_nobody_can_be_asked(capsys: Capture, tiny_bot: Path) -> None:
    code, _, err = told(capsys, "remove", "tiny")
    assert code == 1
    assert err == ("Error: The bot 'tiny' was not removed: nobody can be asked. Add --yes.\n")
    assert tiny_bot.is_dir()
    assert told(capsys, "remove", "tiny", "--yes") == (0, "", "Removed the bot 'tiny'.\n")
    assert not tiny_bot.exists()


@pytest.mark.parametrize("answer", [True, False])
def test_on_a_terminal_removing_asks(
    capsys: Capture, tiny_bot: Path, monkeypatch: pytest.MonkeyPatch, answer: bool
) -> None:
    on_a_terminal(monkeypatch, answer=answer)
    code, _, err = told(capsys, "remove", "tiny")
    assert code == 0
    assert tiny_bot.exists() is not answer
    assert err == ("Removed the bot 'tiny'.\n" if answer else "The bot 'tiny' was kept.\n")


def test_a_bot_travels_as_one_file(
    capsys: Capture, tiny_bot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert told(capsys, "export", "tiny") == (0, "tiny.chatseq\n", "")
    code, out, err = told(capsys, "import", "tiny.chatseq", "--bot", "copy")
    assert (code, out) == (0, "copy\n")
    assert err == "Chat with it: chatseq chat --bot copy\n"
    assert run(["ask", "hello", "--bot", "copy"]) == 0
    assert capsys.readouterr().out == "Hello there, how can I help?\n"


def test_a_bot_is_not_replaced_unasked(capsys: Capture, tiny_bot: Path, tmp_path: Path) -> None:
    file = str(tmp_path / "a.chatseq")
    assert told(capsys, "export", "tiny", "-o", file)[0] == 0
    code, _, err = told(capsys, "export", "tiny", "-o", file)
    assert code == 1
    assert "exists already" in err
    code, _, err = told(capsys, "import", file)
    assert code == 1
    assert "There is a bot named 'tiny' already" in err
    assert told(capsys, "import", file, "--replace")[0] == 0


def test_a_file_that_is_no_bot_is_refused(capsys: Capture, tmp_path: Path) -> None:
    file = tmp_path / "no.chatseq"
    file.write_bytes(b"not a zip")
    code, _, err = told(capsys, "import", str(file))
    assert code == 1
    assert err.startswith("Error: The file no.chatseq was refused")
