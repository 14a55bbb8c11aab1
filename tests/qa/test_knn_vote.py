"""How the neighbours of a question vote, in numbers worked out by hand."""

from __future__ import annotations

import pytest

from chatseq.core.exchange import Alternative, Neighbour
from chatseq_qa.knn_vote import knn_vote


def neighbours(*told: tuple[str, float]) -> list[Neighbour]:
    return [Neighbour(f"q{at}", answer, f"f:{at}", like) for at, (answer, like) in enumerate(told)]


def texts(*told: tuple[str, float]) -> list[str]:
    return [answer.text for answer in knn_vote(neighbours(*told)).answers]


def test_without_neighbours_there_is_no_answer_and_nothing_to_decline_by() -> None:
    assert knn_vote([]) == (False, ())


def test_the_answer_of_the_nearest_wins_against_one_other() -> None:
    declines, answers = knn_vote(neighbours(("a", 0.8), ("b", 0.7)))
    assert not declines
    assert answers == (Alternative("a", 0.8, "q0"), Alternative("b", 0.7, "q1"))


def test_several_that_agree_outvote_the_nearest() -> None:
    # 0.6 squared is 0.36, twice that 0.72, more than 0.8 squared, which is 0.64.
    declines, answers = knn_vote(neighbours(("a", 0.8), ("b", 0.6), ("b", 0.6)))
    assert not declines
    assert answers == (Alternative("b", 0.6, "q1"), Alternative("a", 0.8, "q0"))


def test_few_that_are_far_do_not() -> None:
    # 0.5 squared is 0.25, twice that 0.5.
    assert texts(("a", 0.8), ("b", 0.5), ("b", 0.5)) == ["a", "b"]


def test_of_equal_votes_the_nearer_wins() -> None:
    assert texts(("a", 0.5), ("b", 0.5), ("c", 0.5)) == ["a", "b", "c"]


def test_the_question_itself_cannot_be_outvoted() -> None:
    declines, answers = knn_vote(neighbours(("a", 1.0), ("b", 0.9), ("b", 0.9), ("", 0.9)))
    assert not declines
    assert answers == (Alternative("a", 1.0, "q0"), Alternative("b", 0.9, "q1"))


def test_votes_for_no_answer_lower_the_confidence() -> None:
    declines, answers = knn_vote(neighbours(("a", 0.8), ("", 0.6)))
    assert not declines
    # 0.36 of 0.64 + 0.36 votes are against it.
    assert answers == (Alternative("a", pytest.approx(0.8 * 0.64), "q0"),)


def test_most_votes_for_no_answer_decline() -> None:
    declines, answers = knn_vote(neighbours(("a", 0.6), ("", 0.6), (" \n", 0.5)))
    assert declines
    assert answers == (Alternative("a", pytest.approx(0.6 * 0.36 / 0.97), "q0"),)


def test_the_question_itself_without_an_answer_leaves_no_doubt() -> None:
    declines, answers = knn_vote(neighbours(("", 1.0), ("a", 0.9)))
    assert declines
    assert answers == (Alternative("a", 0.0, "q1"),)
