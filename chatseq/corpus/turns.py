"""Conversations to exchanges: n turns give n - 1 exchanges, each with the turns before it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chatseq.core.exchange import MOST_CONTEXT_TURNS, Exchange
from chatseq.corpus.contracts import BadRows

ONE_TURN = "a conversation of one turn, which gives no exchange"


def exchanges_of_turns(
    turns: Sequence[str],
    place: str,
    bad: BadRows,
    *,
    answered_by: Sequence[bool] = (),
    tags: tuple[str, ...] = (),
) -> Iterator[Exchange]:
    """Yield an exchange for each turn and the one that follows it.

    A conversation with an empty turn is a bad row; one with a single turn is only noted.

    Args:
        answered_by: for each turn, whether it may be an answer; all may where nothing is given
    """
    empty = next((number for number, turn in enumerate(turns, 1) if not turn.strip()), 0)
    if empty:
        bad.report(place, "a turn is empty", "Remove or fill it.", detail=f"turn {empty}")
        return
    if len(turns) < 2:
        bad.note(place, ONE_TURN)
    for at in range(1, len(turns)):
        if answered_by and not (answered_by[at] and not answered_by[at - 1]):
            continue
        context = tuple(turns[max(0, at - 1 - MOST_CONTEXT_TURNS) : at - 1])
        yield Exchange(turns[at - 1], turns[at], context=context, tags=tags, source=place)
