"""The slash command that explains the last reply."""

from __future__ import annotations

from chatseq.bots.explain import explanation_lines, remembered
from chatseq.core.errors import ChatseqError
from chatseq.core.exchange import Reply
from chatseq.history.contracts import Role
from chatseq.repl.commands import slash_command
from chatseq.repl.session import ReplSession

KEPT = "Only this is kept in the history. The rest was known to the chat that gave the reply."


@slash_command()
def why(session: ReplSession, argument: str) -> None:  # noqa: ARG001
    """Explain the last reply.

    Where it came from and how sure the bot is, what else it considered, which questions of the
    corpus are like yours, how likely each token was and what of the question it looked at.
    """
    reply = session.chat.explain()
    shown = reply or _stored(session)
    session.screen.say("\n".join(explanation_lines(shown, session.screen.page)))
    if reply is None:
        session.screen.note(KEPT)


def _stored(session: ReplSession) -> Reply:
    """Return what the history knows of the reply to the last question."""
    turns = session.chat.turns
    if not turns:
        raise ChatseqError("There is nothing to explain yet. Ask a question first.")
    if turns[-1].role is not Role.REPLY:
        raise ChatseqError("The last question has no reply to explain. /retry asks it again.")
    return remembered(turns[-1])
