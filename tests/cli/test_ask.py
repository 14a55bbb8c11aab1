"""`chatseq ask`: one reply, or one for each line; JSON with fixed fields; nothing heavy loaded."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import TAUGHT

from chatseq.cli.main import run

FIELDS = [
    "text",
    "source",
    "confidence",
    "alternatives",
    "bot",
    "strategy",
    "tokens",
    "milliseconds",
]
PROGRAM = [sys.executable, "-m", "chatseq"]

PICKY = '''
"""A responder that refuses some questions."""

from chatseq.core.errors import ChatseqError
from chatseq.core.exchange import Reply, ReplySource
from chatseq.hookspecs import hookimpl


class Picky:
    def __init__(self, bot):
        pass

    def reply(self, question, context=()):
        if question == "bad":
            raise ChatseqError("Not that. Ask another.")
        if question == "worse":
            1 / 0
        return Reply(f"re {question}", ReplySource.RETRIEVED, 1.0)


@hookimpl
def chatseq_responders():
    return {"picky": Picky}
'''

pytestmark = pytest.mark.usefixtures("tiny_bot")
Capture = pytest.CaptureFixture[str]


def given(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def asked(capsys: Capture, *arguments: str) -> tuple[int, str, str]:
    code = run(["ask", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize("question", ["hello", "你好"])
def test_a_question_gives_the_answer_alone(capsys: Capture, question: str) -> None:
    assert asked(capsys, question) == (0, TAUGHT[question] + "\n", "")


def test_json_has_exactly_the_fixed_fields(capsys: Capture) -> None:
    code, out, err = asked(capsys, "hello", "--json")
    told = json.loads(out)
    assert (code, err, out.count("\n")) == (0, "", 1)
    assert list(told) == FIELDS
    assert told["text"] == TAUGHT["hello"]
    assert told["source"] == "generated"
    assert 0 <= told["confidence"] <= 1
    assert (told["bot"], told["strategy"]) == ("tiny", "greedy")
    assert told["tokens"] > 1
    assert told["milliseconds"] > 0


def test_alternatives_have_text_and_confidence(capsys: Capture) -> None:
    told = json.loads(asked(capsys, "hello", "--json", "--strategy", "beam")[1])
    assert told["strategy"] == "beam"
    assert told["alternatives"]
    for other in told["alternatives"]:
        assert list(other) == ["text", "confidence"]
        assert 0 <= other["confidence"] <= 1


def test_settings_change_how_it_answers(capsys: Capture) -> None:
    told = json.loads(asked(capsys, "hello", "--json", "--set", "decoding.max_length=2")[1])
    assert told["tokens"] == 2
    assert TAUGHT["hello"].startswith(told["text"])


def test_a_dash_answers_each_line_with_a_line(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    given(monkeypatch, "\ufeffhello\r\n\n你好\nbye")
    wanted = f"{TAUGHT['hello']}\n\n{TAUGHT['你好']}\n{TAUGHT['bye']}\n"
    assert asked(capsys, "-") == (0, wanted, "")


def test_a_dash_with_json_gives_an_object_for_each_line(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    given(monkeypatch, "hello\n\nbye\n")
    told = [json.loads(line) for line in asked(capsys, "-", "--json")[1].splitlines()]
    assert [each["text"] for each in told] == [TAUGHT["hello"], "", TAUGHT["bye"]]
    assert told[1]["source"] == "declined"
    assert [list(each) for each in told] == [FIELDS] * 3
    assert {each["bot"] for each in told} == {"tiny"}


def test_a_line_that_fails_does_not_lose_the_others(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    (home / "plugins").mkdir()
    (home / "plugins" / "picky.py").write_text(PICKY, encoding="utf-8")
    given(monkeypatch, "a\nbad\nworse\nb\n")
    code, out, err = asked(capsys, "-", "--set", "responder.name=picky")
    assert (code, out) == (1, "re a\n\n\nre b\n")
    assert err == "Error: Not that. Ask another.\nError: ZeroDivisionError: division by zero\n"


def test_each_line_is_answered_before_the_next_is_read() -> None:
    with subprocess.Popen(
        [*PROGRAM, "ask", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as asking:
        assert asking.stdin is not None
        assert asking.stdout is not None
        for question in ("hello", "bye"):
            asking.stdin.write(question + "\n")
            asking.stdin.flush()
            assert asking.stdout.readline() == TAUGHT[question] + "\n"
        asking.stdin.close()
    assert asking.returncode == 0


def test_a_reader_that_leaves_ends_it_quietly() -> None:
    command = f"yes hello | {' '.join(PROGRAM)} ask - | head -n 2; echo ${{PIPESTATUS[1]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert done.stdout == f"{TAUGHT['hello']}\n{TAUGHT['hello']}\n0\n"
    assert "Traceback" not in done.stderr
    assert "chatseq" not in done.stderr


def test_a_slash_is_just_a_character(capsys: Capture) -> None:
    code, out, _ = asked(capsys, "/help")
    assert code == 0
    assert "/quit" not in out


def test_an_empty_question_is_a_usage_error(capsys: Capture) -> None:
    code, out, err = asked(capsys, "  ")
    assert (code, out) == (2, "")
    assert "The question is empty. Write one, or - to read stdin." in err


def test_an_unknown_bot_is_told_with_the_nearest_one(capsys: Capture) -> None:
    code, out, err = asked(capsys, "hello", "--bot", "tinny")
    assert (code, out) == (1, "")
    assert err.startswith("Error: No bot named 'tinny'. Did you mean 'tiny'?")


def test_an_unknown_strategy_is_told(capsys: Capture) -> None:
    code, _, err = asked(capsys, "hello", "--strategy", "greedi")
    assert code == 1
    assert "No strategy named 'greedi'" in err
    assert "Did you mean 'greedy'?" in err


def test_nothing_is_stored(capsys: Capture, home: Path) -> None:
    assert asked(capsys, "hello")[0] == 0
    assert not (home / "history.db").exists()


@pytest.mark.parametrize("damage", ["flip", "remove"])
def test_a_damaged_bot_is_told_by_its_file(capsys: Capture, tiny_bot: Path, damage: str) -> None:
    file = tiny_bot / "step.onnx"
    if damage == "flip":
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    else:
        file.unlink()
    code, out, err = asked(capsys, "hello")
    assert (code, out) == (1, "")
    assert err.startswith("Error: The bot 'tiny'")
    assert "is damaged: step.onnx" in err
    assert err.count("\n") == 1


def loaded_modules(*arguments: str) -> dict[str, Any]:
    code = (
        "import json, sys\n"
        "from chatseq.cli.main import run\n"
        f"code = run({list(arguments)!r})\n"
        "print(json.dumps({'code': code, 'modules': sorted(sys.modules)}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    told: dict[str, Any] = json.loads(done.stdout.strip().split("\n")[-1])
    return told


def test_asking_imports_nothing_that_it_does_not_need() -> None:
    told = loaded_modules("ask", "hello")
    assert told["code"] == 0
    needless = {"torch", "sqlalchemy", "alembic", "prompt_toolkit", "rich", "asyncio", "onnx"}
    assert needless & set(told["modules"]) == set()


def test_debug_shows_where_a_fault_came_from() -> None:
    done = subprocess.run(
        [*PROGRAM, "--debug", "ask", "hello", "--bot", "nope"],
        capture_output=True,
        text=True,
        env={**os.environ},
    )
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert done.stderr.strip().split("\n")[-1].startswith("Error: No bot named 'nope'")


def test_an_old_name_of_a_section_works_and_is_told_once(capsys: Capture) -> None:
    code, out, err = asked(capsys, "hello", "--set", "qa.seed=1", "--set", "qa.batch=2")
    assert (code, bool(out.strip())) == (0, True), err
    assert err.count("'qa.' is now called 'responder.'; the old name still works.") == 1
