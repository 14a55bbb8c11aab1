"""The messages of the history's errors, shared by all histories."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from chatseq.core.errors import ErrorKind, HistoryError

_SHOWN = 5


def only_one(which: str, ids: Sequence[str]) -> str:
    """Return the one id that was found for what a user typed.

    Raises:
        HistoryError: none or several were found.
    """
    if not ids:
        raise no_conversation(which)
    if len(ids) > 1:
        shown = ", ".join(ids[:_SHOWN]) + (", …" if len(ids) > _SHOWN else "")
        told = f"'{which}' begins several conversations: {shown}. Type more of the id."
        raise HistoryError(told, kind=ErrorKind.CONVERSATION_NOT_FOUND, place=which)
    return ids[0]


def no_conversation(which: str) -> HistoryError:
    """Return the error about a conversation that does not exist."""
    if not which.strip():
        told = "No conversation is named. Give an id from: chatseq history list"
    else:
        told = f"No conversation '{which}'. See the ids: chatseq history list"
    return HistoryError(told, kind=ErrorKind.CONVERSATION_NOT_FOUND, place=which)


def no_message(number: int) -> HistoryError:
    """Return the error about a message that does not exist, perhaps deleted meanwhile."""
    return HistoryError(
        f"No message {number} in the history: its conversation was deleted. Begin a new one."
    )


def no_reply(number: int) -> HistoryError:
    """Return the error about a verdict on a message that answers nothing."""
    return HistoryError(f"Message {number} is a question. Only replies can be judged.")


def no_feedback(number: int) -> HistoryError:
    """Return the error about a verdict that does not exist, perhaps replaced meanwhile."""
    return HistoryError(f"No feedback {number}. See the ids: chatseq history feedback list")


def nothing_to_learn(number: int) -> HistoryError:
    """Return the error about accepting a verdict that names no right answer."""
    return HistoryError(
        f"Feedback {number} only says that the reply is bad, which teaches no bot what is right. "
        "Correct the reply in the chat with /correct, or reject the feedback."
    )


def cannot(what: str, reason: str, where: Path | str, advice: str) -> HistoryError:
    """Return the error about a history that cannot be used, with the space left on its disk."""
    return HistoryError(f"The history cannot be {what}: {reason}. {where}{_space(where)}. {advice}")


def _space(where: Path | str) -> str:
    if not isinstance(where, Path):
        return ""
    folder = next((p for p in where.parents if p.is_dir()), None)
    try:
        free = shutil.disk_usage(folder).free if folder else 0
    except OSError:
        return ""
    return f" ({free / 1e6:.1f} MB free)" if folder else ""
