"""A conversation as a program holds it: questions in, finished replies or their pieces out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import TracebackType

from chatseq.bots.responder import Responder
from chatseq.bots.text_stream import TextStream
from chatseq.chat.chat import Chat, Parts
from chatseq.core.exchange import Reply
from chatseq.history.contracts import History, Message, Verdict


class ChatSession:
    """Talk with a bot that remembers what was said; `with` closes it in the end.

    It is stored where its history is: in memory, or in the one that `chatseq chat` keeps.
    """

    def __init__(
        self, chat: Chat, *, corrected_by: Callable[[History], Responder] | None = None
    ) -> None:
        """Wrap a chat.

        Args:
            corrected_by: gives what answers from now on, with the corrections in a history that
                is not saved; None: corrections are not looked up
        """
        self._chat = chat
        self._corrected_by = corrected_by

    def __enter__(self) -> ChatSession:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def id(self) -> str | None:
        """What `resume` finds it by; None before its first question."""
        return self._chat.conversation

    @property
    def turns(self) -> tuple[Message, ...]:
        """What was said, oldest first; `role` and `text` of each."""
        return self._chat.turns

    @property
    def saved(self) -> bool:
        """Whether it outlives this process."""
        return self._chat.saved

    def ask(self, question: str) -> Reply:
        """Return the finished reply; the turns before the question are its context."""
        return _last(self._chat.stream(question))

    def stream(self, question: str) -> TextStream:
        """Return the reply as it comes to stand; closing it stores the part that had come."""
        return self._pieces(self._chat.stream(question))

    def retry(self) -> Reply:
        """Answer the last question again.

        Raises:
            ChatseqError: nothing was asked yet.
        """
        return _last(self._chat.retry())

    def undo(self) -> str:
        """Take back the last question with its reply, and return its text.

        Raises:
            ChatseqError: nothing was asked yet.
        """
        return self._chat.undo()

    def judge(self, verdict: Verdict) -> None:
        """Store that the last reply was good or bad, for `chatseq history feedback`.

        Raises:
            ChatseqError: there is no reply to judge.
        """
        self._chat.judge(verdict)

    def correct(self, answer: str) -> None:
        """Store what the last reply should have been; it is known at the next question.

        Raises:
            ChatseqError: there is no reply to correct.
        """
        self._chat.judge(Verdict.CORRECT, answer)
        unsaved = self._chat.unsaved
        if unsaved is not None and self._corrected_by is not None:
            self._chat.responder = self._corrected_by(unsaved)

    def take_notices(self) -> list[str]:
        """Return what its user should be told since the last call, such as a full disk."""
        return self._chat.take_notices()

    def close(self) -> None:
        """Give the history back; a closed conversation can be resumed where it was saved."""
        self._chat.history.close()

    def _pieces(self, parts: Parts) -> TextStream:
        return TextStream(parts, lambda: self._chat.last_reply)


def _last(parts: Iterable[str | Reply]) -> Reply:
    *_, reply = parts
    assert isinstance(reply, Reply)  # noqa: S101  (a chat ends a reply with a Reply, or raises)
    return reply
