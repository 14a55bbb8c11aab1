"""Breaking text between words while it grows."""

from __future__ import annotations

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.utils import get_cwidth

from chatseq.repl.wrap import Wrapper, wrapped


def shown(pieces: list[str], columns: int, *, indent: int = 0, label: str = "") -> list[str]:
    """Return the lines of a terminal that was sent these pieces."""
    screen = pyte.Screen(columns, 40)
    stream = pyte.Stream(screen)
    wrapper = Wrapper(indent=indent)
    stream.feed(label)
    for piece in pieces:
        stream.feed(wrapper.feed(piece, columns).replace("\n", "\r\n"))
    lines = [line.rstrip() for line in screen.display]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def test_short_text_stays_on_its_line() -> None:
    assert shown(["one ", "two"], 20) == ["one two"]


def test_a_word_that_does_not_fit_goes_to_the_next_line_whole() -> None:
    assert shown(["one two three"], 11) == ["one two", "three"]


def test_a_word_that_grows_over_the_edge_is_taken_back() -> None:
    assert shown(["one two ", "th", "re", "e"], 11) == ["one two", "three"]


def test_further_lines_begin_under_the_label() -> None:
    lines = shown(["one two three\nfour"], 15, indent=6, label="bot > ")
    assert lines == ["bot > one two", "      three", "      four"]


def test_a_word_longer_than_the_line_is_split() -> None:
    assert shown(["abcdefghijklmno"], 8) == ["abcdefg", "hijklmn", "o"]


def test_chinese_breaks_between_any_characters_and_never_in_one() -> None:
    assert shown(["我想申请退货谢谢"], 10) == ["我想申请", "退货谢谢"]


def test_the_space_at_a_break_vanishes() -> None:
    assert shown(["abcdefg hijk"], 8) == ["abcdefg", "hijk"]


def test_a_terminal_that_cannot_move_back_gets_no_control_characters() -> None:
    wrapper = Wrapper(can_erase=False)
    assert wrapper.feed("one two three", 11) == "one two th\nree"


def test_twenty_columns_hold_everything() -> None:
    lines = shown(["Type chatseq train FILE to begin"], 20, indent=6, label="bot > ")
    assert lines == ["bot > Type chatseq", "      train FILE to", "      begin"]


def test_known_text_is_broken_without_moving_back() -> None:
    assert wrapped("one two three\n\nfour", 11) == "one two \nthree\n\nfour"


@pytest.mark.parametrize("columns", [1, 2, 3])
def test_an_absurdly_narrow_terminal_loses_nothing(columns: int) -> None:
    written = wrapped("ab 退", columns)
    assert written.replace("\n", "").replace(" ", "") == "ab退"


def test_an_accent_of_its_own_takes_no_column() -> None:
    wrapper = Wrapper()
    assert wrapper.feed("e\u0301" * 5 + "f", 6) == "e\u0301" * 5 + "\nf"


TEXT = st.text(alphabet="abc 退货\né", max_size=60)


@given(TEXT, st.integers(4, 30), st.integers(0, 6), st.data())
def test_no_line_is_too_wide_and_no_character_is_lost(
    text: str, columns: int, indent: int, data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(text)))
    lines = shown([text[:cut], text[cut:]], max(columns, indent + 4), indent=indent)
    assert all(get_cwidth(line) <= max(columns, indent + 4) for line in lines)
    letters = "".join("".join(lines).split())
    assert sorted(letters) == sorted("".join(text.split()))
