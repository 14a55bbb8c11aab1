"""`chatseq train --from-history` as people call it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatseq.bots.bundle import bot_folder, open_bundle
from chatseq.bots.bundle.manifest import WEIGHTS
from chatseq.chat.corrections import Corrections
from chatseq.cli.main import run
from chatseq.core.paths import history_file, runs_folder
from chatseq.history.contracts import Review
from chatseq.history.store import HistoryStore

from .conftest import LEARNS, SMALL, exchanges
from .test_accepted import judge
from .test_warm_start import ASKED, NEW

QUICK = ("--set", "training.min_steps=4", "--set", "training.batch_tokens=800")


@pytest.fixture
def store() -> Iterator[HistoryStore]:
    opened = HistoryStore(history_file())
    yield opened
    opened.close()


@pytest.mark.usefixtures("faq_bot")
def test_from_a_correction_in_the_chat_to_a_report(
    store: HistoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    judge(store, ASKED, correction=NEW, status=Review.NEW)
    assert run(["train", "--from-history"]) == 1
    assert capsys.readouterr().err == (
        "Error: No feedback about the bot 'faq' is accepted, and 1 waits for review. Look through "
        "what was said with /good and /correct, and accept it: "
        "chatseq history feedback list --bot faq\n"
    )
    assert run(["history", "feedback", "accept", "1"]) == 0
    capsys.readouterr()
    assert run(["train", "--from-history", *QUICK]) == 0
    out, err = capsys.readouterr()
    told = (
        "The bot 'faq' learns on: 40 exchanges, 1 accepted answer from the history.",
        "The bot is asked first, to see afterwards which answers changed.",
        "1 exchange of the corpus was left out, since corrections say otherwise: faq.csv:1.",
        "Begins with the weights of the bot 'faq'.",
    )
    assert all(line in err for line in told)
    assert "The bot 'faq' is ready: epochs done after" in out
    assert " of 1 accepted answer" in out
    assert "Of 39 old questions from the corpus, " in out
    file = runs_folder() / "faq" / "regression.json"
    assert out.endswith(f"All of it: {file}\n")
    report = json.loads(file.read_text(encoding="utf-8"))
    assert [c["question"] for c in report["corrections"]] == [ASKED]
    assert [said.status for said in store.feedback()] == [Review.ACCEPTED]
    assert [c.answer for c in Corrections()("faq")] == [NEW], "it is still used at once"


def test_a_dry_run_changes_nothing(
    faq_bot: Path, home: Path, store: HistoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    judge(store, ASKED, correction=NEW)
    before = (faq_bot / WEIGHTS).read_bytes()
    assert run(["train", "--from-history", "--bot", "faq", "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "36 exchanges to learn from, 4 to validate on" in out
    assert "Begins with the weights of the bot 'faq'." in out
    assert "The whole run has at most 200 steps." in out
    assert (faq_bot / WEIGHTS).read_bytes() == before
    assert not (home / "runs").exists()


@pytest.mark.usefixtures("faq_bot")
def test_quiet_tells_remarks_and_the_result(
    store: HistoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    judge(store, ASKED, correction=NEW)
    assert run(["train", "--from-history", "--quiet", *QUICK]) == 0
    out, err = capsys.readouterr()
    assert [line.split()[0] for line in err.splitlines()] == ["1", "Begins"]
    assert "All of it: " in out


def test_files_are_learnt_with_the_feedback_of_the_bot_of_that_name(
    store: HistoryStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    judge(store, ASKED, correction=NEW, bot="shop")
    judge(store, "tell me about stop", correction="of another bot")
    file = tmp_path / "faq.csv"
    rows = "".join(f'"{e.question}","{e.answer}"\n' for e in exchanges())
    file.write_text("question,answer\n" + rows, encoding="utf-8")
    settings = [word for each in (*SMALL, *LEARNS[-1:]) for word in ("--set", each)]
    wanted = ["--from-history", "--bot", "shop", "--set", "training.max_epochs=1"]
    assert run(["train", str(file), *settings, *wanted]) == 0
    out, err = capsys.readouterr()
    assert "40 exchanges read, 1 accepted answer from the history." in err
    assert "1 exchange of the corpus was left out, since corrections say otherwise" in err
    assert "regression" not in out
    corpus = open_bundle(bot_folder("shop")).manifest.corpus
    assert (corpus.exchanges, corpus.sources) == (40, ("faq.csv", "history"))


def test_files_without_any_accepted_feedback_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["train", str(tmp_path / "my faq.csv"), "--from-history"]) == 1
    assert "No feedback about the bot 'my-faq' is accepted, and none" in capsys.readouterr().err


def test_without_a_bot_the_error_says_how_to_get_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "--from-history"]) == 1
    assert capsys.readouterr().err == (
        "Error: There is no bot yet that could learn on. Train one: chatseq train FILE\n"
    )


@pytest.mark.usefixtures("faq_bot")
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--bot", "fak"], "No bot named 'fak'. Did you mean 'faq'?"),
        (["--bot", "../faq"], "cannot be the name of a bot"),
        (["--set", "model.dropout=0.1"], "'model.dropout' is fixed once a bot is trained."),
        (["--resume"], "There is nothing to resume for the bot 'faq'."),
    ],
)
def test_mistakes_are_told_in_one_line(
    store: HistoryStore, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    judge(store, ASKED, correction=NEW)
    assert run(["train", "--from-history", "--quiet", *arguments]) == 1
    (line,) = capsys.readouterr().err.splitlines()[-1:]
    assert line.startswith("Error: ")
    assert told in line


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "Name a FILE, or let a bot learn on: --from-history."),
        (["--from-history", "--recipe", "tiny"], "--recipe is for files. Name a FILE, or leave"),
        (["--from-history", "--encoding", "utf-8"], "--encoding is for files."),
        (["--from-history", "--format", "csv"], "--format is for files."),
        (["--from-history", "--skip-bad"], "--skip-bad is for files."),
    ],
)
def test_wrong_usage_is_told_with_exit_code_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert run(["train", *arguments]) == 2
    assert told in capsys.readouterr().err


def test_the_help_tells_the_whole_loop(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "With --from-history and no FILE, a bot that you have learns" in shown
    assert "chatseq history feedback accept" in shown
