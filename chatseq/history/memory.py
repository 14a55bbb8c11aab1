"""A history that lasts as long as the process: for chats that must not or cannot be kept."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from chatseq.core.exchange import Reply
from chatseq.history import faults, records, words
from chatseq.history.contracts import (
    Conversation,
    Feedback,
    Message,
    Review,
    SearchHit,
    Status,
    Verdict,
)


@dataclass(slots=True)
class _Kept:
    """A conversation with its messages by id, and what was said about them by their ids."""

    value: Conversation
    messages: dict[int, Message] = field(default_factory=dict)
    feedback: dict[int, Feedback] = field(default_factory=dict)


class MemoryHistory:
    """Keep conversations in memory, by the same contract as the database."""

    saved = False

    def __init__(self, *, notices: tuple[str, ...] = ()) -> None:
        self.notices = notices
        self._lock = threading.RLock()
        self._kept: dict[str, _Kept] = {}  # that with the newest message last
        self._next = 1
        self._next_feedback = 1

    def add_question(
        self, text: str, *, conversation: str | None, parent: int | None, bot: str = ""
    ) -> Message:
        with self._lock:
            if conversation is None:
                conversation = self._begin(records.title_of(text), records.clean(bot))
            kept = self._of(conversation)
            if parent is not None and parent not in kept.messages:
                raise faults.no_message(parent)
            return self._put(kept, records.a_question(text, conversation, parent, bot))

    def add_reply(self, question: int, reply: Reply) -> Message:
        with self._lock:
            kept = self._holding(question)
            self._mark(kept, question, Status.COMPLETE)
            return self._put(kept, records.a_reply(reply, kept.value.id, question))

    def mark_failed(self, question: int) -> None:
        with self._lock:
            kept = self._holding(question)
            if kept.messages[question].status is Status.PENDING:
                self._mark(kept, question, Status.FAILED)

    def move_head(self, conversation: str, message: int | None) -> None:
        with self._lock:
            kept = self._of(conversation)
            if message is not None and message not in kept.messages:
                raise faults.no_message(message)
            kept.value = replace(kept.value, head=message)

    def find(self, which: str) -> Conversation:
        with self._lock:
            prefix = records.wanted_prefix(which)
            newest_first = list(reversed(self._kept))
            if not which.strip() or (not prefix and not newest_first):
                raise faults.no_conversation(which)
            matching = [name for name in newest_first if name.startswith(prefix)]
            return self._of(faults.only_one(which, matching if prefix else matching[:1])).value

    def conversations(self, limit: int | None = None) -> tuple[Conversation, ...]:
        with self._lock:
            return tuple(kept.value for kept in reversed(self._kept.values()))[:limit]

    def messages(self, conversation: str) -> tuple[Message, ...]:
        with self._lock:
            return tuple(self._of(conversation).messages.values())

    def search(self, query: str, limit: int = 20) -> tuple[SearchHit, ...]:
        terms = words.terms_of(query)
        with self._lock:
            both = [(m, kept) for kept in self._kept.values() for m in kept.messages.values()]
        both.sort(key=lambda pair: -pair[0].id)
        found = (
            SearchHit(message, kept.value.title, words.snippet(message.text, terms))
            for message, kept in both
            if terms and words.holds(words.line_of(words.words_of(message.text)), terms)
        )
        return tuple(hit for _, hit in zip(range(limit), found, strict=False))

    def add_feedback(self, reply: int, verdict: Verdict, correction: str = "") -> Feedback:
        text = records.a_correction(verdict, correction)
        with self._lock:
            kept = self._holding(reply)
            message = kept.messages[reply]
            asked = kept.messages[message.parent].text if message.parent is not None else ""
            return self._judge(kept, records.a_feedback(message, asked, verdict, text))

    def feedback(
        self,
        *,
        bot: str = "",
        status: Review | None = None,
        conversation: str = "",
        limit: int | None = None,
    ) -> tuple[Feedback, ...]:
        with self._lock:
            everything = [said for kept in self._kept.values() for said in kept.feedback.values()]
        wanted = [
            said
            for said in sorted(everything, key=lambda said: -said.id)
            if bot in ("", said.bot)
            and status in (None, said.status)
            and conversation in ("", said.conversation)
        ]
        return tuple(wanted[:limit])

    def review(self, feedback: int, status: Review) -> Feedback:
        with self._lock:
            for kept in self._kept.values():
                for said in kept.feedback.values():
                    if said.id == feedback:
                        kept.feedback[said.message] = records.reviewed(said, status)
                        return kept.feedback[said.message]
        raise faults.no_feedback(feedback)

    def add_conversation(
        self,
        conversation: Conversation,
        messages: Sequence[Message],
        feedback: Sequence[Feedback] = (),
    ) -> bool:
        with self._lock:
            if conversation.id in self._kept:
                return False
            kept = self._kept[conversation.id] = _Kept(replace(conversation, messages=0, head=None))
            new_ids: dict[int | None, int] = {}
            for message in messages:
                parent = new_ids.get(message.parent)
                added = replace(message, conversation=conversation.id, parent=parent)
                new_ids[message.id] = self._put(kept, added).id
            kept.value = replace(kept.value, head=new_ids.get(conversation.head))
            for said in feedback:
                self._judge(kept, replace(said, message=new_ids[said.message]))
            return True

    def delete(self, *conversations: str) -> None:
        with self._lock:
            for name in conversations:
                self._of(name)
            for name in conversations:
                self._kept.pop(name, None)

    def close(self) -> None:
        """Do nothing: memory goes with the process."""

    def _begin(self, title: str, bot: str) -> str:
        name = records.new_id()
        self._kept[name] = _Kept(Conversation(name, title, bot, records.now(), None, 0))
        return name

    def _put(self, kept: _Kept, message: Message) -> Message:
        added = replace(message, id=self._next)
        self._next += 1
        kept.messages[added.id] = added
        kept.value = replace(kept.value, head=added.id, messages=len(kept.messages))
        self._kept[kept.value.id] = self._kept.pop(kept.value.id)
        return added

    def _judge(self, kept: _Kept, said: Feedback) -> Feedback:
        kept.feedback[said.message] = replace(said, id=self._next_feedback)
        self._next_feedback += 1
        return kept.feedback[said.message]

    def _mark(self, kept: _Kept, question: int, status: Status) -> None:
        kept.messages[question] = replace(kept.messages[question], status=status)

    def _of(self, conversation: str) -> _Kept:
        if conversation not in self._kept:
            raise faults.no_conversation(conversation)
        return self._kept[conversation]

    def _holding(self, message: int) -> _Kept:
        for kept in self._kept.values():
            if message in kept.messages:
                return kept
        raise faults.no_message(message)
