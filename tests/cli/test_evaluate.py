"""`chatseq evaluate`: what it asks for, prints, and says when something is wrong."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from evaluation_fakes import Parrot, TableBot

from chatseq.bots import loader
from chatseq.cli.main import run
from chatseq.core.plugins import Registry
from chatseq.evaluation.report import FIGURES

Calls = list[tuple[str | None, list[str]]]


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """A tiny bot stands in for every trained one; returns what was asked of the loader."""
    calls: Calls = []

    def load(
        registry: Registry, name: str | None = None, *, overrides: Sequence[str] = ()
    ) -> TableBot:
        calls.append((name, list(overrides)))
        return TableBot(Parrot({"a": "ab", "b": None, "bb": None}))

    monkeypatch.setattr(loader, "load_bot", load)
    return calls


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    file = tmp_path / "test.csv"
    file.write_text("question,answer\na,ab\na,b\nb,a\nab,b\n", encoding="utf-8")
    return file


def test_json_is_one_object_with_the_fixed_fields_and_nothing_else(
    loaded: Calls, corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["evaluate", str(corpus), "--json"]) == 0
    out, err = capsys.readouterr()
    told = json.loads(out)
    assert out.count("\n") == 1
    assert err == ""
    assert list(told) == list(FIGURES)
    assert told["count"] == 3
    assert told["exact_match"] == pytest.approx(1 / 3)
    assert told["wrongly_declined"] == pytest.approx(1 / 3)
    assert told["declined"] is None
    assert told["auroc"] is None
    assert 1 < told["perplexity_teacher_forced"] < 10


def test_the_table_says_what_the_figures_mean(
    loaded: Calls, corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["evaluate", str(corpus)]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "questions asked 3" in out
    assert "answered word for word 33.3 %" in out
    assert "perplexity, teacher-forced" in out
    assert "perplexity, free-running" in out
    assert "declined as wanted - " in out


def test_the_bot_the_strategy_and_settings_reach_the_loader_in_order(
    loaded: Calls, corpus: Path
) -> None:
    given = ["--bot", "people", "--strategy", "beam", "--set", "decoding.strategy.beams=3"]
    assert run(["evaluate", str(corpus), *given, "--set", "engine.threads=1", "--json"]) == 0
    name, (threads, *others) = loaded[0]
    assert name == "people"
    assert threads.startswith("engine.threads=")
    assert int(threads.partition("=")[2]) >= 1
    # A person's own settings come last and win.
    assert others == [
        "decoding.strategy.name=beam",
        "decoding.strategy.beams=3",
        "engine.threads=1",
    ]


def test_without_a_name_the_bot_trained_last_is_asked(loaded: Calls, corpus: Path) -> None:
    assert run(["evaluate", str(corpus), "--json"]) == 0
    assert loaded[0][0] is None
    assert len(loaded[0][1]) == 1


def test_settings_of_readers_go_to_the_readers(
    loaded: Calls, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "test.csv"
    file.write_text("x,wanted,asked\n1,ab,a\n", encoding="utf-8")
    columns = ["--set", "csv.question=asked", "--set", "csv.answer=wanted"]
    assert run(["evaluate", str(file), *columns, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["exact_match"] == 1
    assert len(loaded[0][1]) == 1


def test_several_files_are_one_evaluation(
    loaded: Calls, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.jsonl"
    other.write_text('{"question": "bb", "answer": ""}\n', encoding="utf-8")
    assert run(["evaluate", str(corpus), str(other), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["count"], told["declined"]) == (4, 1)
    assert told["auroc"] is not None


def test_bad_rows_stop_it_or_are_left_out_and_counted(
    loaded: Calls, corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus.write_text("question,answer\na,ab\n,b\n,c\n", encoding="utf-8")
    assert run(["evaluate", str(corpus), "--json"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("Error: ")
    assert "test.csv:3" in err
    assert run(["evaluate", str(corpus), "--json", "--skip-bad"]) == 0
    out, err = capsys.readouterr()
    assert err == "2 bad rows were left out.\n"
    assert json.loads(out)["count"] == 1


def test_an_encoding_is_respected(
    loaded: Calls, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "test.csv"
    file.write_bytes("question,answer\na,ab\nb,好\n".encode("gb18030"))
    assert run(["evaluate", str(file), "--json"]) == 1
    assert "--encoding" in capsys.readouterr().err
    assert run(["evaluate", str(file), "--json", "--encoding", "gb18030"]) == 0
    assert json.loads(capsys.readouterr().out)["exact_match"] == 0.5


def test_a_missing_file_is_told_in_one_line(
    loaded: Calls, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["evaluate", str(tmp_path / "none.csv"), "--json"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "none.csv" in err
    assert err.count("\n") == 1
    assert loaded == []


def test_without_a_file_it_is_a_mistake_of_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evaluate"]) == 2
    assert "FILE" in capsys.readouterr().err


def test_without_any_bot_it_says_how_to_get_one(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["evaluate", str(corpus)]) == 1
    assert "chatseq train FILE" in capsys.readouterr().err


def test_an_unknown_bot_is_told_in_one_line(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["evaluate", str(corpus), "--bot", "nobody"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "nobody" in err
    assert err.count("\n") == 1


BROKEN_PLUGIN = """
from chatseq.hookspecs import hookimpl

class Broken:
    def add(self, judged):
        raise RuntimeError("\\x1b[31mred")

@hookimpl
def chatseq_metrics():
    return {"broken": Broken}
"""


def test_a_metric_that_fails_is_told_on_stderr_and_the_figures_are_still_printed(
    loaded: Calls, corpus: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "plugins").mkdir()
    (home / "plugins" / "mine.py").write_text(BROKEN_PLUGIN, encoding="utf-8")
    assert run(["evaluate", str(corpus), "--json"]) == 0
    out, err = capsys.readouterr()
    assert list(json.loads(out)) == list(FIGURES)
    assert "Plugin mine, hook chatseq_metrics: the metric 'broken' raised RuntimeError" in err
    assert "\x1b" not in err


class Terminal(io.StringIO):
    """A stderr that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_person_at_a_terminal_sees_progress_on_stderr_alone(
    loaded: Calls,
    corpus: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert run(["evaluate", str(corpus), "--json"]) == 0
    assert "Evaluating" in terminal.getvalue()
    assert json.loads(capsys.readouterr().out)["count"] == 3


def test_an_interrupt_ends_it_with_its_own_exit_code(
    loaded: Calls, corpus: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(self: Parrot, questions: Sequence[str]) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(Parrot, "reply_all", interrupt)
    assert run(["evaluate", str(corpus), "--json"]) == 130
    assert capsys.readouterr().out == ""
