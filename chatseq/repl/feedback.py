"""Slash commands that tell what the last reply was worth, and what would have been right."""

from __future__ import annotations

from chatseq.core.errors import ChatseqError
from chatseq.history.contracts import Verdict
from chatseq.repl.commands import slash_command
from chatseq.repl.session import ReplSession

REVIEW = "Review: chatseq history feedback list"
UNSAVED = "This chat is not saved, so that it counts in this chat only."


@slash_command()
def good(session: ReplSession, argument: str) -> None:  # noqa: ARG001
    """Say that the last reply was right.

    Once it is accepted with `chatseq history feedback accept`, a bot can be trained on it.
    """
    session.chat.judge(Verdict.GOOD)
    _noted(session, "Noted as good.")


@slash_command()
def bad(session: ReplSession, argument: str) -> None:  # noqa: ARG001
    """Say that the last reply was wrong; /correct says what is right.

    It is stored for whoever looks after the bot. The bot answers as before.
    """
    session.chat.judge(Verdict.BAD)
    _noted(session, "Noted as bad. Say what is right with /correct.")


@slash_command(usage="<text>")
def correct(session: ReplSession, argument: str) -> None:
    """Say what the last reply should have been.

    The bot knows it from the next question on. Once it is accepted with
    `chatseq history feedback accept`, a bot can be trained on it.
    """
    if not argument.strip():
        raise ChatseqError("The right answer is missing. Write it behind: /correct <text>")
    session.chat.judge(Verdict.CORRECT, argument)
    _noted(session, "Noted. The next time this is asked, that is the answer.")


def _noted(session: ReplSession, what: str) -> None:
    session.screen.note(f"{what} {UNSAVED if session.unsaved else REVIEW}")
