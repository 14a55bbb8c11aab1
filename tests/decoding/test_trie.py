"""The prefix tree: which tokens may follow, by hand and against plain Python."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatseq.decoding.answers import Answers
from chatseq.decoding.trie import PrefixTree
from chatseq.testing import LetterTokenizer
from chatseq.text.tokenizer import END_ID

A, B, C = 3, 4, 5


@pytest.fixture(params=["numpy", "torch"])
def xp(request: pytest.FixtureRequest) -> Any:
    return np if request.param == "numpy" else pytest.importorskip("array_api_compat.torch")


def after(xp: Any, tree: PrefixTree, *replies: tuple[int, ...]) -> list[set[int]]:
    """Return which tokens may follow each reply, some at once."""
    nodes = xp.asarray([walk(xp, tree, reply) for reply in replies])
    scores = xp.zeros((len(replies), 9)) - 1.0
    found = tree.masked(xp, scores, nodes).tolist()
    assert scores.tolist() == [[-1.0] * 9] * len(replies)
    return [{token for token, score in enumerate(row) if score == -1.0} for row in found]


def walk(xp: Any, tree: PrefixTree, reply: tuple[int, ...]) -> int:
    node = xp.asarray([0])
    for token in reply:
        node = tree.step(xp, node, xp.asarray([token]))
    return int(node[0])


def test_what_may_follow_by_hand(xp: Any) -> None:
    tree = PrefixTree([(A, B), (A, C, A), (B,), (A, B)])
    assert tree.count == 3
    found = after(xp, tree, (), (A,), (A, B), (A, C), (A, C, A), (B,))
    assert found == [{A, B}, {B, C}, {END_ID}, {A}, {END_ID}, {END_ID}]


def test_an_answer_that_another_begins_with_may_end_or_go_on(xp: Any) -> None:
    tree = PrefixTree([(A,), (A, B), (A, B, C), ()])
    assert after(xp, tree, (), (A,), (A, B), (A, B, C)) == [
        {A, END_ID}, {B, END_ID}, {C, END_ID}, {END_ID}
    ]  # fmt: skip


def test_the_numbers_of_nodes_by_hand() -> None:
    # level by level: a 1, b 2; a b 3, a c 4, b end 5; a b end 6, a c end 7
    tree = PrefixTree([(A, B), (A, C), (B,)])
    assert tree._own.tokens.tolist() == [A, B, B, C, END_ID, END_ID, END_ID]
    assert tree._own.starts.tolist() == [0, 2, 4, 5, 6, 7, 7, 7, 7]


def test_a_token_that_does_not_go_on_leads_back_to_the_root(xp: Any) -> None:
    tree = PrefixTree([(A, B)])
    nodes = tree.step(xp, xp.asarray([0, 0, 1, 2, 3]), xp.asarray([A, 99, A, END_ID, A]))
    assert nodes.tolist() == [1, 0, 0, 3, 0]


def test_after_the_end_mark_nothing_is_possible(xp: Any) -> None:
    tree = PrefixTree([(A,)])
    found = tree.masked(xp, xp.zeros((2, 6)), xp.asarray([2, 0]))
    assert (found[0] == -math.inf).all()
    assert found[1, A] == 0.0


def test_an_empty_set_has_no_replies() -> None:
    assert PrefixTree([]).count == 0


@given(st.lists(st.lists(st.integers(3, 6), max_size=4).map(tuple), min_size=1, max_size=12))
def test_it_allows_exactly_the_beginnings_of_its_replies(replies: list[tuple[int, ...]]) -> None:
    tree = PrefixTree(replies)
    whole = {(*reply, END_ID) for reply in replies}
    beginnings = sorted({reply[:length] for reply in replies for length in range(len(reply) + 1)})
    found = after(np, tree, *beginnings)
    for beginning, allowed in zip(beginnings, found, strict=True):
        length = len(beginning)
        assert allowed == {row[length] for row in whole if row[:length] == beginning != row}


def test_answers_are_read_once_and_only_when_asked_for() -> None:
    asked = []

    def read() -> list[str]:
        asked.append(1)
        return ["ab", " ", "a", ""]

    answers = Answers(read)
    assert asked == []
    assert answers.texts == ("ab", "a")
    letters = LetterTokenizer()
    tree = answers.tree(letters, 9)
    assert answers.tree(letters, 9) is tree
    assert asked == [1]
    assert tree.count == 2


def test_answers_without_room_for_the_end_mark_are_left_out() -> None:
    answers, letters = Answers(lambda: ["a", "ab", "abc"]), LetterTokenizer()
    assert [answers.tree(letters, longest).count for longest in (1, 2, 3, 4, 9)] == [0, 1, 2, 3, 3]
    assert answers.tree(LetterTokenizer("abc"), 9) is not answers.tree(letters, 9)


def test_answers_tell_how_often_each_was_given() -> None:
    answers = Answers(lambda: [("ab", 3), (" ", 2), ("a", 1)])
    assert answers.counted == (("ab", 3), ("a", 1))
    assert answers.texts == ("ab", "a")
    assert Answers(lambda: ["ab", ""]).counted == (("ab", 1),)
