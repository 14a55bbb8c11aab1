"""The tables of the history as they are now; migrations/ holds how they came to be.

`words` is the text as the line of its words (chatseq.history.words), on which any database can
search; SQLite adds a full-text index over it (chatseq.history.sqlite).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, Float, ForeignKey, Integer, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator


class UtcTime(TypeDecorator[datetime]):
    """A point in time, kept in UTC also by databases that know no time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002  (SQLAlchemy's signature)
    ) -> datetime | None:
        return value if value is None else value.astimezone(UTC)

    def process_result_value(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002  (SQLAlchemy's signature)
    ) -> datetime | None:
        if value is None or value.tzinfo is not None:
            return value
        return value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """Holds the description of all tables."""


class ConversationRow(Base):
    """A conversation; `head_id` and `latest_id` have no foreign key, or the tables would circle."""

    __tablename__ = "conversations"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    bot: Mapped[str] = mapped_column(Text)
    created: Mapped[datetime] = mapped_column(UtcTime)
    head_id: Mapped[int | None] = mapped_column(Integer)
    latest_id: Mapped[int | None] = mapped_column(Integer, index=True)  # its newest message


class MessageRow(Base):
    """A message; ids only grow and are never given twice, so they are the order of events."""

    __tablename__ = "messages"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012  (SQLAlchemy's own form)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    conversation_id: Mapped[str] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE"), index=True
    )
    parent_id: Mapped[int | None] = mapped_column(
        ForeignKey("messages.id", ondelete="CASCADE"), index=True
    )
    role: Mapped[str] = mapped_column(String(16))
    text: Mapped[str] = mapped_column(Text)
    words: Mapped[str] = mapped_column(Text)
    checksum: Mapped[str] = mapped_column(String(32))  # blake2b of the text, in hex
    status: Mapped[str] = mapped_column(String(16))
    created: Mapped[datetime] = mapped_column(UtcTime)
    source: Mapped[str] = mapped_column(String(32))
    confidence: Mapped[float | None] = mapped_column(Float)
    strategy: Mapped[str] = mapped_column(Text)
    bot: Mapped[str] = mapped_column(Text)
    model: Mapped[str] = mapped_column(Text)
    tokens: Mapped[int] = mapped_column(Integer)
    milliseconds: Mapped[float] = mapped_column(Float)
    seed: Mapped[str | None] = mapped_column(String(40))  # as text: it may exceed 64 bits
    alternatives: Mapped[list[dict[str, Any]]] = mapped_column(JSON)


class FeedbackRow(Base):
    """What a user said about a reply; a new verdict is a new row, so ids tell which is newer."""

    __tablename__ = "feedback"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012  (SQLAlchemy's own form)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    message_id: Mapped[int] = mapped_column(
        ForeignKey("messages.id", ondelete="CASCADE"), index=True, unique=True
    )
    verdict: Mapped[str] = mapped_column(String(16))
    correction: Mapped[str] = mapped_column(Text)
    checksum: Mapped[str] = mapped_column(String(32))  # of the correction, as of a message's text
    status: Mapped[str] = mapped_column(String(16))
    created: Mapped[datetime] = mapped_column(UtcTime)
