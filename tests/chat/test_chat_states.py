"""Whatever a user does in whatever order, the database remembers what a plain history remembers."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from chatseq.chat.chat import Chat
from chatseq.history.contracts import History, Status
from chatseq.history.memory import MemoryHistory
from chatseq.history.store import HistoryStore
from chatseq.testing import ScriptedResponder

QUESTIONS = st.sampled_from(["one two three", "训练 模型", "", "x" * 500, "Ünï\nline"])


def shape(history: History) -> list[object]:
    """Return all that is kept, without what differs from run to run."""
    kept = []
    for conversation in history.conversations():
        messages = history.messages(conversation.id)
        place = {message.id: number for number, message in enumerate(messages)} | {None: -1}
        rows = [(m.role, m.text, m.status, place[m.parent]) for m in messages]
        kept.append((conversation.title, place[conversation.head], rows))
    return kept


class TwoChats(RuleBasedStateMachine):
    """The same steps in a chat on a file and in one in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.store = HistoryStore(self.folder / "history.db")
        self.memory = MemoryHistory()
        self.chats = self._chats()

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)

    def _chats(self) -> tuple[Chat, Chat]:
        return (
            Chat(ScriptedResponder(), lambda: self.store, bot="faq"),
            Chat(ScriptedResponder(), lambda: self.memory, bot="faq"),
        )

    @rule(question=QUESTIONS)
    def ask(self, question: str) -> None:
        for chat in self.chats:
            list(chat.stream(question))

    @rule(question=QUESTIONS, pieces=st.integers(1, 2))
    def interrupt(self, question: str, pieces: int) -> None:
        for chat in self.chats:
            parts = chat.stream(question)
            for _ in range(pieces):
                next(parts, None)
            parts.close()

    @precondition(lambda self: self.chats[0].turns)
    @rule()
    def retry(self) -> None:
        for chat in self.chats:
            list(chat.retry())

    @precondition(lambda self: self.chats[0].turns)
    @rule()
    def undo(self) -> None:
        assert self.chats[0].undo() == self.chats[1].undo()

    @rule()
    def new(self) -> None:
        for chat in self.chats:
            chat.new()

    @precondition(lambda self: self.memory.conversations())
    @rule(place=st.integers(0, 100))
    def resume(self, place: int) -> None:
        for chat in self.chats:
            kept = chat.history.conversations()
            chat.resume(kept[place % len(kept)].id)

    @rule()
    def restart(self) -> None:
        self.store.close()
        self.store = HistoryStore(self.folder / "history.db")
        self.chats = self._chats()

    @precondition(lambda self: len(self.memory.conversations()) > 1)
    @rule()
    def delete_the_oldest(self) -> None:
        for chat in self.chats:
            oldest = chat.history.conversations()[-1]
            if chat.conversation != oldest.id:
                chat.history.delete(oldest.id)

    @invariant()
    def both_remember_the_same(self) -> None:
        assert shape(self.store) == shape(self.memory)
        first, second = self.chats
        assert [(t.text, t.status) for t in first.turns] == [
            (t.text, t.status) for t in second.turns
        ]
        assert [len(self.store.search(q)) for q in ("two", "训练")] == [
            len(self.memory.search(q)) for q in ("two", "训练")
        ]

    @invariant()
    def nothing_is_left_waiting_or_unsaved(self) -> None:
        assert all(turn.status is not Status.PENDING for turn in self.chats[0].turns)
        assert self.chats[0].take_notices() == []
        assert self.store.faults() == ()


TwoChats.TestCase.settings = settings(max_examples=10, stateful_step_count=15, deadline=None)
TestTwoChats = TwoChats.TestCase
