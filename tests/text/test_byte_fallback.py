"""What tokenizers share: clean text, and bytes that are text again or stay out of the way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatseq.text.byte_fallback import (
    BYTES,
    FIRST_PIECE_ID,
    MARKS,
    byte_ids,
    check_dropout,
    clean,
    joined,
    unreadable,
)
from chatseq.text.tokenizer import END_ID, FIRST_FREE_ID, PAD_ID, START_ID


def piece(at: int) -> str:
    return f"[{at - FIRST_PIECE_ID}]"


def test_marks_and_bytes_have_the_first_ids() -> None:
    assert len(MARKS) == FIRST_FREE_ID
    assert (len(BYTES), BYTES[0], BYTES[255], FIRST_PIECE_ID) == (256, "<0x00>", "<0xFF>", 259)


def test_text_is_composed_and_half_a_pair_replaced() -> None:
    assert clean("e\u0301") == "é"
    assert clean("a\ud83db") == "a\ufffdb"
    assert clean("ﬁ ①") == "ﬁ ①"  # compatible characters stay what they are


@given(st.text())
def test_what_is_spelt_is_read_again(text: str) -> None:
    assert joined(byte_ids(clean(text)), piece) == clean(text)


def test_bytes_follow_the_marks() -> None:
    assert byte_ids("Aé") == [3 + 0x41, 3 + 0xC3, 3 + 0xA9]


def test_marks_are_silent_and_part_nothing() -> None:
    first, second = byte_ids("é")
    assert joined([START_ID, first, PAD_ID, second, FIRST_PIECE_ID, END_ID], piece) == "é[0]"


def test_bytes_that_are_no_text_spoil_nothing_beside_them() -> None:
    first, second = byte_ids("é")
    assert joined([*byte_ids("ab"), first, FIRST_PIECE_ID + 2, second], piece) == (
        "ab\ufffd[2]\ufffd"
    )


@pytest.mark.parametrize("dropout", [0, 0.5, 1])
def test_a_share_is_a_dropout(dropout: float) -> None:
    check_dropout(dropout)


@pytest.mark.parametrize("dropout", [-0.01, 1.01, float("nan")])
def test_something_else_is_not(dropout: float) -> None:
    with pytest.raises(ValueError, match="must be between 0 and 1"):
        check_dropout(dropout)


def test_a_broken_tokenizer_is_told_with_what_to_do() -> None:
    assert unreadable("why") == (
        "The tokenizer cannot be read: why. Train the bot again, or import it from its "
        ".chatseq file."
    )
