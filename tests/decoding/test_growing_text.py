"""Text that grows: nothing shown ever changes, and characters come whole."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatseq.decoding.growing_text import GrowingText, text_of
from chatseq.text.tokenizer import FIRST_FREE_ID
from chatseq_subword.part import Subword
from chatseq_subword.tokenizer import SubwordTokenizer


def of_bytes(tokens: Sequence[int]) -> str:
    """Decode tokens that are bytes."""
    return bytes(tokens).decode(errors="replace")


def shown(text: str) -> list[str]:
    growing, tokens = GrowingText(of_bytes), list(text.encode())
    parts = [growing.grow(tokens[:count]) for count in range(1, len(tokens) + 1)]
    return [*parts, growing.finish(tokens, ended=True)]


def test_a_character_is_shown_when_its_last_byte_is_there() -> None:
    assert shown("a好b") == ["a", "", "", "好", "b", ""]


def test_white_space_waits_for_what_can_be_seen() -> None:
    assert shown(" \n a ") == ["", "", "", " \n a", " ", ""]
    assert "".join(shown(" \n ")) == text_of(of_bytes, b" \n ", ended=True) == ""


def test_half_a_character_is_dropped_from_a_reply_that_was_cut_and_told_in_one_that_ended() -> None:
    half = b"ab\xf0\x9f"
    assert text_of(of_bytes, half, ended=False) == "ab"
    assert text_of(of_bytes, half, ended=True) == "ab\ufffd"


def test_what_is_shown_stays_even_where_a_decoder_changes_its_mind() -> None:
    growing = GrowingText(lambda tokens: ["", "cat", "dog", "catfish"][len(tokens)])
    assert [growing.grow([0] * count) for count in (1, 2, 3)] == ["cat", "", "fish"]
    assert growing.shown == "catfish"


@pytest.fixture(scope="module")
def tokenizer() -> SubwordTokenizer:
    return Subword(vocabulary_size=512).learn(["the cat sat on the mat. 你好吗？ héllo! " * 3])


@given(data=st.data())
def test_any_tokens_are_shown_piece_by_piece_as_what_they_are_whole(
    tokenizer: SubwordTokenizer, data: st.DataObject
) -> None:
    ids = st.integers(FIRST_FREE_ID, tokenizer.size - 1)
    emoji = st.sampled_from([tokenizer.encode(text) for text in ("😀", "👨‍👩‍👧", "好", " a")])
    runs = st.lists(st.one_of(ids.map(lambda at: [at]), emoji), max_size=12)
    tokens = [at for run in data.draw(runs) for at in run]
    growing = GrowingText(tokenizer.decode)
    parts = [growing.grow(tokens[: count + 1]) for count in range(len(tokens))]
    parts.append(growing.finish(tokens, ended=True))
    whole = tokenizer.decode(tokens)
    assert "".join(parts) == growing.shown == (whole if whole.strip() else "")
