"""Show what a chat has to say: replies, earlier turns, remarks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from chatseq.chat.choices import offered
from chatseq.core.exchange import Reply
from chatseq.repl.session import ReplSession

if TYPE_CHECKING:
    from chatseq.history.contracts import Message

TURNS_SHOWN = 6  # of a conversation that goes on


def show_reply(session: ReplSession, parts: Iterable[str | Reply]) -> None:
    """Show a reply as it comes, and what else could be meant where the bot is not sure of it."""
    session.screen.play(parts)
    choices = offered(session.chat.last_reply, session.screen.page)
    if choices:
        session.screen.note(choices)


def show_resumed(session: ReplSession, which: str) -> None:
    """Go on with an earlier conversation, by its id or `last`, and show how it ended."""
    found = session.chat.resume(which)
    show_notices(session)
    session.screen.note(f"Going on with {found.id}: {found.title}")
    for turn in session.chat.turns[-TURNS_SHOWN:]:
        _show_turn(session, turn)


def show_notices(session: ReplSession) -> None:
    """Show what the conversation has to tell of itself."""
    for notice in session.take_notices():
        session.screen.note(notice)


def _show_turn(session: ReplSession, turn: Message) -> None:
    if turn.role == "question":
        session.screen.question(turn.text)
    else:
        session.screen.answer(turn.text)
