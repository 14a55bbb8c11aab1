"""One conversation: the questions of a user, the replies of a bot, and the history of both.

It knows neither a terminal nor a database; it yields what is to be shown, and remarks wait in
`take_notices`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeAlias, TypeVar

from chatseq.bots.explain import explained
from chatseq.bots.responder import Responder
from chatseq.chat.choices import chosen
from chatseq.chat.turns import turns_of
from chatseq.core.errors import ChatseqError, HistoryError
from chatseq.core.exchange import Reply
from chatseq.history.contracts import (
    Conversation,
    Feedback,
    History,
    Message,
    Role,
    Status,
    Verdict,
    branch,
)
from chatseq.history.memory import MemoryHistory

Stored = TypeVar("Stored")
Parts: TypeAlias = Generator[str | Reply, None, None]


class Chat:
    """Talk with a responder; every question is stored before its reply begins.

    When the history fails, the chat goes on unsaved and a notice says so.
    """

    def __init__(
        self, responder: Responder, history: Callable[[], History], *, bot: str = ""
    ) -> None:
        """Make a chat whose first question will begin a new conversation.

        Args:
            history: called once, when first needed, so that it may still be opening
            bot: the name that is stored with each question
        """
        self.responder = responder
        self.bot = bot
        self.last_reply: Reply | None = None  # to the question that stands last, if given here
        self._open = history
        self._opened: History | None = None
        self._unsaved: MemoryHistory | None = None  # stands in after the history has failed
        self._notices: list[str] = []
        self._conversation: str | None = None
        self._turns: list[Message] = []

    @property
    def conversation(self) -> str | None:
        """The id of the conversation; None before its first question."""
        return self._conversation

    @property
    def turns(self) -> tuple[Message, ...]:
        """The messages of the present branch, oldest first."""
        return tuple(self._turns)

    @property
    def history(self) -> History:
        """The history, for lists and searches; waits until it is open."""
        if self._opened is None:
            self._opened = self._open()
            self._notices += self._opened.notices
        return self._opened

    @property
    def saved(self) -> bool:
        """Whether the next question will outlive this process; waits as `history` does."""
        return self._unsaved is None and self.history.saved

    @property
    def unsaved(self) -> History | None:
        """The history that holds this chat while it is not saved; waits as `history` does."""
        holding = self._unsaved or self.history
        return None if holding.saved else holding

    def take_notices(self) -> list[str]:
        """Return what the user should be told since the last call, one line each."""
        taken, self._notices = self._notices, []
        return taken

    def stream(self, question: str) -> Parts:
        """Yield the reply as it comes to stand, and last the finished Reply, which is stored then.

        Closing the iterator, or an interrupt, stores the part that had come, marked interrupted.
        """
        asked = self._store(
            lambda history: history.add_question(
                question, conversation=self._conversation, parent=self._head, bot=self.bot
            )
        )
        self._conversation = asked.conversation
        self._turns.append(asked)
        self.last_reply = None
        yield from self._answer()

    def retry(self) -> Parts:
        """Answer the last question again; the earlier reply stays in the history beside it.

        Raises:
            ChatseqError: nothing was asked yet.
        """
        place = self._last_question("retry")
        del self._turns[place + 1 :]
        self.last_reply = None
        return self._answer()

    def choose(self, number: int) -> Reply:
        """Answer the last question with what else was meant by it; the first reply stays beside.

        Args:
            number: of a choice that `last_reply` leaves (chatseq.chat.choices), from 1
        """
        if self.last_reply is None:
            raise ValueError("there is no reply to choose something else than")
        reply = chosen(self.last_reply, number)
        place = self._last_question("choose")
        del self._turns[place + 1 :]
        self._keep(place, reply)
        return reply

    def explain(self) -> Reply | None:
        """Return the last reply with all that explains it; None where it was not given here."""
        if self.last_reply is None or self.last_reply.interrupted:
            return self.last_reply
        place = self._last_question("explain")
        context = turns_of(self._turns[:place])
        return explained(self.responder, self._turns[place].text, self.last_reply, context)

    def undo(self) -> str:
        """Take back the last question with its reply, and return its text.

        Raises:
            ChatseqError: nothing was asked yet.
        """
        place = self._last_question("undo")
        taken = self._turns[place].text
        del self._turns[place:]
        self.last_reply = None
        self._store(lambda history: history.move_head(self._conversation or "", self._head))
        return taken

    def judge(self, verdict: Verdict, correction: str = "") -> Feedback:
        """Store what the user thinks of the last reply, instead of what was said about it before.

        Args:
            correction: the right answer; for the verdict `correct` alone

        Raises:
            ChatseqError: the last question has no reply, or nothing was asked yet.
        """
        if not self._turns or self._turns[-1].role is not Role.REPLY:
            raise ChatseqError("There is no reply to judge. Ask a question first.")
        return self._store(
            lambda history: history.add_feedback(self._turns[-1].id, verdict, correction)
        )

    def new(self) -> None:
        """Let the next question begin a new conversation, saved again if the last one was not."""
        self._unsaved = None
        self._conversation = None
        self._turns = []
        self.last_reply = None

    def resume(self, which: str) -> Conversation:
        """Go on with an earlier conversation.

        Args:
            which: its id, the beginning of its id, or `last`

        Raises:
            HistoryError: there is no such conversation, or it cannot be read.
        """
        found = self.history.find(which)
        self._turns = list(branch(self.history.messages(found.id), found.head))
        self._unsaved = None
        self._conversation = found.id
        self.last_reply = None
        return found

    @property
    def _head(self) -> int | None:
        return self._turns[-1].id if self._turns else None

    def _last_question(self, action: str) -> int:
        for place in reversed(range(len(self._turns))):
            if self._turns[place].role is Role.QUESTION:
                return place
        raise ChatseqError(f"There is nothing to {action} yet. Ask a question first.")

    def _answer(self) -> Parts:
        """Answer the question that stands last."""
        asked = len(self._turns) - 1
        parts = self.responder.stream(self._turns[asked].text, turns_of(self._turns[:asked]))
        stored = False
        try:
            for part in parts:
                if isinstance(part, Reply):
                    self._keep(asked, part)  # before it is shown as finished
                    stored = True
                yield part
            if not stored:
                raise ChatseqError(
                    f"The bot '{self.bot}' ended without a reply. Tell the author of its responder."
                )
        except BaseException as fault:  # a fault, Ctrl-C, or the consumer has closed the iterator
            parts.close()
            if not stored:
                self._keep_part(asked, parts.partial(), failed=isinstance(fault, Exception))
            raise

    def _keep_part(self, asked: int, part: Reply, *, failed: bool) -> None:
        if failed and not part.text:
            self._store(lambda history: history.mark_failed(self._turns[asked].id))
            self._turns[asked] = replace(self._turns[asked], status=Status.FAILED)
        else:
            self._keep(asked, replace(part, interrupted=True))

    def _keep(self, asked: int, reply: Reply) -> None:
        named = replace(reply, bot=reply.bot or self.bot)
        added = self._store(lambda history: history.add_reply(self._turns[asked].id, named))
        self._turns[asked:] = [replace(self._turns[asked], status=Status.COMPLETE), added]
        self.last_reply = named

    def _store(self, change: Callable[[History], Stored]) -> Stored:
        """Change the history; where that fails, change one in memory from now on."""
        try:
            return change(self._unsaved or self.history)
        except HistoryError as fault:
            self._notices.append(f"{fault} This chat goes on unsaved.")
            self._unsaved = self._copy()
            return change(self._unsaved)

    def _copy(self) -> MemoryHistory:
        """Return a history in memory that holds the present branch."""
        copy = MemoryHistory()
        if self._conversation is None:
            return copy
        kept = Conversation(
            self._conversation, "", self.bot, datetime.now(UTC), self._head, len(self._turns)
        )
        copy.add_conversation(kept, self._turns)
        self._turns = list(copy.messages(self._conversation))
        return copy
