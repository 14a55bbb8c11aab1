"""What the linear classifier sees of a question."""

from __future__ import annotations

import numpy as np
import pytest

from chatseq_qa.classifier_features import Views, views_of


def same(one: Views, other: Views) -> bool:
    return all(np.array_equal(*pair) for pair in zip(one, other, strict=True))


def shared(one: str, other: str) -> list[int]:
    """Return how many n-grams of each kind two questions have in common."""
    pairs = zip(views_of(one), views_of(other), strict=True)
    return [len(np.intersect1d(*pair)) for pair in pairs]


def test_each_kind_is_ascending_and_shares_no_id_with_another() -> None:
    seen = views_of("What is the best way to the station, and what is the shortest?")
    assert all(len(ids) and (np.diff(ids) > 0).all() for ids in seen)
    together = np.concatenate(seen)
    assert len(np.unique(together)) == len(together)
    assert together.min() >= 0
    assert together.dtype == np.int32


def test_case_width_and_marks_are_not_seen() -> None:
    assert same(views_of("Where are YOU?!"), views_of("where are you"))
    assert same(views_of("\uff28ello"), views_of("hello"))


def test_the_order_of_words_is_seen_by_those_near_each_other_alone() -> None:
    words, near, pieces, _ = shared("dog bites man", "man bites dog")
    assert (words, pieces) == (3, len(views_of("dog bites man").pieces))
    assert near < len(views_of("dog bites man").near)


def test_a_misspelt_word_still_shares_pieces() -> None:
    words, near, pieces, spans = shared("balance", "balence")
    assert (words, near) == (0, 1)  # both are one word between begin and end
    assert pieces > 0
    assert spans > 0


def test_what_is_near_reaches_over_words_between() -> None:
    assert shared("card lost", "card was lost")[1] > shared("card", "card was lost")[1]


@pytest.mark.parametrize("text", ["", " ", "\n\t"])
def test_nothing_is_seen_of_a_blank_question(text: str) -> None:
    assert [len(ids) for ids in views_of(text)] == [0, 0, 0, 0]


@pytest.mark.parametrize("text", ["你们几点开门", "😀", "?!", "\ud800", "x"])
def test_something_is_seen_of_any_other(text: str) -> None:
    assert all(len(ids) for ids in views_of(text))


def test_chinese_characters_are_words() -> None:
    assert len(views_of("几点开门").words) == 4
    assert shared("几点开门", "你们几点开门吗")[0] == 4


def test_an_endless_question_is_looked_at_in_part() -> None:
    long = views_of("word " * 5000 + "x" * 5000)
    assert sum(map(len, long)) < 5000


def test_the_same_question_is_seen_alike_in_every_process() -> None:
    # Hashes that differed from one process to the next would make a stored classifier useless.
    assert views_of("hello").words.tolist() == [(0x3610A686 >> 3) << 2]
