"""Which questions a file asks, and what counts as right."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from chatseq.core.exchange import Exchange
from chatseq.text.question_encoder import newest_turns


class EvaluationQuestion(NamedTuple):
    """A question that is asked once, with every answer that is right."""

    text: str
    answers: tuple[str, ...]  # distinct, in the order of the rows; empty: to be declined
    context: tuple[str, ...] = ()  # earlier turns that are read with it, oldest first


def evaluation_questions(
    exchanges: Iterable[Exchange], context_turns: int = 0
) -> list[EvaluationQuestion]:
    """Return the distinct questions in the order of their first rows.

    Rows with the same question after the same turns are one question with several answers; one
    answer among them makes it a question with an answer.

    Args:
        context_turns: how many earlier turns are read; those before them make no other question
    """
    # A dict keeps order, a set does not.
    answers: dict[tuple[str, tuple[str, ...]], dict[str, None]] = {}
    for exchange in exchanges:
        context = newest_turns(exchange.context, context_turns)
        known = answers.setdefault((exchange.question, context), {})
        if exchange.answer.strip():
            known[exchange.answer] = None
    return [
        EvaluationQuestion(text, tuple(known), context)
        for (text, context), known in answers.items()
    ]
