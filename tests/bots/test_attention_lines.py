"""Attention as lines: what each token looked at, aligned in every script."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatseq.bots.attention_lines import (
    BLOCKS,
    DIGITS,
    TokenTrace,
    attention_lines,
    heat,
    piece_name,
)
from chatseq.text.display_width import Page, cells

POOL = ["opening", "hours", "of", "pool", "(end)"]
SEVEN = TokenTrace("Seven", 0.98, (0.02, 0.1, 0.03, 0.8, 0.05))
TEN = TokenTrace("ten.", 0.5, (0.0, 0.3, 0.0, 0.45, 0.25))


@pytest.mark.parametrize(
    ("share", "block", "digit"),
    [
        (0.0, "·", "0"),
        (0.06, "·", "1"),  # less than half of an eighth
        (0.0625, "▁", "1"),
        (0.25, "▂", "2"),
        (0.5, "▄", "5"),
        (0.93, "▇", "8"),
        (0.95, "█", "9"),
        (1.0, "█", "9"),
    ],
)
def test_a_bar_grows_with_the_share(share: float, block: str, digit: str) -> None:
    assert heat(share, Page()) == block
    assert heat(share, Page(blocks=False)) == digit


def test_each_bar_is_higher_than_the_one_before() -> None:
    steps = [heat(n / 8, Page()) for n in range(9)]
    assert "".join(steps) == BLOCKS
    assert "".join(heat(n / 9, Page(blocks=False)) for n in range(10)) == DIGITS


@pytest.mark.parametrize(
    ("piece", "name"),
    [
        (" hours", "hours"),
        ("hours", "hours"),
        ("<end mark>", "(end)"),
        ("<start mark>", "(start)"),
        ("<pad mark>", "(pad)"),
        ("<0xE9>", "<0xE9>"),
        (" ", "(space)"),
        ("\n", "(space)"),
        ("", "(empty)"),
        ("池", "池"),
        ("\u0301", "◌\u0301"),
        ("ि", "◌ि"),
        ("\x1b[2J", "\ufffd[2J"),
        ("a\nb", "a b"),
    ],
)
def test_pieces_have_names_that_people_can_read(piece: str, name: str) -> None:
    assert piece_name(piece) == name


def test_a_question_that_fits_is_columns_under_its_pieces() -> None:
    assert attention_lines([SEVEN, TEN], POOL, Page()) == [
        "               opening hours of pool (end)",
        "  Seven  0.98  ······· ▁▁▁▁▁ ·· ▆▆▆▆ ·····",
        "  ten.   0.50  ······· ▂▂▂▂▂ ·· ▄▄▄▄ ▂▂▂▂▂",
    ]


def test_a_terminal_without_blocks_gets_tenths() -> None:
    assert attention_lines([SEVEN], POOL, Page(blocks=False)) == [
        "               opening hours of pool (end)",
        "  Seven  0.98  0000000 11111 00 7777 00000",
    ]


def test_chinese_stands_above_its_bars() -> None:
    tokens = [TokenTrace("七点", 0.9, (0.0, 1.0, 0.5)), TokenTrace("。", 1.0, (0.5, 0.0, 0.0))]
    lines = attention_lines(tokens, ["泳池", "几", "(end)"], Page())
    assert lines == [
        "              泳池 几 (end)",
        "  七点  0.90  ···· ██ ▄▄▄▄▄",
        "  。    1.00  ▄▄▄▄ ·· ·····",
    ]
    assert len({cells(line) for line in lines}) == 1


def test_a_mark_of_its_own_has_a_column_of_its_own() -> None:
    lines = attention_lines([TokenTrace("a", 1.0, (0.0, 1.0))], ["e", piece_name("\u0301")], Page())
    assert lines == ["           e ◌\u0301", "  a  1.00  · █"]


def test_a_question_that_is_too_wide_gives_what_each_token_looked_at_most() -> None:
    assert attention_lines([SEVEN, TEN], POOL, Page(41)) == [
        "  Seven  0.98  ▆ 0.80 pool  ▁ 0.10 hours",
        "  ten.   0.50  ▄ 0.45 pool  ▂ 0.30 hours",
    ]


def test_three_pieces_are_named_where_there_is_room() -> None:
    wide = [*POOL, "x" * 20, "y" * 20]
    (line,) = attention_lines([TEN], wide, Page(60))
    assert line == "  ten.  0.50  ▄ 0.45 pool  ▂ 0.30 hours  ▂ 0.25 (end)"


def test_the_columns_are_used_as_soon_as_they_fit() -> None:
    assert len(attention_lines([SEVEN], POOL, Page(42))) == 2
    assert len(attention_lines([SEVEN], POOL, Page(41))) == 1


def test_without_attention_there_are_tokens_and_probabilities() -> None:
    tokens = [TokenTrace("Seven", 0.98, ()), TokenTrace("ten.", 0.5, ())]
    assert attention_lines(tokens, POOL, Page()) == ["  Seven  0.98", "  ten.   0.50"]


def test_a_token_as_long_as_an_answer_is_cut() -> None:
    phrase = TokenTrace("We are open from seven to ten.", 1.0, (1.0,))
    assert attention_lines([phrase], ["pool"], Page()) == [
        "                             pool",
        "  We are open from...  1.00  ████",
    ]


PIECES = st.lists(st.text(alphabet="ab 退货\u0301é\x1b", max_size=9), min_size=1, max_size=12)


@given(PIECES, PIECES, st.integers(50, 100), st.randoms(use_true_random=False))
def test_every_line_fits_and_every_token_has_one(
    question: list[str], reply: list[str], columns: int, random: object
) -> None:
    tokens = [
        TokenTrace(piece_name(piece), 0.5, [1 / len(question)] * len(question)) for piece in reply
    ]
    lines = attention_lines(tokens, [*map(piece_name, question)], Page(columns))
    assert len(lines) - len(reply) in (0, 1)
    assert all(cells(line) <= columns for line in lines)
    assert "\x1b" not in "".join(lines)
