"""`chatseq ask --why`, as text and as JSON, and what an unsure reply offers."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path

import pytest
from conftest import TAUGHT

from chatseq.cli.main import run

PLUGIN = r'''
"""A responder that is unsure, or refuses; what it says is full of escape sequences."""

from chatseq.core.errors import ChatseqError
from chatseq.core.exchange import Alternative, Neighbour, Piece, Reply, ReplySource
from chatseq.hookspecs import hookimpl

EVIL = "\x1b]0;owned\x07"
NEAR = (Neighbour("q" + EVIL, "a" + EVIL, "f.txt:1" + EVIL, 0.5),)


class Doubter:
    def __init__(self, bot):
        pass

    def reply(self, question, context=()):
        if question == "bad":
            raise ChatseqError("Not that. Ask another.")
        return Reply(
            f"re {question}",
            ReplySource.GENERATED,
            0.25,
            alternatives=(Alternative("b" + EVIL, 0.125, "what is b?\n" + EVIL),),
            unsure=True,
            neighbours=NEAR,
            pieces=(Piece(EVIL, -1.0, (1.0, 0.0)),),
            question_pieces=(EVIL, "<end mark>"),
            extra={"note": EVIL},
        )


@hookimpl
def chatseq_responders():
    return {"doubter": Doubter}
'''
DOUBTER = ("--set", "responder.name=doubter")
UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f]")

pytestmark = pytest.mark.usefixtures("tiny_bot", "doubter")
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def doubter(home: Path) -> None:
    """The responder above, in a one-file plugin."""
    (home / "plugins").mkdir()
    (home / "plugins" / "doubter.py").write_text(PLUGIN, encoding="utf-8")


def asked(capsys: Capture, *arguments: str) -> tuple[int, str, str]:
    code = run(["ask", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def given(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_the_explanation_of_a_real_bot_stands_below_its_reply(capsys: Capture) -> None:
    code, out, err = asked(capsys, "hello", "--why", "--strategy", "beam")
    told = out.split("\n")
    assert (code, err) == (0, "")
    assert told[0] == TAUGHT["hello"]
    assert told[1].startswith("Generated: written by the network, token by token; confidence ")
    assert told[2:4] == ["Candidates:", f"  {told[1][-4:]}  {TAUGHT['hello']}"]
    assert "Tokens, their probability, and where they looked:" in told
    assert re.search(r"^bot tiny, model \w{12}, strategy beam, \d+ tokens, [\d.]+ ms$", out, re.M)
    assert out.splitlines()[-3].endswith("ms")


def test_a_chinese_reply_is_explained(capsys: Capture) -> None:
    out = asked(capsys, "你好", "--why")[1]
    assert re.search(r"^ +.*你.*\(end\)$", out, re.M)  # the pieces of the question
    assert re.search(r"^  你\S* +\d\.\d\d  [·▁▂▃▄▅▆▇█ ]+$", out, re.M)


def test_json_has_the_explanation_in_one_more_field(capsys: Capture) -> None:
    plain = json.loads(asked(capsys, "hello", "--json")[1])
    told = json.loads(asked(capsys, "hello", "--json", "--why")[1])
    assert list(told) == [*plain, "why"]
    why = told["why"]
    assert (why["text"], why["source"]) == (TAUGHT["hello"], "generated")
    assert "".join(piece["text"] for piece in why["pieces"]).strip() == TAUGHT["hello"]
    assert why["question_pieces"][-1] == "<end mark>"
    for piece in why["pieces"]:
        assert 0.5 < piece["probability"] <= 1
        assert len(piece["weights"]) == len(why["question_pieces"])
        assert sum(piece["weights"]) == pytest.approx(1, abs=0.01)
    assert len(why["model"]) == 12


def test_an_unsure_reply_offers_on_stderr(capsys: Capture) -> None:
    code, out, err = asked(capsys, "x", *DOUBTER)
    assert (code, out) == (0, "re x\n")
    assert err == "I am not sure. Did you mean:\n  1  what is b? \ufffd]0;owned\ufffd\n"


def test_json_of_an_unsure_reply_is_json_alone(capsys: Capture) -> None:
    code, out, err = asked(capsys, "x", "--json", *DOUBTER)
    assert (code, err) == (0, "")
    assert "why" not in json.loads(out)
    assert json.loads(asked(capsys, "x", "--json", "--why", *DOUBTER)[1])["why"]["unsure"] is True


def test_lines_of_stdin_are_explained_one_after_the_other(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    given(monkeypatch, "x\nbad\n\ny\n")
    code, out, err = asked(capsys, "-", "--why", *DOUBTER)
    assert (code, err) == (1, "Error: Not that. Ask another.\n")
    first, refused, empty, last = out.removesuffix("\n\n").split("\n\n")
    assert first.startswith("re x\nGenerated: ")
    assert refused == empty
    assert empty.split("\n")[:2] == ["", "Declined: it had nothing to say to this"]
    assert last.startswith("re y\nGenerated: ")
    assert last.endswith("note: \ufffd]0;owned\ufffd")


def test_lines_of_stdin_are_explained_in_json(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    given(monkeypatch, "x\n\nhello\n")
    code, out, err = asked(capsys, "-", "--json", "--why", *DOUBTER)
    told = [json.loads(line) for line in out.splitlines()]
    assert (code, err) == (0, "")
    assert [one["why"]["text"] for one in told] == ["re x", "", "re hello"]
    assert told[1]["why"]["source"] == "declined"
    assert told[0]["why"]["neighbours"][0]["source"] == "f.txt:1\x1b]0;owned\x07"


def test_lines_of_stdin_offer_nothing(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, "x\ny\n")
    assert asked(capsys, "-", *DOUBTER) == (0, "re x\nre y\n", "")


@pytest.mark.parametrize("arguments", [("--why",), ("--why", "--json"), ()])
def test_no_escape_sequence_gets_through(capsys: Capture, arguments: tuple[str, ...]) -> None:
    _, out, err = asked(capsys, "x", *arguments, *DOUBTER)
    assert "owned" in out + err
    assert not UNSAFE.search(out + err)
