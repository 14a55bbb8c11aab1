"""The values that come out of the history, and what every history can do.

Nothing here knows a database: SQLAlchemy is only loaded with chatseq.history.store.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from chatseq.core.exchange import Alternative, Reply

LAST = "last"  # names the conversation with the newest message, wherever an id is asked for


class Role(StrEnum):
    """Who wrote a message."""

    QUESTION = "question"
    REPLY = "reply"


class Status(StrEnum):
    """What became of a message."""

    PENDING = "pending"  # a question that has no reply yet
    COMPLETE = "complete"
    INTERRUPTED = "interrupted"  # a reply that was stopped; its text is the part that had come
    FAILED = "failed"  # a question whose reply could not be made


@dataclass(frozen=True, slots=True)
class Message:
    """One question or one reply; `parent` makes the messages of a conversation a tree."""

    id: int  # grows with every message, whatever the clock says
    conversation: str
    parent: int | None  # the message it follows; None begins the conversation
    role: Role
    text: str
    status: Status
    created: datetime  # UTC
    source: str = ""  # a chatseq.core.exchange.ReplySource; empty for questions
    confidence: float | None = None  # 0..1
    strategy: str = ""
    bot: str = ""
    model: str = ""  # checksum of the weights
    tokens: int = 0
    milliseconds: float = 0.0
    seed: int | None = None
    alternatives: tuple[Alternative, ...] = ()


class Verdict(StrEnum):
    """What a user thinks of a reply."""

    GOOD = "good"
    BAD = "bad"
    CORRECT = "correct"  # another answer would have been right; the user has given it


class Review(StrEnum):
    """What was decided about a verdict."""

    NEW = "new"
    ACCEPTED = "accepted"  # a bot may learn from it
    REJECTED = "rejected"  # nothing may come of it


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation, without its messages."""

    id: str
    title: str
    bot: str
    created: datetime  # UTC
    head: int | None  # the message the next question follows; None after everything was undone
    messages: int  # on all branches


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A message that was searched for, with the words around the place."""

    message: Message
    title: str
    snippet: str  # one line, not yet safe for a terminal


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a user said about one reply."""

    id: int  # grows with every verdict, also when it replaces another one
    conversation: str
    message: int  # the reply
    bot: str  # that made the reply
    question: str  # what the reply follows; empty where it begins a conversation
    reply: str
    verdict: Verdict
    correction: str  # the right answer; empty unless the verdict is `correct`
    status: Review
    created: datetime  # UTC


class History(Protocol):
    """Keeps conversations; usable from several threads.

    Every method raises HistoryError when the history cannot be read or written, and for an id
    that does not exist.
    """

    @property
    def saved(self) -> bool:
        """Whether what is added outlives this process."""

    @property
    def notices(self) -> tuple[str, ...]:
        """What a user should be told about opening this history, one line each."""

    def add_question(
        self, text: str, *, conversation: str | None, parent: int | None, bot: str = ""
    ) -> Message:
        """Store a question as the new head; without a conversation, begin one with it."""

    def add_reply(self, question: int, reply: Reply) -> Message:
        """Store a reply to a question as the new head; an interrupted one is marked as such."""

    def mark_failed(self, question: int) -> None:
        """Mark a question whose reply could not be made."""

    def move_head(self, conversation: str, message: int | None) -> None:
        """Let the next question follow another message of the conversation."""

    def find(self, which: str) -> Conversation:
        """Return the conversation named by its id, the beginning of its id, or `last`."""

    def conversations(self, limit: int | None = None) -> tuple[Conversation, ...]:
        """Return the conversations, that with the newest message first."""

    def messages(self, conversation: str) -> tuple[Message, ...]:
        """Return all messages of a conversation, on every branch, oldest first."""

    def search(self, query: str, limit: int = 20) -> tuple[SearchHit, ...]:
        """Return the newest messages that hold every word of the query, newest first.

        "Quoted words" must follow each other; a word that ends in * may go on. No query raises.
        """

    def add_feedback(self, reply: int, verdict: Verdict, correction: str = "") -> Feedback:
        """Store what a user thinks of a reply, instead of what was said about it before.

        Args:
            correction: the right answer; for the verdict `correct` alone, which needs it
        """

    def feedback(
        self,
        *,
        bot: str = "",
        status: Review | None = None,
        conversation: str = "",
        limit: int | None = None,
    ) -> tuple[Feedback, ...]:
        """Return what was said about replies, newest first.

        Args:
            bot: of the replies; empty: of any bot
            conversation: of the replies; empty: of any
        """

    def review(self, feedback: int, status: Review) -> Feedback:
        """Decide about a verdict; one that only says `bad` teaches nothing: it is not accepted."""

    def add_conversation(
        self,
        conversation: Conversation,
        messages: Sequence[Message],
        feedback: Sequence[Feedback] = (),
    ) -> bool:
        """Store a whole conversation, as when importing; False when its id is here already.

        Args:
            messages: oldest first; their ids are replaced, what refers to them follows
            feedback: about its replies, oldest first; its ids are replaced as well
        """

    def delete(self, *conversations: str) -> None:
        """Delete conversations for good: their words can be found nowhere afterwards.

        What was said about their replies goes with them.
        """

    def close(self) -> None:
        """Give back what the history holds open."""


def branch(messages: Sequence[Message], head: int | None) -> tuple[Message, ...]:
    """Return the messages that lead to the head, oldest first."""
    by_id = {message.id: message for message in messages}
    path = []
    while head is not None and head in by_id:
        message = by_id.pop(head)  # popped, so that a damaged loop of parents ends
        path.append(message)
        head = message.parent
    return tuple(reversed(path))
