"""Which answer the neighbours of a question speak for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from chatseq.core.exchange import Alternative, Neighbour


class KnnVote(NamedTuple):
    """What the neighbours of a question say."""

    declines: bool  # most votes are for no answer
    answers: tuple[Alternative, ...]  # best first, each of them once


def knn_vote(neighbours: Sequence[Neighbour]) -> KnnVote:
    """Let neighbours vote for their answers, each with the square of its similarity.

    Where the question itself is among them, only its own answers have votes. The confidence of an
    answer is the similarity of its nearest neighbour, lowered by the share of votes for no answer.

    Args:
        neighbours: most alike first
    """
    nearest: dict[str, Neighbour] = {}
    votes: dict[str, float] = {}
    exact = bool(neighbours) and neighbours[0].similarity == 1.0
    for one in neighbours:
        answer = one.answer if one.answer.strip() else ""
        nearest.setdefault(answer, one)
        counts = one.similarity == 1.0 or not exact
        votes[answer] = votes.get(answer, 0.0) + one.similarity**2 * counts
    order = sorted(votes, key=lambda answer: -votes[answer])  # of equal ones the nearest first
    against = votes.get("", 0.0) / sum(votes.values()) if votes else 0.0
    answers = tuple(
        Alternative(text, nearest[text].similarity * (1 - against), nearest[text].question)
        for text in order
        if text
    )
    return KnnVote(bool(order) and not order[0], answers)
