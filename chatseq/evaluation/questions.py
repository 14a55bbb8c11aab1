"""Which questions a file asks, and what counts as right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from chatseq.exchange import Exchange


class Asked(NamedTuple):
    """A question that is asked once, with every answer that is right."""

    text: str
    answers: tuple[str, ...]  # distinct, in the order of the rows; empty: to be declined


def asked(exchanges: Iterable[Exchange]) -> list[Asked]:
    """Return the distinct questions in the order of their first rows.

    Rows with the same question are one question with several answers; one answer among them makes
    it a question with an answer. Context is left out, since an evaluation asks without it.
    """
    answers: dict[str, dict[str, None]] = {}  # a dict keeps order, a set does not
    for exchange in exchanges:
        known = answers.setdefault(exchange.question, {})
        if exchange.answer.strip():
            known[exchange.answer] = None
    return [Asked(question, tuple(known)) for question, known in answers.items()]


def spread(questions: Sequence[Asked], most: int | None) -> Sequence[Asked]:
    """Return at most so many questions, evenly spread over all of them; None: all."""
    if most is None or len(questions) <= most:
        return questions
    return [questions[at * len(questions) // most] for at in range(most)]
