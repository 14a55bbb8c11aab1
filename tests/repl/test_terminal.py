"""Whole chats on a real terminal, judged by what is on its screen."""

from __future__ import annotations

import re
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("pexpect", reason="there are no ptys on this system")

from terminal import Terminal

PROGRAM = [sys.executable, str(Path(__file__).parents[1] / "chatting.py")]
EMPTY = r"^you › Ask something"
CTRL_C, CTRL_D, ENTER, UP = "\x03", "\x04", "\r", "\x1b[A"


@pytest.fixture
def chat() -> Iterator[Terminal]:
    with Terminal([*PROGRAM, "parrot"]) as terminal:
        terminal.until(EMPTY)
        terminal.until(r"^parrot \(greedy\)")
        yield terminal


def test_a_chat_looks_like_a_chat(chat: Terminal) -> None:
    chat.send("hello there" + ENTER)
    chat.until(r"^bot › hello there \[greedy\]\n" + EMPTY)
    assert chat.lines[:3] == [
        "chatseq 0.1.0. Type a question; /help lists the commands, Ctrl-D leaves.",
        "you › hello there",
        "bot › hello there [greedy]",
    ]
    chat.until(r"^parrot \(greedy\), hello there +Ctrl-D: leave")


@pytest.mark.slow("a program in a terminal of its own; some others stay in the fast run")
def test_ctrl_d_leaves_and_tells_how_to_go_on(chat: Terminal) -> None:
    chat.send("hello" + ENTER)
    chat.until(r"^bot › hello")
    chat.until(EMPTY)
    chat.send(CTRL_D)
    assert chat.end() == 0
    assert re.search(r"^you ›\nGo on later with: chatseq chat --session \w{13}$", chat.text, re.M)


@pytest.mark.slow("a program in a terminal of its own; some others stay in the fast run")
def test_the_prompt_is_there_before_the_bot() -> None:
    with Terminal([*PROGRAM, "slow-parrot"]) as chat:
        chat.until(EMPTY)
        chat.until(r"^parrot \(loading\)")
        chat.send("early" + ENTER)
        chat.until(r"^Still loading; your message waits\.\nbot › early \[greedy\]$")
        chat.until(r"^parrot \(greedy\), early")


def test_ctrl_c_stops_the_reply_and_the_chat_goes_on(chat: Terminal) -> None:
    chat.send("slow one two three four five six seven eight nine ten" + ENTER)
    chat.until(r"^bot › slow one")
    pressed = time.monotonic()
    chat.send(CTRL_C)
    chat.until(r"^bot › slow one.* \[stopped\]\n" + EMPTY)
    assert time.monotonic() - pressed < 2
    assert "ten\n" not in chat.text.split("bot ›")[1]
    chat.send("still here" + ENTER)
    chat.until(r"^bot › still here \[greedy\]$")


@pytest.mark.slow("a program in a terminal of its own; some others stay in the fast run")
def test_what_is_typed_during_a_reply_is_kept_for_the_next_prompt(chat: Terminal) -> None:
    chat.send("slow one two" + ENTER)
    chat.until(r"^bot › slow")
    chat.send("typed ahead" + ENTER)
    chat.until(r"^bot › slow one two \[greedy\]\nyou › typed ahead\nbot › typed ahead \[greedy\]$")


@pytest.mark.slow("a program in a terminal of its own; some others stay in the fast run")
def test_ctrl_c_clears_a_line_then_hints_then_leaves(chat: Terminal) -> None:
    chat.send("wrong")
    chat.until(r"^you › wrong$")
    chat.send(CTRL_C)
    chat.until(EMPTY)
    assert "Press Ctrl-C again" not in chat.text
    chat.send(CTRL_C)
    chat.until(r"^Press Ctrl-C again, or Ctrl-D, to leave\.")
    chat.send(CTRL_C)
    assert chat.end() == 0


def test_an_unknown_command_is_told_and_not_sent(chat: Terminal) -> None:
    chat.send("/hlep" + ENTER)
    chat.until(r"^Error: No command named '/hlep'\. Did you mean '/help'\?")
    chat.until(EMPTY)
    assert "bot ›" not in chat.text


def test_commands_are_completed_as_they_are_typed(chat: Terminal) -> None:
    chat.send("/re")
    chat.until(r"^ +resume +Go on with an earlier conversation")
    chat.send("t\t\r")
    chat.until(r"There is nothing to retry yet")


def test_chinese_takes_two_columns_and_is_never_split() -> None:
    with Terminal([*PROGRAM, "parrot"], columns=30) as chat:
        chat.until(EMPTY[:12])
        chat.send("我想申请退货，请问应该怎么做才好呢？" + ENTER)
        chat.until(r"\[greedy\]$")
        start = chat.text.index("bot ›")
        shown = chat.text[start:].split("you ›")[0].split("\n")
        assert shown[:2] == ["bot › 我想申请退货，请问应该", "      怎么做才好呢？ [greedy]"]


@pytest.mark.slow("a program in a terminal of its own; some others stay in the fast run")
def test_backspace_takes_a_whole_chinese_character(chat: Terminal) -> None:
    chat.send("退货")
    chat.until(r"^you › 退货$")
    chat.send("\x7f款" + ENTER)
    chat.until(r"^bot › 退款 \[greedy\]$")


@pytest.mark.slow("a program in a terminal of its own; some others stay in the fast run")
def test_a_paste_of_lines_is_one_message(chat: Terminal) -> None:
    chat.send("\x1b[200~one\ntwo\x1b[201~")
    chat.until(r"^you › one\n    · two$")
    chat.send(ENTER)
    chat.until(r"^bot › one\n      two \[greedy\]$")


def test_escape_sequences_of_a_reply_do_not_reach_the_terminal(chat: Terminal) -> None:
    chat.settle()
    before = len(chat.raw)
    chat.send("//\x16\x1b]0;owned\x16\x07\x16\x1b[2J" + ENTER)
    chat.until(r"^bot › /.*owned.*\[2J \[greedy\]$")
    assert "\x1b]0;owned" not in chat.raw[before:]
    assert "\x1b[2J" not in chat.raw[before:]


@pytest.mark.slow("a program in a terminal of its own; some others stay in the fast run")
def test_up_brings_what_was_asked_in_an_earlier_chat(chat: Terminal) -> None:
    chat.send("remember me" + ENTER)
    chat.until(r"^bot › remember me")
    chat.until(EMPTY)
    chat.send(CTRL_D)
    assert chat.end() == 0
    with Terminal([*PROGRAM, "parrot"]) as again:
        again.until(r"^parrot \(greedy\)")
        again.settle(1.0)
        again.send(UP)
        again.until(r"^you › remember me$")


@pytest.mark.slow("a program in a terminal of its own; some others stay in the fast run")
def test_nothing_shown_is_lost_by_kill_9(chat: Terminal) -> None:
    chat.send("first" + ENTER)
    chat.until(r"^bot › first \[greedy\]")
    chat.until(EMPTY)
    chat.send("slow second three four five" + ENTER)
    chat.until(r"^bot › slow")
    chat.kill(signal.SIGKILL)
    assert chat.end() == -signal.SIGKILL
    with Terminal([*PROGRAM, "parrot", "last"]) as again:
        again.until(r"^Going on with \w{13}: first$")
        again.until(EMPTY)
        shown = [line for line in again.lines if line.startswith(("you", "bot"))]
        assert shown[:3] == [
            "you › first",
            "bot › first [greedy]",
            "you › slow second three four five",
        ]


@pytest.mark.slow("a program in a terminal of its own; some others stay in the fast run")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
@pytest.mark.parametrize("busy", [False, True])
def test_a_request_to_end_leaves_with_its_code(
    chat: Terminal, number: signal.Signals, code: int, busy: bool
) -> None:
    chat.send("hello" + ENTER)
    chat.until(r"^bot › hello \[greedy\]")
    if busy:
        chat.send("slow one two three four five six seven" + ENTER)
        chat.until(r"^bot › slow one")
    chat.kill(number)
    assert chat.end() == code
    assert "Traceback" not in chat.text
    if busy:
        assert "[stopped]" in chat.text


@pytest.mark.slow("a program in a terminal of its own; some others stay in the fast run")
def test_the_terminal_is_left_as_it_was_found() -> None:
    script = (
        f"stty -a > before; {' '.join(PROGRAM)}; echo left $?; stty -a | diff before - && echo same"
    )
    with Terminal(["bash", "-c", f"cd $CHATSEQ_HOME; {script}"]) as shell:
        shell.until(r"^parrot \(greedy\)")
        shell.send("slow one two three" + ENTER)
        shell.until(r"^bot › slow")
        shell.send(CTRL_C)
        shell.until(r"\[stopped\]")
        shell.until(EMPTY)
        shell.send(CTRL_D)
        shell.until(r"^left 0\nsame$")


@pytest.mark.slow("a program in a terminal of its own; some others stay in the fast run")
def test_a_bot_that_cannot_be_loaded_is_told_on_one_line() -> None:
    with Terminal([*PROGRAM, "absent"]) as chat:
        chat.until(r"^Error: No bot named 'absent'\. Did you mean 'parrot'\?$")
        assert chat.end() == 1
        assert "Traceback" not in chat.text


@pytest.mark.slow("a program in a terminal of its own; some others stay in the fast run")
def test_without_colour_no_colour_is_sent() -> None:
    with Terminal([*PROGRAM, "parrot"], environment={"NO_COLOR": "1"}) as chat:
        chat.until(r"^parrot \(greedy\)")
        chat.send("hello" + ENTER)
        chat.until(r"^bot › hello \[greedy\]$")
        colours = re.findall(r"\x1b\[[0-9;]*m", chat.raw)
        assert not [colour for colour in colours if re.search(r"[\[;](3|4|9|10)\d", colour)]


@pytest.mark.slow("a program in a terminal of its own; some others stay in the fast run")
@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"PYTHONIOENCODING": "latin-1"}])
def test_a_plain_terminal_gets_plain_lines(environment: dict[str, str]) -> None:
    with Terminal([*PROGRAM, "parrot"], environment=environment) as chat:
        chat.until(r"^you>")
        chat.send("hello\n")
        chat.until(r"^bot> hello \[greedy\]\nyou>")
        chat.send(CTRL_C)
        chat.until(r"^Press Ctrl-C again")
        chat.send(CTRL_D)
        assert chat.end() == 0
        assert "\x1b" not in chat.raw


@pytest.mark.slow("a program in a terminal of its own; some others stay in the fast run")
def test_twenty_columns_are_enough() -> None:
    with Terminal([*PROGRAM, "parrot"], columns=20, rows=30) as chat:
        chat.until(r"^you ›")
        chat.send("hello over there" + ENTER)
        chat.until(r"^bot › hello over\n      there\n      \[greedy\]$")


@pytest.mark.slow("a program in a terminal of its own; some others stay in the fast run")
def test_a_terminal_that_is_closed_ends_the_chat_and_keeps_what_was_said(chat: Terminal) -> None:
    chat.send("hello" + ENTER)
    chat.until(r"^bot › hello \[greedy\]")
    chat.child.ptyproc.fileobj.close()  # the kernel now sends SIGHUP
    chat.child.ptyproc.wait()
    assert (chat.child.ptyproc.exitstatus, chat.child.ptyproc.signalstatus) == (129, None)
    with Terminal([*PROGRAM, "parrot", "last"]) as again:
        again.until(r"^bot › hello \[greedy\]$")


@pytest.mark.slow("a program in a terminal of its own; some others stay in the fast run")
def test_the_greeting_comes_before_the_conversation_that_goes_on(chat: Terminal) -> None:
    chat.send("hello" + ENTER)
    chat.until(r"^bot › hello \[greedy\]\n" + EMPTY)
    chat.send(CTRL_D)
    assert chat.end() == 0
    with Terminal([*PROGRAM, "parrot", "last"]) as again:
        again.until(EMPTY)
        assert again.lines[0].startswith("chatseq 0.1.0.")
        assert again.lines[1].startswith("Going on with ")
        assert again.lines[2:4] == ["you › hello", "bot › hello [greedy]"]


@pytest.mark.slow("a program in a terminal of its own; some others stay in the fast run")
def test_faults_of_plugins_are_mentioned(home: Path) -> None:
    (home / "plugins").mkdir()
    (home / "plugins" / "bad.py").write_text("1 / 0\n", encoding="utf-8")
    with Terminal([*PROGRAM, "parrot"]) as chat:
        chat.until(r"^1 plugin fault\(s\); see: chatseq plugins doctor$")
        chat.until(EMPTY)
