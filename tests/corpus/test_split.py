"""The split for validation: by question, whatever its spelling."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatseq.core.exchange import Exchange
from chatseq.corpus.split import split_by_question
from chatseq.text.normalise import question_key


def exchanges(*questions: str) -> list[Exchange]:
    return [Exchange(question, f"answer {n}") for n, question in enumerate(questions)]


@given(
    st.lists(st.sampled_from(["a", "A?", "b", "c!", "d", "e", "f", "g"]), max_size=40),
    st.floats(0, 0.9),
    st.integers(0, 2**40),
)
@settings(deadline=None)
def test_no_question_is_on_both_sides_and_none_is_lost(questions, share, seed):
    given = exchanges(*questions)
    train, validation = split_by_question(given, share, seed)
    assert sorted(train + validation, key=given.index) == given
    keys = [{question_key(e.question) for e in side} for side in (train, validation)]
    assert not keys[0] & keys[1]


def test_the_share_is_of_distinct_questions():
    given = exchanges(*(f"question {n}" for n in range(200)), *["question 0"] * 500)
    train, validation = split_by_question(given, 0.1, 13)
    assert len({e.question for e in validation}) == 20
    assert len({e.question for e in train}) == 180


def test_the_split_depends_on_the_seed_and_not_on_the_order():
    given = exchanges(*(f"question {n}" for n in range(50)))
    turned = given[25:] + given[:25]
    held_back = {e.question for e in split_by_question(given, 0.2, 7)[1]}
    assert {e.question for e in split_by_question(turned, 0.2, 7)[1]} == held_back
    assert {e.question for e in split_by_question(given, 0.2, 8)[1]} != held_back


def test_both_sides_keep_the_given_order():
    given = exchanges(*(f"question {n}" for n in range(50)))
    for side in split_by_question(given, 0.3, 0):
        assert [given.index(e) for e in side] == sorted(given.index(e) for e in side)


@pytest.mark.parametrize(
    ("questions", "share", "held_back"),
    [("ab", 0.01, 1), ("ab", 0.99, 1), ("ab", 0, 0), ("a", 0.5, 0), ("", 0.5, 0)],
)
def test_small_corpora_keep_something_on_each_side_where_they_can(questions, share, held_back):
    train, validation = split_by_question(exchanges(*questions), share, 0)
    assert (len(train), len(validation)) == (len(questions) - held_back, held_back)


@pytest.mark.parametrize("share", [-0.1, 1, 2])
def test_a_share_that_leaves_nothing_to_train_on_is_refused(share):
    with pytest.raises(ValueError, match=r"share \(.*\) must be at least 0 and less than 1"):
        split_by_question([], share, 0)
