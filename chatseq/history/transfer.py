"""Conversations as JSON: what the commands print, and what is exported and imported again."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

from chatseq.core.errors import HistoryError
from chatseq.core.exchange import Alternative
from chatseq.history.contracts import (
    Conversation,
    Feedback,
    History,
    Message,
    Review,
    Role,
    SearchHit,
    Status,
    Verdict,
)
from chatseq.history.records import a_correction, a_feedback, clean, reviewed
from chatseq.text.terminal import safe_json

_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
_LARGEST = 2**31 - 1

_NONSENSE = (ValueError, TypeError, KeyError, AttributeError, RecursionError, HistoryError)

Value = TypeVar("Value")


class Whole(NamedTuple):
    """A conversation with all that belongs to it."""

    conversation: Conversation
    messages: tuple[Message, ...]
    feedback: tuple[Feedback, ...] = ()


def conversation_value(conversation: Conversation) -> dict[str, Any]:
    """Return a conversation without its messages, as JSON has it."""
    return {
        "id": conversation.id,
        "title": conversation.title,
        "bot": conversation.bot,
        "created": conversation.created.isoformat(),
        "head": conversation.head,
        "message_count": conversation.messages,
    }


def message_value(message: Message) -> dict[str, Any]:
    """Return a message as JSON has it."""
    return {
        "id": message.id,
        "parent": message.parent,
        "role": message.role.value,
        "text": message.text,
        "status": message.status.value,
        "created": message.created.isoformat(),
        "source": message.source,
        "confidence": message.confidence,
        "strategy": message.strategy,
        "bot": message.bot,
        "model": message.model,
        "tokens": message.tokens,
        "milliseconds": message.milliseconds,
        "seed": message.seed,
        "alternatives": [asdict(alternative) for alternative in message.alternatives],
    }


def whole_value(history: History, conversation: Conversation) -> dict[str, Any]:
    """Return a conversation with its messages on all branches and its feedback, oldest first."""
    messages = [message_value(message) for message in history.messages(conversation.id)]
    told = [_short_value(said) for said in history.feedback(conversation=conversation.id)]
    return {**conversation_value(conversation), "messages": messages, "feedback": told[::-1]}


def feedback_value(feedback: Feedback) -> dict[str, Any]:
    """Return what was said about a reply as JSON has it."""
    return {
        "id": feedback.id,
        "conversation": feedback.conversation,
        "bot": feedback.bot,
        "question": feedback.question,
        "reply": feedback.reply,
        **_short_value(feedback),
    }


def _short_value(feedback: Feedback) -> dict[str, Any]:
    """Return what the messages do not say already."""
    return {
        "message": feedback.message,
        "verdict": feedback.verdict.value,
        "correction": feedback.correction,
        "status": feedback.status.value,
        "created": feedback.created.isoformat(),
    }


def found_value(found: SearchHit) -> dict[str, Any]:
    """Return a message that was searched for."""
    return {
        "conversation": found.message.conversation,
        "title": found.title,
        "snippet": found.snippet,
        "message": message_value(found.message),
    }


def export_lines(history: History, conversations: tuple[Conversation, ...]) -> Iterator[str]:
    """Yield conversations as JSON lines, without line ends, the oldest first.

    No line holds a character that a terminal would obey, so that the file can be looked at.
    """
    for conversation in reversed(conversations):
        value = whole_value(history, conversation)
        yield safe_json(json.dumps(value, ensure_ascii=False, allow_nan=False))


def conversation_of(line: str, place: str) -> Whole:
    """Return the conversation that an exported line holds.

    Args:
        place: `file:line`, for errors

    Raises:
        HistoryError: the line was not made by exporting.
    """
    try:
        return _read(json.loads(line, parse_constant=_no_number))
    except _NONSENSE as fault:
        reason = " ".join(str(fault).split()) or type(fault).__name__
        missing = f"{reason} is missing" if isinstance(fault, KeyError) else reason
        raise HistoryError(
            f"{place}: this is no exported conversation ({missing[:100]}). "
            "Give a file made by: chatseq history export"
        ) from fault


def _read(value: Mapping[str, Any]) -> Whole:
    name = _text(value, "id")
    if not _ID.fullmatch(name):
        raise ValueError("its id cannot be used")
    messages: list[Message] = []
    known: set[int | None] = {None}
    for kept in value["messages"]:
        message = replace(_message(kept), conversation=name)
        if message.parent not in known or message.id in known:
            raise ValueError(f"message {message.id} does not follow one before it")
        known.add(message.id)
        messages.append(message)
    head = _optional(value, "head", int)
    if head not in known:
        raise ValueError(f"its head {head} is no message of it")
    conversation = Conversation(
        name, _text(value, "title"), _text(value, "bot"), _time(value), head, len(messages)
    )
    return Whole(conversation, tuple(messages), _all_feedback(value, messages))


def _all_feedback(value: Mapping[str, Any], messages: list[Message]) -> tuple[Feedback, ...]:
    by_id = {message.id: message for message in messages}
    read: dict[int, Feedback] = {}
    for kept in value.get("feedback", ()):  # there was none before form 0002
        said = _feedback(kept, by_id)
        if said.message in read:
            raise ValueError(f"there are two verdicts on reply {said.message}")
        read[said.message] = said
    return tuple(read.values())


def _feedback(value: Mapping[str, Any], messages: Mapping[int, Message]) -> Feedback:
    reply = messages.get(_typed(value, "message", int))
    if reply is None:
        raise ValueError(f"there is feedback on message {value['message']}, which is missing")
    asked = messages[reply.parent].text if reply.parent is not None else ""
    verdict = Verdict(value["verdict"])
    said = a_feedback(reply, asked, verdict, a_correction(verdict, _text(value, "correction")))
    return replace(reviewed(said, Review(value["status"])), created=_time(value))


def _message(value: Mapping[str, Any]) -> Message:
    return Message(
        id=_typed(value, "id", int),
        conversation="",
        parent=_optional(value, "parent", int),
        role=Role(value["role"]),
        text=_text(value, "text"),
        status=Status(value["status"]),
        created=_time(value),
        source=_text(value, "source")[:32],
        confidence=_optional(value, "confidence", float),
        strategy=_text(value, "strategy"),
        bot=_text(value, "bot"),
        model=_text(value, "model"),
        tokens=max(0, min(_typed(value, "tokens", int), _LARGEST)),
        milliseconds=_typed(value, "milliseconds", float),
        seed=_optional(value, "seed", int),
        alternatives=tuple(
            Alternative(_text(a, "text"), _typed(a, "confidence", float), _question(a))
            for a in value["alternatives"]
        ),
    )


def _question(alternative: Mapping[str, Any]) -> str:
    return _text(alternative, "question") if "question" in alternative else ""


def _typed(value: Mapping[str, Any], key: str, kind: type[Value]) -> Value:
    given = value[key]
    if kind is float and type(given) is int:
        given = float(given)
    if type(given) is not kind or (isinstance(given, float) and not math.isfinite(given)):
        raise ValueError(f"'{key}' is no {kind.__name__}")
    return given


def _optional(value: Mapping[str, Any], key: str, kind: type[Value]) -> Value | None:
    return None if value[key] is None else _typed(value, key, kind)


def _text(value: Mapping[str, Any], key: str) -> str:
    return clean(_typed(value, key, str))


def _time(value: Mapping[str, Any]) -> datetime:
    given = datetime.fromisoformat(_text(value, "created"))
    return given.replace(tzinfo=UTC) if given.tzinfo is None else given.astimezone(UTC)


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")
