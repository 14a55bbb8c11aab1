"""An unsure reply offers what else could be meant, and a typed number takes it."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from chatting import load, room_of

from chatseq.core.plugins import Registry
from chatseq.history.memory import MemoryHistory
from chatseq.repl.dispatch import Dispatcher
from chatseq.repl.loops import converse_piped
from chatseq.repl.screen import PipeScreen
from chatseq.repl.session import ReplSession
from chatseq.repl.terminal_screen import PLAIN, Look, TerminalScreen

OFFERED = """\
I am not sure. Did you mean (type its number):
  1  opening hours of the pool
  2  Nine to noon. \ufffd]0;owned\ufffd"""


def talk(registry: Registry, *texts: str) -> tuple[ReplSession, list[str]]:
    """Return a room in which these were typed, and what was shown."""
    room, seen = room_of(registry)
    for text in texts:
        Dispatcher(room).handle(text)
    return room, seen.lines


def test_an_unsure_reply_comes_with_choices(registry: Registry) -> None:
    assert talk(registry, "unsure")[1] == ["bot unsure [greedy]", f"note {OFFERED}"]


def test_a_number_shows_the_choice_and_stores_it_beside_the_first_reply(
    registry: Registry,
) -> None:
    room, lines = talk(registry, "unsure", "1")
    assert lines[2:] == ["bot Seven to ten."]
    asked, first, chosen = room.chat.history.messages(room.conversation or "")
    assert (first.parent, chosen.parent, chosen.source) == (asked.id, asked.id, "retrieved")
    assert [turn.text for turn in room.chat.turns] == ["unsure", "Seven to ten."]


@pytest.mark.parametrize("typed", ["3", "0", "1.", "11", "one", "//1"])
def test_anything_else_is_a_new_question(registry: Registry, typed: str) -> None:
    lines = talk(registry, "unsure", typed)[1]
    assert lines[-1] == f"bot {typed.removeprefix('/')} [greedy]"


def test_a_number_chooses_once_and_only_right_after_an_unsure_reply(registry: Registry) -> None:
    lines = talk(registry, "1", "unsure", "1", "2", "unsure", "hello", "1")[1]
    replies = [line for line in lines if line.startswith("bot")]
    assert replies[:4] == [
        "bot 1 [greedy]",
        "bot unsure [greedy]",
        "bot Seven to ten.",
        "bot 2 [greedy]",
    ]
    assert replies[-1] == "bot 1 [greedy]"


def test_commands_may_come_between(registry: Registry) -> None:
    lines = talk(registry, "unsure", "/why", "/set decoding.max", "/nope", "1")[1]
    assert lines[-1] == "bot Seven to ten."


def test_after_undo_a_number_is_a_question(registry: Registry) -> None:
    assert talk(registry, "unsure", "/undo", "1")[1][-1] == "bot 1 [greedy]"


def test_a_reply_tried_again_offers_too(registry: Registry) -> None:
    lines = talk(registry, "unsure", "/retry beam", "1")[1]
    assert lines[2:] == ["bot unsure [beam]", f"note {OFFERED}", "bot Seven to ten."]


def test_what_was_chosen_is_explained(registry: Registry) -> None:
    told = talk(registry, "unsure", "1", "/why")[1][-1].split("\n")
    assert told[0].startswith("say Retrieved: ")
    assert told[2:4] == ["  0.30  Seven to ten.", "  0.90  unsure [greedy]"]
    assert told[-1] == "chosen: opening hours of the pool"


def test_a_pipe_has_the_choices_on_stderr(registry: Registry) -> None:
    out, err = io.StringIO(), io.StringIO()
    room = ReplSession(
        registry, PipeScreen(out, err), bot="parrot", load=load, history=MemoryHistory
    )
    converse_piped(room, io.StringIO("unsure\n\n1\n"))
    assert out.getvalue() == "unsure [greedy]\n\nSeven to ten.\n"
    assert err.getvalue() == OFFERED + "\n"  # once: the empty line offers nothing again


@pytest.mark.parametrize(
    ("look", "colour"), [(Look(), "\x1b[2m"), (Look().without_colour(), ""), (PLAIN, "")]
)
def test_a_terminal_shows_the_choices_below_so_that_they_do_not_stand_out(
    registry: Registry, look: Look, colour: str
) -> None:
    written: list[str] = []
    screen = TerminalScreen(written.append, lambda: None, lambda: 60, look)
    room = ReplSession(registry, screen, bot="parrot", load=load, history=MemoryHistory)
    Dispatcher(room).handle("unsure")
    end = "\x1b[0m" if colour else ""
    assert "".join(written).endswith(f"unsure [greedy]\n{colour}{OFFERED}{end}\n")


def test_a_page_is_what_fits_on_a_line_of_the_screen() -> None:
    def page(look: Look, columns: int) -> tuple[int, bool]:
        return TerminalScreen(len, lambda: None, lambda: columns, look).page

    assert page(Look(), 80) == (79, True)
    assert page(PLAIN, 20) == (19, False)
    assert PipeScreen(io.StringIO(), io.StringIO()).page == (79, False)
    unicode = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    assert PipeScreen(unicode, unicode).page == (79, True)


pytest.importorskip("pexpect", reason="there are no ptys on this system")
from terminal import Terminal  # noqa: E402  (needs pexpect)

PROGRAM = [sys.executable, str(Path(__file__).parents[1] / "chatting.py"), "parrot"]


@pytest.mark.slow("a program in a terminal of its own; some others stay in the fast run")
def test_choices_and_why_on_a_real_terminal() -> None:
    with Terminal(PROGRAM, columns=60, rows=40) as chat:
        chat.until(r"^parrot \(greedy\)")
        before = len(chat.raw)
        chat.send("不确定\r")
        chat.until(r"^我不太确定，你是不是想问（输入序号）：\n  1  泳池几点开$")
        chat.send("1\r")
        chat.until(r"^bot › 七点到十点。$")
        chat.send("/why\r")
        chat.until(r"^chosen: 泳池几点开$")
        chat.send("evil\r")
        chat.until(r"^bot › evil \[greedy\]$")
        chat.send("/why\r")
        chat.until(r"^  0\.50  .*evil\.txt:1$")
        chat.until(r"^  .*token.*  0\.61  █+ ·$")
        assert not [
            code for code in ("]0;", "[2J", "[31m", "[5m") if f"\x1b{code}" in chat.raw[before:]
        ]


@pytest.mark.slow("a program in a terminal of its own; some others stay in the fast run")
def test_a_plain_terminal_has_choices_and_tenths() -> None:
    with Terminal(PROGRAM, environment={"TERM": "dumb"}, columns=60) as chat:
        chat.until(r"^you>")
        chat.send("unsure\n")
        chat.until(r"^  1  opening hours of the pool\n")
        chat.send("1\n")
        chat.until(r"^bot> Seven to ten\.$")
        chat.send("evil\n")
        chat.send("/why\n")
        chat.until(r"  0\.61  9+ 0$")
        assert "\x1b" not in chat.raw
