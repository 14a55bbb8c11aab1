"""Values as rows of the tables, and rows as values; SQLAlchemy's objects end here."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from chatseq.core.exchange import Alternative
from chatseq.history import records, words
from chatseq.history.contracts import (
    Conversation,
    Feedback,
    Message,
    Review,
    Role,
    Status,
    Verdict,
)
from chatseq.history.tables import ConversationRow, FeedbackRow, MessageRow


def row_of_conversation(conversation: Conversation) -> ConversationRow:
    """Return a conversation without its head and its messages."""
    return ConversationRow(
        id=conversation.id,
        title=records.clean(conversation.title),
        bot=records.clean(conversation.bot),
        created=conversation.created,
    )


def row_of_message(message: Message, conversation: str, parent: int | None) -> MessageRow:
    """Return a message of a conversation; its id is still to be given."""
    return MessageRow(
        conversation_id=conversation,
        parent_id=parent,
        role=message.role.value,
        text=message.text,
        words=words.line_of(words.words_of(message.text)),
        checksum=records.checksum_of(message.text),
        status=message.status.value,
        created=message.created,
        source=message.source,
        confidence=message.confidence,
        strategy=message.strategy,
        bot=message.bot,
        model=message.model,
        tokens=message.tokens,
        milliseconds=message.milliseconds,
        seed=None if message.seed is None else str(message.seed),
        alternatives=[asdict(alternative) for alternative in message.alternatives],
    )


def message_of(row: MessageRow) -> Message:
    """Return what a row holds.

    Raises:
        ValueError, TypeError, LookupError: it is damaged.
    """
    return Message(
        id=row.id,
        conversation=row.conversation_id,
        parent=row.parent_id,
        role=Role(row.role),
        text=row.text,
        status=Status(row.status),
        created=row.created,
        source=row.source,
        confidence=row.confidence,
        strategy=row.strategy,
        bot=row.bot,
        model=row.model,
        tokens=row.tokens,
        milliseconds=row.milliseconds,
        seed=None if row.seed is None else int(row.seed),
        alternatives=tuple(_alternative_of(kept) for kept in row.alternatives),
    )


def row_of_feedback(feedback: Feedback, message: int) -> FeedbackRow:
    """Return what was said about a reply; its id is still to be given."""
    return FeedbackRow(
        message_id=message,
        verdict=feedback.verdict.value,
        correction=feedback.correction,
        checksum=records.checksum_of(feedback.correction),
        status=feedback.status.value,
        created=feedback.created,
    )


def feedback_of(said: FeedbackRow, reply: MessageRow, question: str | None) -> Feedback:
    """Return what was said about a reply, with the text of what that follows.

    Raises:
        ValueError: the row is damaged.
    """
    return Feedback(
        id=said.id,
        conversation=reply.conversation_id,
        message=reply.id,
        bot=reply.bot,
        question=question or "",
        reply=reply.text,
        verdict=Verdict(said.verdict),
        correction=said.correction,
        status=Review(said.status),
        created=said.created,
    )


def _alternative_of(kept: dict[str, Any]) -> Alternative:
    text, confidence = str(kept["text"]), float(kept["confidence"])
    return Alternative(text, confidence, str(kept.get("question", "")))  # older ones have none
