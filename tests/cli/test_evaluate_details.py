"""`chatseq evaluate`: what it tells beside the figures, on the terminal, as JSON and as a page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from evaluation_fakes import Parrot, TableBot

from chatseq.bots import loader
from chatseq.cli.main import run
from chatseq.evaluation.details import Details
from chatseq.evaluation.page import BEGIN
from chatseq.evaluation.report import FIGURES

ROWS = [("a", "ab"), ("b", "a"), ("ab", "b"), ("ba", "b"), ("bb", ""), ("aab", "")]
# a is right, b is declined by mistake, ab and ba are wrong, bb is declined as wanted, aab is not.
REPLIES = {"a": "ab", "b": None, "ab": "a", "ba": "a", "bb": None, "aab": "\x1b[31mred"}


@pytest.fixture(autouse=True)
def bot(monkeypatch: pytest.MonkeyPatch) -> TableBot:
    """A tiny bot stands in for every trained one."""
    found = TableBot(Parrot(REPLIES))
    monkeypatch.setattr(loader, "load_bot", lambda *_, **__: found)
    return found


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    file = tmp_path / "test.csv"
    lines = [f"{question},{answer}" for question, answer in ROWS]
    file.write_text("\n".join(["question,answer", *lines, ""]), encoding="utf-8")
    return file


def test_json_has_details_under_one_key_after_the_figures_when_asked(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["evaluate", str(corpus), "--json", "--details"]) == 0
    out, err = capsys.readouterr()
    told = json.loads(out)
    assert (out.count("\n"), err) == (1, "")
    assert list(told) == [*FIGURES, "details"]
    assert list(told["details"]) == list(Details.__slots__)
    assert told["details"]["confusions"][0] == {"wanted": "b", "said": "a", "times": 2}
    assert [case["question"] for case in told["details"]["wrong"]] == ["ab", "ba", "aab"]
    assert told["details"]["sources"][-1] == {"source": "declined", "replies": 2, "right": 1}
    assert told["best_guess"] == 0.25
    assert "\x1b" not in out


def test_json_has_no_details_unless_asked(corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evaluate", str(corpus), "--json"]) == 0
    assert list(json.loads(capsys.readouterr().out)) == list(FIGURES)


def printed(capsys: pytest.CaptureFixture[str]) -> str:
    """Return what was printed, with white space made even."""
    return " ".join(capsys.readouterr().out.split())


def test_the_table_has_groups_and_below_what_went_wrong(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["evaluate", str(corpus)]) == 0
    out = printed(capsys)
    places = [
        out.index(title)
        for title in (
            *("Asked", "Answers", "Declining", "Confidence", "Language", "Dullness"),
            *("Wrong, the most confident first", "Declined by mistake, the most confident first"),
            "Confused most often",
        )
    ]
    assert places == sorted(places)
    assert "sure question wanted said 0.900 ab b a 0.900 ba b a 0.900 aab (decline) \ufffd" in out
    assert "sure question wanted would have said 0.100 b a" in out
    assert "times wanted said 2 b a 1 (decline) \ufffd[31mred" in out
    assert "Thresholds" not in out


def test_details_are_thresholds_and_sources_and_longer_lists(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with corpus.open("a", encoding="utf-8") as stream:
        stream.writelines(f"{'a' * at},b\n" for at in range(3, 12))
    assert run(["evaluate", str(corpus)]) == 0
    short = printed(capsys)
    assert run(["evaluate", str(corpus), "--details"]) == 0
    full = printed(capsys)
    assert ("a" * 8 in short, "a" * 8 in full) == (False, True)
    assert "Where the replies came from source replies right generated 13 1 declined 2 1" in full
    # 13 questions with an answer, of which one has 0.1; 2 to be declined, at 0.1 and 0.9.
    assert "Thresholds to choose from (--set responder.decline_below=...)" in full
    assert "0.1000 0.0 % 0.0 % 7.7 %" in full
    assert "0.9001 100.0 % 100.0 % 0.0 %" in full


def test_lists_without_an_entry_are_left_out(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus.write_text("question,answer\na,ab\n", encoding="utf-8")
    assert run(["evaluate", str(corpus), "--details"]) == 0
    out = printed(capsys)
    assert "answered word for word 100.0 %" in out
    assert not any(word in out for word in ("Wrong,", "by mistake,", "Confused"))


@pytest.mark.parametrize("rows", ["bb,", "a,ab", "b,a", "bb,\naab,"])
@pytest.mark.parametrize("how", [["--json", "--details"], ["--details"]])
def test_files_with_one_kind_of_question_are_told_without_a_fault(
    corpus: Path, rows: str, how: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    corpus.write_text(f"question,answer\n{rows}\n", encoding="utf-8")
    assert run(["evaluate", str(corpus), *how]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "nan" not in out.lower()


def test_a_page_is_written_beside_the_figures(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "report.html"
    assert run(["evaluate", str(corpus), "--json", "--html", str(file)]) == 0
    out, err = capsys.readouterr()
    html = file.read_text(encoding="utf-8")
    assert json.loads(out)["count"] == 6
    assert err == f"Wrote {file}.\n"
    assert html.startswith(BEGIN)
    assert "Evaluation of tiny" in html
    assert "<p>test.csv</p>" in html  # and not its folder
    assert "\x1b" not in html
    assert [path.name for path in tmp_path.iterdir() if "~" in path.name] == []


def test_a_page_replaces_an_older_page(corpus: Path, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(f"{BEGIN}\nold", encoding="utf-8")
    assert run(["evaluate", str(corpus), "--json", "--html", str(file)]) == 0
    assert "old" not in file.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("test.csv", "it exists, and is no page of an evaluation"),
        ("none/report.html", "there is no such folder"),
        (".", "it is no file"),
    ],
)
def test_a_place_that_cannot_be_is_refused_before_any_question_is_asked(
    bot: TableBot,
    corpus: Path,
    tmp_path: Path,
    place: str,
    why: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = corpus.read_bytes()
    file = tmp_path / place
    assert run(["evaluate", str(corpus), "--html", str(file)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"Error: Cannot write {file}: {why}. Name another file with --html.\n"
    assert bot.responder.questions == []
    assert corpus.read_bytes() == before


def test_a_full_disk_leaves_the_older_page_and_is_told_after_the_figures(
    corpus: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "report.html"
    file.write_text(BEGIN, encoding="utf-8")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("chatseq.core.files.write_new", full)
    assert run(["evaluate", str(corpus), "--json", "--html", str(file)]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["count"] == 6
    assert f"Cannot write {file}: No space left on device. Name another file with --html." in err
    assert file.read_text(encoding="utf-8") == BEGIN
