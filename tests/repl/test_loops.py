"""Chatting over a pipe: a line in, a line out."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from chatting import load

from chatseq.core.errors import BundleError
from chatseq.core.plugins import Registry
from chatseq.history.memory import MemoryHistory
from chatseq.repl.loops import converse_piped
from chatseq.repl.screen import PipeScreen
from chatseq.repl.session import ReplSession

PROGRAM = [sys.executable, str(Path(__file__).parents[1] / "chatting.py")]


def piped(registry: Registry, text: str, *, bot: str = "parrot") -> tuple[int, str, str]:
    """Return the exit code, stdout and stderr of a chat over a pipe."""
    out, err = io.StringIO(), io.StringIO()
    room = ReplSession(registry, PipeScreen(out, err), bot=bot, load=load, history=MemoryHistory)
    room.talkative = False
    code = converse_piped(room, io.StringIO(text))
    return code, out.getvalue(), err.getvalue()


def test_each_line_gives_a_line(registry: Registry) -> None:
    assert piped(registry, "a\nb c\n") == (0, "a [greedy]\nb c [greedy]\n", "")


def test_the_last_line_needs_no_end(registry: Registry) -> None:
    assert piped(registry, "a")[1] == "a [greedy]\n"


def test_an_empty_line_gives_an_empty_line(registry: Registry) -> None:
    assert piped(registry, "a\n\n  \nb\n")[1] == "a [greedy]\n\n\nb [greedy]\n"


def test_a_byte_order_mark_belongs_to_no_question(registry: Registry) -> None:
    assert piped(registry, "\ufeffa\r\n")[1] == "a [greedy]\n"


def test_a_line_that_fails_keeps_both_sides_in_step(registry: Registry) -> None:
    code, out, err = piped(registry, "a\nbreak\nb\n")
    assert (code, out) == (1, "a [greedy]\n\nb [greedy]\n")
    assert err == "Error: RuntimeError: a string. The chat goes on.\n"


def test_commands_work_and_answer_on_stderr(registry: Registry) -> None:
    code, out, err = piped(registry, "/set decoding.strategy.name=beam\na\n/quit\nb\n")
    assert (code, out) == (0, "a [beam]\n")
    assert err == "Set decoding.strategy.name=beam\n"


def test_an_unknown_command_is_an_error_and_no_question(registry: Registry) -> None:
    code, out, err = piped(registry, "/nope\n")
    assert (code, out) == (1, "")
    assert err.startswith("Error: No command named '/nope'.")


def test_a_bot_that_cannot_be_loaded_ends_the_chat(registry: Registry) -> None:
    with pytest.raises(BundleError, match="No bot named 'absent'"):
        piped(registry, "a\n", bot="absent")


def run(text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *arguments], input=text, capture_output=True, text=True, timeout=60
    )


def test_a_real_pipe_gets_replies_alone_and_no_escapes() -> None:
    done = run("a \x1b[2J b\n我想退货\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "a \ufffd[2J b [greedy]\n我想退货 [greedy]\n"


@pytest.mark.slow("a program of its own and its pipes")
def test_a_chat_over_a_pipe_is_stored_and_can_be_gone_on_with() -> None:
    assert run("one\n", "parrot").returncode == 0
    done = run("/sessions\ntwo\n/sessions\n", "parrot", "last")
    assert done.stdout == "two [greedy]\n"
    assert done.stderr.strip().split("\n")[-1].endswith("   4  one")


@pytest.mark.slow("a program of its own and its pipes")
def test_bytes_that_are_no_text_do_not_end_the_chat() -> None:
    done = subprocess.run(PROGRAM, input=b"a \xff b\nc\n", capture_output=True, timeout=60)
    assert done.returncode == 0
    assert done.stdout.decode() == "a \ufffd b [greedy]\nc [greedy]\n"


@pytest.mark.slow("a program of its own and its pipes")
def test_an_output_that_cannot_hold_a_character_gets_another() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        PROGRAM, input=b"caf\xc3\xa9\n", capture_output=True, timeout=60, env=environment
    )
    assert done.returncode == 0
    assert done.stdout == b"caf?? [greedy]\n"


@pytest.mark.slow("a program of its own and its pipes")
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_stops_the_reply_and_gives_its_exit_code(
    number: signal.Signals, code: int
) -> None:
    with subprocess.Popen(
        PROGRAM, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as chat:
        assert chat.stdin is not None
        assert chat.stdout is not None
        assert chat.stderr is not None
        chat.stdin.write("a\nslow one two three four five six seven eight nine ten\nnever\n")
        chat.stdin.flush()
        assert chat.stdout.readline() == "a [greedy]\n"
        time.sleep(0.7)
        chat.send_signal(number)
        part, *more = chat.stdout.read().split("\n")
        assert part.startswith("slow one")
        assert "ten" not in part
        assert "".join(more) == ""
        assert chat.stderr.read() == ""
    assert chat.returncode == code
