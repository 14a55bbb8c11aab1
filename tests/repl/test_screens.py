"""What screens show, and what they never let through."""

from __future__ import annotations

import io
import re

import pytest

from chatseq.core.exchange import Reply, ReplySource
from chatseq.repl.screen import PipeScreen
from chatseq.repl.terminal_screen import PLAIN, Look, TerminalScreen

EVIL = "\x1b]0;owned\x07\x1b[31mred\x1b[0m\x9b2J\u202eabc"


def reply(text: str, *, interrupted: bool = False) -> Reply:
    return Reply(text, ReplySource.GENERATED, 0.5, interrupted=interrupted)


class Written(TerminalScreen):
    """A terminal screen that keeps what it wrote."""

    def __init__(self, look: Look, columns: int = 60) -> None:
        self.text = ""
        super().__init__(self._add, lambda: None, lambda: columns, look)

    def _add(self, text: str) -> None:
        self.text += text


@pytest.fixture
def piped() -> tuple[PipeScreen, io.StringIO, io.StringIO]:
    out, err = io.StringIO(), io.StringIO()
    return PipeScreen(out, err), out, err


def test_a_pipe_gets_a_line_a_reply_and_nothing_else(
    piped: tuple[PipeScreen, io.StringIO, io.StringIO],
) -> None:
    screen, out, err = piped
    screen.note("a note")
    screen.say("said")
    screen.question("asked")
    screen.error("wrong\nhere")
    screen.clear()
    screen.play(["a", "\nb", reply("a\nb")])
    assert out.getvalue() == "a b\n"
    assert err.getvalue() == "a note\nsaid\nError: wrong here\n"


def test_a_reply_that_fails_still_gives_its_line(
    piped: tuple[PipeScreen, io.StringIO, io.StringIO],
) -> None:
    screen, out, _ = piped
    with pytest.raises(ZeroDivisionError):
        screen.play(str(1 // 0) for _ in range(1))
    assert out.getvalue() == "\n"


def test_pieces_appear_as_they_come_and_the_finished_reply_adds_nothing() -> None:
    screen = Written(Look().without_colour())
    screen.play(["one", " two", reply("one two")])
    assert screen.text == "bot › one two\n"


def test_a_reply_without_pieces_is_shown_whole() -> None:
    screen = Written(Look().without_colour())
    screen.play([reply("at once")])
    assert screen.text == "bot › at once\n"


def test_a_reply_that_was_changed_in_the_end_is_shown_anew() -> None:
    screen = Written(Look().without_colour())
    screen.play(["one", reply("I do not know.")])
    assert screen.text == "bot › one\n      I do not know.\n"


@pytest.mark.parametrize(("said", "line"), [("one", "one [stopped]"), ("", "[stopped]")])
def test_a_stopped_reply_says_so(said: str, line: str) -> None:
    screen = Written(Look().without_colour())
    screen.play([said, reply(said, interrupted=True)])
    assert screen.text == f"bot › {line}\n"


def test_the_label_of_a_reply_that_never_came_is_taken_back() -> None:
    screen = Written(Look().without_colour())
    with pytest.raises(ZeroDivisionError):
        screen.play(str(1 // 0) for _ in range(1))
    assert screen.text == "bot › \r\x1b[K"


def test_colours_are_only_an_addition() -> None:
    coloured, plain = Written(Look()), Written(Look().without_colour())
    for screen in (coloured, plain):
        screen.play([reply("hi")])
        screen.note("noted")
        screen.error("wrong")
    assert "\x1b[" in coloured.text
    assert "\x1b" not in plain.text
    assert re.sub("\x1b\\[[0-9;]*m", "", coloured.text) == plain.text


def test_a_plain_terminal_gets_ascii_and_no_escapes() -> None:
    screen = Written(PLAIN)
    screen.clear()
    screen.question("q")
    screen.play(["one", reply("one", interrupted=True)])
    assert screen.text == "you> q\nbot> one [stopped]\n"


def test_nothing_that_a_terminal_obeys_gets_through() -> None:
    screen = Written(Look().without_colour(), columns=200)
    screen.say(EVIL)
    screen.note(EVIL)
    screen.error(EVIL)
    screen.question(EVIL)
    screen.play([EVIL, reply(EVIL)])
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", screen.text)
    assert screen.text.count("\ufffd[31mred") == 5


def test_nothing_that_a_terminal_obeys_gets_into_a_pipe(
    piped: tuple[PipeScreen, io.StringIO, io.StringIO],
) -> None:
    screen, out, err = piped
    screen.say(EVIL)
    screen.error(EVIL)
    screen.play([reply(EVIL)])
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", out.getvalue() + err.getvalue())
