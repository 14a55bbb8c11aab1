"""`chatseq train` as people call it: what it prints, leaves and answers to signals."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from chatseq.bots.bundle import bot_folder, default_bot, list_bundles, open_bundle
from chatseq.bots.loader import load_bot
from chatseq.cli.main import run
from chatseq.cli.signals import stopping
from chatseq.cli.train import train, train_starter
from chatseq.cli.training_view import (
    LineView,
    bar_view,
    cut,
    duration,
    other_lines,
    step_figures,
    step_line,
    training_view,
)
from chatseq.core.events import Remark, Sample, StepReport, ValidationReport
from chatseq.core.plugins import Registry
from chatseq.training.job_sources import stem

from .conftest import SMALL, exchanges, small_recipe

STEP = StepReport(120, 2, 1.234, 50, 5432.1, 0.003, 0.8, False, 0.41, 25.0)
VALIDATION = ValidationReport(
    120, 2, 1.1, 3.004, 0.815, True, (Sample("how\n\x1b[2J", "so", "as \x07this"),)
)


@pytest.fixture
def faq(tmp_path: Path) -> Path:
    file = tmp_path / "my faq.csv"
    rows = "".join(f'"{e.question}","{e.answer}"\n' for e in exchanges())
    file.write_text("question,answer\n" + rows, encoding="utf-8")
    return file


def settings(*more: str) -> list[str]:
    return [word for setting in (*SMALL, *more) for word in ("--set", setting)]


def call(registry: Registry, *arguments: str) -> Result:
    runner = CliRunner()
    return runner.invoke(train, arguments, obj={"registry": registry}, standalone_mode=False)


def test_a_file_becomes_a_bot_of_its_name(registry: Registry, faq: Path) -> None:
    result = call(registry, str(faq), *settings())
    assert result.return_value == 0, result.output
    assert default_bot() == "my-faq"
    assert "The bot 'my-faq' is ready: epochs done after" in result.stdout
    assert "Chat with it: chatseq" in result.stdout
    assert "40 exchanges read." in result.stderr
    assert "perplexity" in result.stderr
    assert load_bot(registry, "my-faq").responder.reply("train").bot == "my-faq"


def test_quiet_is_quiet(registry: Registry, faq: Path) -> None:
    result = call(registry, str(faq), "--quiet", *settings())
    assert result.return_value == 0
    assert result.stderr == ""
    assert len(result.stdout.splitlines()) == 2


def test_the_name_can_be_given(registry: Registry, faq: Path) -> None:
    assert call(registry, str(faq), "--bot", "other", *settings()).return_value == 0
    assert [stored.name for stored in list_bundles()] == ["other"]


def test_a_bad_name_is_refused_before_anything_is_read(
    faq: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["train", str(faq), "--bot", "../x"]) == 1
    assert "cannot be the name of a bot" in capsys.readouterr().err


def test_minutes_limit_the_run(registry: Registry, faq: Path) -> None:
    limited = settings("training.max_epochs=100000", "training.patience=1000000")
    result = call(registry, str(faq), "--minutes", "0.02", *limited)
    assert "time is up" in result.stdout
    assert open_bundle(bot_folder("my-faq")).recipe().training.minutes == 0.02


def test_a_recipe_file_is_used(registry: Registry, faq: Path, tmp_path: Path) -> None:
    recipe = small_recipe("training.max_epochs=1")
    (tmp_path / "mine.toml").write_text(recipe.to_toml(), encoding="utf-8")
    result = call(registry, str(faq), "--recipe", str(tmp_path / "mine.toml"))
    assert result.return_value == 0
    assert open_bundle(bot_folder("my-faq")).recipe() == recipe


def test_a_dry_run_leaves_no_file(registry: Registry, faq: Path, home: Path) -> None:
    result = call(registry, str(faq), "--dry-run", *settings())
    assert result.return_value == 0
    assert "Nothing was written." in result.stdout
    assert re.search(r"(?m)^ +[\d,]+ in the encoder 'gru'$", result.stdout)
    assert re.search(r"(?m)^ +[\d,]+ in the decoder 'gru' with the attention", result.stdout)
    assert re.search(r"It takes about [\d.]+ (s|min) and \d[\d,]* MB of memory", result.stdout)
    assert list(home.iterdir()) == []


def test_parts_and_their_options_are_set_one_by_one(registry: Registry, faq: Path) -> None:
    attention = ("model.attention.name=additive", "model.attention.normaliser=sparsemax")
    helps = ("training.schedule=linear", "training.ema=0.9", "training.sampling_choice=argmax")
    more = settings(*attention, *helps, "training.scheduled_sampling=0.2")
    assert call(registry, str(faq), *more).return_value == 0
    recipe = open_bundle(bot_folder("my-faq")).recipe()
    assert recipe.model.attention == {"name": "additive", "normaliser": "sparsemax"}
    assert (recipe.training.schedule, recipe.training.ema) == ("linear", 0.9)
    assert recipe.training.scheduled_sampling == 0.2


def test_settings_of_readers_go_to_the_readers(registry: Registry, tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    rows = "".join(f"{e.answer};{e.question}\n" for e in exchanges())
    file.write_text("Antwort;Frage\n" + rows, encoding="utf-8")
    given = ["--set", "csv.question=Frage", "--set", "csv.answer=Antwort"]
    assert call(registry, str(file), *given, *settings()).return_value == 0


def test_bad_rows_stop_or_are_skipped_and_counted(
    registry: Registry, faq: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with faq.open("a", encoding="utf-8") as file:
        file.write("a question without any answer\n")
    assert run(["train", str(faq), *settings()]) == 1
    assert "my faq.csv:42" in capsys.readouterr().err
    skipped = call(registry, str(faq), "--skip-bad", *settings())
    assert skipped.return_value == 0
    assert "1 bad rows were skipped" in skipped.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["absent.csv"], "absent.csv"),
        (["FAQ", "--recipe", "tinny"], "No recipe named 'tinny'. Did you mean 'tiny'?"),
        (["FAQ", "--set", "training.sed=7"], "No setting named 'sed'"),
        (["FAQ", "--set", "model.attention.name=genral"], "Did you mean 'general'?"),
        (["FAQ", "--set", "training.schedule=cosin"], "training.schedule cannot be 'cosin' in"),
        (["FAQ", "--set", "training.ema=1"], "training.ema cannot be 1 in --set"),
        (["FAQ", "--set", "model.attention.normaliser=sparse"], "cannot be 'sparse'"),
        (["FAQ", "--dry-run", "--set", "model.attention=none"], "no attention is named. Set mod"),
        (["FAQ", "--dry-run", "--set", "model.pretrained=absent.vec"], "absent.vec"),
        (["FAQ", "--resume"], "nothing to resume for the bot 'my-faq'"),
        (["FAQ", "--encoding", "klingon"], "klingon"),
    ],
)
def test_mistakes_are_told_in_one_line(
    faq: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    given = [str(faq) if argument == "FAQ" else argument for argument in arguments]
    assert run(["train", *given]) == 1
    shown = capsys.readouterr().err.strip().split("\n")[-1]
    assert shown.startswith("Error: ")
    assert told in shown


@pytest.mark.parametrize("arguments", [[], ["FAQ", "--minutes", "0"], ["FAQ", "--nonsense"]])
def test_wrong_usage_is_exit_code_2(faq: Path, arguments: list[str]) -> None:
    given = [str(faq) if argument == "FAQ" else argument for argument in arguments]
    assert run(["train", *given]) == 2


def test_a_read_only_home_is_told(
    faq: Path, home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "file").touch()
    monkeypatch.setenv("CHATSEQ_HOME", str(home / "file"))  # no folder can be made below a file
    assert run(["train", str(faq), *settings()]) == 1
    assert "Set CHATSEQ_HOME to a folder that you can write to" in capsys.readouterr().err


def start(faq: Path, *more: str) -> subprocess.Popen[str]:
    long = settings("training.max_epochs=100000", "training.patience=1000000")
    command = [sys.executable, "-m", "chatseq", "train", str(faq), *long, *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for_steps(process: subprocess.Popen[str]) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if "step" in line:
            return
    raise AssertionError("the run ended before its first step")


@pytest.mark.slow("trains in processes that are stopped")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stores_a_bot_that_chats_and_the_run_goes_on_later(
    registry: Registry, faq: Path, number: int
) -> None:
    process = start(faq)
    wait_for_steps(process)
    sent = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert time.monotonic() - sent < 20
    assert "Traceback" not in err + out
    assert "interrupted after" in out
    assert "--resume" in out
    assert load_bot(registry, "my-faq").responder.reply("train").bot == "my-faq"
    resumed = start(faq, "--resume")
    assert resumed.stderr is not None
    told = [resumed.stderr.readline() for _ in range(2)]
    resumed.kill()
    resumed.communicate()
    assert re.search(r"Resumed after step [1-9]", told[-1])


@pytest.mark.slow("two programs that train; test_lock says the same in one")
def test_a_second_trainer_is_told_who_holds_the_bot(
    faq: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    process = start(faq)
    wait_for_steps(process)
    try:
        assert run(["train", str(faq), *settings()]) == 1
        assert f"by process {process.pid} on" in capsys.readouterr().err
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()


def test_the_first_chat_trains_the_starter_bot(
    registry: Registry, faq: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatseq.training.choose_recipe.starter_files", lambda: [faq])
    monkeypatch.setattr("chatseq.training.choose_recipe.starter_recipe", small_recipe)
    assert train_starter(registry, quiet=True) == "starter"
    assert default_bot() == "starter"


def test_the_first_signals_ask_and_the_third_ends() -> None:
    before = signal.getsignal(signal.SIGINT)
    with stopping() as stop:
        assert not stop()
        signal.raise_signal(signal.SIGINT)
        assert stop()
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize(
    ("file", "name"),
    [("a/faq.csv.gz", "faq"), ("faq", "faq"), (".hidden", ".hidden"), ("/x/我.tsv", "我")],
)
def test_the_stem_of_a_file_has_no_endings(file: str, name: str) -> None:
    assert stem(file) == name


def test_a_step_is_a_line_with_its_figures() -> None:
    assert step_figures(STEP) == "loss 1.23  5,432 tokens/s  25 s left"
    assert step_line(STEP) == " 41%  step 120, epoch 3, loss 1.23, 5,432 tokens/s, 25 s left"


def test_a_validation_shows_replies_that_cannot_harm_the_terminal() -> None:
    head, question, reply = other_lines(VALIDATION)
    assert head == "After step 120: perplexity 3, word for word right 82%, the best so far"
    assert question == "  how \ufffd[2J"
    assert reply == "    as \ufffdthis"


def test_an_empty_reply_is_shown_as_such() -> None:
    nothing = ValidationReport(1, 0, 1.0, 2.7, 0.0, False, (Sample("q", "a", ""),))
    assert other_lines(nothing)[-1] == "    (nothing)"


def test_long_texts_are_cut() -> None:
    assert cut("x" * 100) == "x" * 71 + "…"
    assert cut("x" * 72) == "x" * 72


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.4, "0 s"), (99, "99 s"), (100, "2 min"), (5400, "90 min"), (7800, "2 h 10 min")],
)
def test_durations_are_told_as_people_say_them(seconds: float, told: str) -> None:
    assert duration(seconds) == told


def test_lines_come_every_few_seconds_and_remarks_at_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 1.0, 4.9, 5.1])
    monkeypatch.setattr("chatseq.cli.training_view.time.monotonic", lambda: next(clock))
    view = LineView()
    for _ in range(4):
        view.show(STEP)
    view.show(Remark("a \x1b[31mremark"))
    view.stopping()
    shown = capsys.readouterr().err.splitlines()
    assert [line.startswith(" 41%") for line in shown] == [True, True, False, False]
    assert shown[2] == "a \ufffd[31mremark"
    assert shown[3].startswith("Stopping")


def test_without_a_terminal_the_view_writes_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with training_view("x") as view:
        assert isinstance(view, LineView)
    with training_view("x", quiet=True) as view:
        view.show(STEP)
        view.show(VALIDATION)
        view.show(Remark("told even when quiet"))
        view.stopping()
    assert capsys.readouterr().err == "told even when quiet\n"


def test_the_bar_shows_figures_and_prints_above_itself(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("FORCE_COLOR", "1")
    with bar_view("Training [x]") as view:
        view.show(STEP)
        view.show(VALIDATION)
        view.stopping()
    shown = capsys.readouterr().err
    assert "word for word right 82%" in shown
    assert "Stopping" in shown
    assert "\x1b[2J" not in shown, "an escape of the corpus would clear the screen"


def names_of(parameters: Sequence[click.Parameter]) -> set[str]:
    return {option for parameter in parameters for option in parameter.opts}


def test_the_options_are_those_of_the_design() -> None:
    wanted = {"--bot", "--recipe", "--set", "--minutes", "--resume", "--dry-run", "--quiet"}
    assert wanted | {"--encoding", "--format", "--skip-bad"} <= names_of(train.params)
