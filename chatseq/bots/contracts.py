"""What a responder must offer, and what it gets to work with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from chatseq.core.exchange import Exchange, Reply

if TYPE_CHECKING:
    from chatseq.bots.bot import Bot


@dataclass(frozen=True, slots=True)
class Correction:
    """What a user said would have been the right answer to a question."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class FitData:
    """What a responder may learn from when the network has been trained.

    Rows with an empty answer are questions to be declined.
    """

    bot: Bot  # runs the trained network; its responder is not there yet
    train: Sequence[Exchange]  # what is learnt from; it lies in the folder, too
    held_out: Sequence[Exchange]  # what is not; empty: nothing could be spared
    closed: bool  # whether answers recur, as in a FAQ
    seed: int
    fitted: Path | None = None  # where the same was learnt before, while questions were held out


class ReplyStream(Protocol):
    """A reply on its way: an iterator over the pieces of its text as they come to stand.

    The pieces joined are the text of the reply; none ever changes or ends within a character. Last
    comes the finished Reply, exactly once, unless the stream is closed before.

        stream = responder.stream(question)
        try:
            for part in stream: ...
        except KeyboardInterrupt:
            stream.close()
            reply = stream.partial()
    """

    def __iter__(self) -> Iterator[str | Reply]: ...

    def __next__(self) -> str | Reply: ...

    def close(self) -> None:
        """Stop the work within one step; closing twice, or after the end, does nothing."""

    def partial(self) -> Reply:
        """Return what was yielded so far as a Reply marked interrupted, at any time.

        After the end it is the finished Reply itself.
        """


class Responder(Protocol):
    """Turns a question and its context into a reply; what the hook `chatseq_responders` names."""

    def stream(self, question: str, context: Sequence[str] = ()) -> ReplyStream:
        """Begin a reply; nothing is computed before the first piece is asked for.

        Args:
            context: earlier turns, oldest first
        """

    def reply(self, question: str, context: Sequence[str] = ()) -> Reply:
        """Return the finished reply: the same as the stream's last value."""

    def reply_all(
        self, questions: Sequence[str], contexts: Sequence[Sequence[str]] = ()
    ) -> Iterator[Reply]:
        """Answer many questions, batched, in order; for evaluation.

        Args:
            contexts: the earlier turns of each question; empty: no question has any
        """


class TrainableResponder(Responder, Protocol):
    """A responder that learns more from the corpus once the network is trained."""

    @classmethod
    def fit(
        cls, data: FitData, folder: Path, options: Mapping[str, object]
    ) -> Mapping[str, float | None]:
        """Write what is learnt into a folder, which the bot will have as `bot.folder`.

        The corpus lies there already (chatseq.bots.bundle.pairs). Names of files are letters,
        digits, dots and hyphens; no folders.

        Where questions were held out it is called twice. First it learns what the network learnt,
        and the bot is judged on the others, which nothing in it has seen. Then it learns from all
        of them, into another folder; what it had fitted on those held out it finds in
        `data.fitted`.

        Args:
            options: what the recipe says of the responder, its name left out

        Returns:
            Figures about what was learnt, for the bot's manifest.
        """
