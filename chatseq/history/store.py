"""The history in a database: the only door to it. Values come out, never rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import starmap
from pathlib import Path

from sqlalchemy import ColumnElement, Select, delete, func, select, update
from sqlalchemy.orm import Session, aliased

from chatseq.core.exchange import Reply
from chatseq.history import faults, records, sqlite, words
from chatseq.history.connect import connect, readable_faults
from chatseq.history.contracts import (
    Conversation,
    Feedback,
    Message,
    Review,
    SearchHit,
    Status,
    Verdict,
)
from chatseq.history.rows import (
    feedback_of,
    message_of,
    row_of_conversation,
    row_of_feedback,
    row_of_message,
)
from chatseq.history.tables import ConversationRow, FeedbackRow, MessageRow


class HistoryStore:
    """Keep conversations in a database by the contract of chatseq.history.contracts.History.

    It may be made in one thread and used in others. Every change is one transaction, on the disk
    before its method returns.
    """

    saved = True

    def __init__(self, where: Path | str) -> None:
        """Open the history.

        Args:
            where: a SQLite file, made if it does not exist, or a SQLAlchemy URL

        Raises:
            HistoryError: it cannot be opened, or was written by a newer chatseq.
        """
        self._engine, self._place, self.notices = connect(where)
        self._writer = sqlite.writer_of(self._engine)
        self._indexed = False
        if sqlite.is_sqlite(self._engine):
            with self._reading() as session:
                self._indexed = sqlite.index_is_current(session.connection())

    def add_question(
        self, text: str, *, conversation: str | None, parent: int | None, bot: str = ""
    ) -> Message:
        with self._writing() as session:
            if conversation is None:
                conversation = _begin(session, text, bot)
            _check_parent(session, conversation, parent)
            question = records.a_question(text, conversation, parent, bot)
            return _add(session, question)

    def add_reply(self, question: int, reply: Reply) -> Message:
        with self._writing() as session:
            asked = _message_row(session, question)
            asked.status = Status.COMPLETE
            return _add(session, records.a_reply(reply, asked.conversation_id, question))

    def mark_failed(self, question: int) -> None:
        with self._writing() as session:
            asked = _message_row(session, question)
            if asked.status == Status.PENDING:
                asked.status = Status.FAILED

    def move_head(self, conversation: str, message: int | None) -> None:
        with self._writing() as session:
            _check_parent(session, conversation, message)
            _conversation_row(session, conversation).head_id = message

    def find(self, which: str) -> Conversation:
        prefix = records.wanted_prefix(which)
        if not which.strip():
            raise faults.no_conversation(which)
        wanted = ConversationRow.id.startswith(prefix, autoescape=True)
        with self._reading() as session:
            matching = _conversations(session, wanted, 6 if prefix else 1)
        name = faults.only_one(which, [conversation.id for conversation in matching])
        return next(conversation for conversation in matching if conversation.id == name)

    def conversations(self, limit: int | None = None) -> tuple[Conversation, ...]:
        with self._reading() as session:
            return _conversations(session, None, limit)

    def messages(self, conversation: str) -> tuple[Message, ...]:
        query = select(MessageRow).where(MessageRow.conversation_id == conversation)
        with self._reading() as session:
            _conversation_row(session, conversation)
            return tuple(message_of(row) for row in session.scalars(query.order_by(MessageRow.id)))

    def search(self, query: str, limit: int = 20) -> tuple[SearchHit, ...]:
        terms = words.terms_of(query)
        if not terms or limit < 1:
            return ()
        with self._reading() as session:
            if self._indexed:
                ids = sqlite.search(session.connection(), terms, limit)
                wanted: list[ColumnElement[bool]] = [MessageRow.id.in_(ids)]
            else:
                wanted = [MessageRow.words.contains(words.pattern_of(term)) for term in terms]
            rows = session.execute(
                select(MessageRow, ConversationRow.title)
                .join(ConversationRow, ConversationRow.id == MessageRow.conversation_id)
                .where(*wanted)
                .order_by(MessageRow.id.desc())
                .limit(limit)
            )
            return tuple(
                SearchHit(message_of(row), title, words.snippet(row.text, terms))
                for row, title in rows
            )

    def add_feedback(self, reply: int, verdict: Verdict, correction: str = "") -> Feedback:
        text = records.a_correction(verdict, correction)
        with self._writing() as session:
            message = message_of(_message_row(session, reply))
            asked = session.get(MessageRow, message.parent) if message.parent else None
            said = records.a_feedback(message, asked.text if asked else "", verdict, text)
            session.execute(delete(FeedbackRow).where(FeedbackRow.message_id == reply))
            row = row_of_feedback(said, reply)
            session.add(row)
            session.flush()
            return replace(said, id=row.id)

    def feedback(
        self,
        *,
        bot: str = "",
        status: Review | None = None,
        conversation: str = "",
        limit: int | None = None,
    ) -> tuple[Feedback, ...]:
        query = _judged().order_by(FeedbackRow.id.desc()).limit(limit)
        if bot:
            query = query.where(MessageRow.bot == records.clean(bot))
        if status:
            query = query.where(FeedbackRow.status == status)
        if conversation:
            query = query.where(MessageRow.conversation_id == records.clean(conversation))
        with self._reading() as session:
            return tuple(starmap(feedback_of, session.execute(query)))

    def review(self, feedback: int, status: Review) -> Feedback:
        with self._writing() as session:
            found = session.execute(_judged().where(FeedbackRow.id == feedback)).one_or_none()
            if found is None:
                raise faults.no_feedback(feedback)
            said = records.reviewed(feedback_of(*found), status)
            found[0].status = status
            return said

    def add_conversation(
        self,
        conversation: Conversation,
        messages: Sequence[Message],
        feedback: Sequence[Feedback] = (),
    ) -> bool:
        with self._writing() as session:
            if session.get(ConversationRow, conversation.id):
                return False
            session.add(row_of_conversation(conversation))
            session.flush()
            new_ids: dict[int | None, int] = {}
            for message in messages:
                row = row_of_message(message, conversation.id, new_ids.get(message.parent))
                session.add(row)
                session.flush()
                new_ids[message.id] = row.id
            kept = _conversation_row(session, conversation.id)
            kept.head_id = new_ids.get(conversation.head)
            kept.latest_id = max(new_ids.values(), default=None)
            session.add_all(row_of_feedback(said, new_ids[said.message]) for said in feedback)
            return True

    def delete(self, *conversations: str) -> None:
        with self._writing() as session:
            for name in conversations:
                _conversation_row(session, name)
            for name in set(conversations):
                session.execute(delete(ConversationRow).where(ConversationRow.id == name))
        if sqlite.is_sqlite(self._engine):
            with readable_faults("cleared of what was deleted", self._place):
                sqlite.forget(self._engine)

    def faults(self) -> tuple[str, ...]:
        """Return what is damaged, one line each: in the file, and texts that have changed."""
        texts = {
            "The text of message": select(MessageRow.id, MessageRow.text, MessageRow.checksum),
            "The correction of reply": select(
                FeedbackRow.message_id, FeedbackRow.correction, FeedbackRow.checksum
            ),
        }
        with self._reading() as session:
            wrong = ""
            if sqlite.is_sqlite(self._engine):
                wrong = sqlite.damage_in(session.connection())
            changed = tuple(
                f"{what} {number} has changed on the disk."
                for what, query in texts.items()
                for number, text, checksum in session.execute(query)
                if records.checksum_of(text) != checksum
            )
        return ((wrong,) if wrong else ()) + changed

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _reading(self) -> Iterator[Session]:
        with readable_faults("read", self._place), Session(self._engine) as session:
            yield session

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        with readable_faults("written", self._place), Session(self._writer) as session:
            yield session
            session.commit()


def _begin(session: Session, question: str, bot: str) -> str:
    name = records.new_id()
    title = records.title_of(question)
    created = records.now()
    session.add(ConversationRow(id=name, title=title, bot=records.clean(bot), created=created))
    session.flush()
    return name


def _add(session: Session, message: Message) -> Message:
    row = row_of_message(message, message.conversation, message.parent)
    session.add(row)
    session.flush()
    session.execute(
        update(ConversationRow)
        .where(ConversationRow.id == row.conversation_id)
        .values(head_id=row.id, latest_id=row.id)
    )
    return message_of(row)


def _conversation_row(session: Session, name: str) -> ConversationRow:
    row = session.get(ConversationRow, records.clean(name))
    if row is None:
        raise faults.no_conversation(name)
    return row


def _message_row(session: Session, number: int) -> MessageRow:
    row = session.get(MessageRow, number)
    if row is None:
        raise faults.no_message(number)
    return row


def _check_parent(session: Session, conversation: str, parent: int | None) -> None:
    _conversation_row(session, conversation)
    if parent is not None and _message_row(session, parent).conversation_id != conversation:
        raise faults.no_message(parent)


def _judged() -> Select[FeedbackRow, MessageRow, str]:
    """Return the query of all feedback; the questions come along, as corrections need them."""
    asked = aliased(MessageRow)
    return (
        select(FeedbackRow, MessageRow, asked.text)
        .join(MessageRow, MessageRow.id == FeedbackRow.message_id)
        .outerjoin(asked, asked.id == MessageRow.parent_id)
    )


def _conversations(
    session: Session, wanted: ColumnElement[bool] | None, limit: int | None
) -> tuple[Conversation, ...]:
    count = (
        select(func.count())
        .where(MessageRow.conversation_id == ConversationRow.id)
        .scalar_subquery()
    )
    query = select(ConversationRow, count).order_by(ConversationRow.latest_id.desc()).limit(limit)
    if wanted is not None:
        query = query.where(wanted)
    return tuple(
        Conversation(row.id, row.title, row.bot, row.created, row.head_id, messages)
        for row, messages in session.execute(query)
    )
