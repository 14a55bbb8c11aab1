"""Columns of text on a terminal, in every script."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.utils import get_cwidth

from chatseq.text.display_width import cells, padded, shortened, takes_unicode
from chatseq.text.terminal import safe_line

SCRIPTS = "ab é退货，か한हि क्षñe\u0301👩\u200d👧\ufe0f\u00ad…▅·◌ﬁ①"


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("", 0),
        ("pool", 4),
        ("泳池 a", 6),
        ("，", 2),
        ("e\u0301", 1),
        ("a\u200db", 2),
        ("co\u00adop", 5),
        ("█·", 2),
    ],
)
def test_a_text_takes_the_columns_of_its_characters(text: str, columns: int) -> None:
    assert cells(text) == columns


@given(st.text(alphabet=SCRIPTS, max_size=20))
def test_columns_are_those_by_which_the_chat_breaks_lines(text: str) -> None:
    assert cells(text) == get_cwidth(text)


def test_text_is_filled_up_by_columns_and_not_by_characters() -> None:
    assert padded("泳池", 6) + "|" == "泳池  |"
    assert padded("e\u0301", 3) == "e\u0301  "
    assert padded("too long", 3) == "too long"


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("opening hours", 13, "opening hours"),
        ("opening hours", 12, "opening h..."),
        ("opening hours", 11, "opening..."),  # no space in front of the dots
        ("泳池几点开门", 12, "泳池几点开门"),
        ("泳池几点开门", 10, "泳池几..."),
        ("泳池几点开门", 8, "泳池..."),  # half a character is none
        ("e\u0301" * 9, 8, "e\u0301" * 5 + "..."),
        (" two\n lines ", 20, "two lines"),
        ("\x1b[2Jx", 20, "\ufffd[2Jx"),
    ],
)
def test_what_does_not_fit_is_cut(text: str, width: int, shown: str) -> None:
    assert shortened(text, width) == shown


@given(st.text(max_size=30), st.integers(3, 40))
def test_a_shortened_text_always_fits_and_is_safe(text: str, width: int) -> None:
    short = shortened(text, width)
    assert cells(short) <= width
    assert safe_line(short) == short


@pytest.mark.parametrize(
    ("encoding", "takes"),
    [("utf-8", True), ("UTF8", True), ("latin-1", False), ("ascii", False), (None, False)],
)
def test_only_utf_8_takes_any_character(encoding: str | None, takes: bool) -> None:
    assert takes_unicode(encoding) is takes
