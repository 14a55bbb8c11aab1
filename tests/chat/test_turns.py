"""What a chat hands over is what the same conversation would give in a corpus, turn for turn."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from chatseq.chat.chat import Chat
from chatseq.chat.turns import turns_of
from chatseq.core.exchange import Reply, ReplySource
from chatseq.corpus.contracts import BadRows
from chatseq.corpus.turns import exchanges_of_turns
from chatseq.history.contracts import Message, Role, Status
from chatseq.history.memory import MemoryHistory
from chatseq.history.opening import open_history
from chatseq.testing import ScriptedResponder
from chatseq.testing.responders import ScriptedStream

TALK = ("q1", "a1", "q2", "a2", "q3", "a3", "q4", "a4")
ANSWERS: dict[str, Sequence[str | BaseException]] = {
    "q1": ["a1"],
    "q2": ["a2"],
    "q3": ["a3"],
    "q4": ["a4"],
    "long": ["par", "t", "s"],
    "broken": [RuntimeError("no power")],
    "half broken": ["hal", RuntimeError("no power")],
    "empty": [],
}


def in_training(turns: Sequence[str]) -> list[tuple[str, tuple[str, ...]]]:
    """Return the questions of the user in a corpus, each with the turns before it."""
    exchanges = exchanges_of_turns(turns, "talk.txt:1", BadRows())
    return [(each.question, each.context) for each in exchanges][::2]


@pytest.fixture
def responder() -> ScriptedResponder:
    return ScriptedResponder(ANSWERS)


@pytest.fixture
def chat(responder: ScriptedResponder) -> Chat:
    return Chat(responder, MemoryHistory)


def ask(chat: Chat, *questions: str) -> None:
    for question in questions:
        try:
            list(chat.stream(question))
        except RuntimeError as fault:
            assert str(fault) == "no power"  # noqa: PT017


def stop(chat: Chat, question: str, pieces: int) -> None:
    """Interrupt a reply after some pieces."""
    parts = chat.stream(question)
    if pieces:
        for _ in range(pieces):
            next(parts)
        parts.close()
    else:
        with pytest.raises(KeyboardInterrupt):
            list(parts)


def test_a_chat_hands_over_what_the_same_talk_gives_in_training(
    chat: Chat, responder: ScriptedResponder
) -> None:
    ask(chat, "q1", "q2", "q3", "q4")
    assert list(zip(TALK[::2], responder.contexts, strict=True)) == in_training(TALK)
    assert responder.contexts[-1] == TALK[:6]


def test_a_question_that_is_tried_again_is_asked_after_the_same_turns(
    chat: Chat, responder: ScriptedResponder
) -> None:
    ask(chat, "q1", "q2")
    list(chat.retry())
    ask(chat, "q3")
    assert responder.contexts[1] == responder.contexts[2] == TALK[:2]
    assert responder.contexts[3] == TALK[:4], "the reply that was thrown away is read no more"


def test_after_undo_the_turns_are_those_of_a_talk_without_it(
    chat: Chat, responder: ScriptedResponder
) -> None:
    ask(chat, "q1", "q4")
    chat.undo()
    ask(chat, "q2", "q3")
    assert responder.contexts[2:] == [TALK[:2], TALK[:4]]


@pytest.mark.parametrize("stored", [False, True])
def test_a_talk_that_is_resumed_goes_on_with_all_its_turns(
    responder: ScriptedResponder, stored: bool
) -> None:
    history = open_history() if stored else MemoryHistory()
    chat = Chat(responder, lambda: history)
    ask(chat, "q1", "broken", "q4")
    chat.undo()
    ask(chat, "q2")
    list(chat.retry())
    later = Chat(responder, lambda: history)
    later.resume("last")
    ask(later, "q3")
    assert responder.contexts[-1] == TALK[:4]


@pytest.mark.parametrize("silent", ["broken", "empty"])
def test_a_question_without_a_reply_does_not_shift_who_said_what(
    chat: Chat, responder: ScriptedResponder, silent: str
) -> None:
    ask(chat, "q1", silent, "q2", silent, silent, "q3")
    assert responder.contexts[-1] == TALK[:4]


def test_of_a_reply_that_was_stopped_or_broke_the_part_is_the_turn(
    chat: Chat, responder: ScriptedResponder
) -> None:
    ask(chat, "half broken")
    stop(chat, "long", pieces=2)
    ask(chat, "q1")
    assert responder.contexts[-1] == ("half broken", "hal", "long", "part")


def test_a_reply_that_was_stopped_before_its_first_word_is_no_turn() -> None:
    responder = ScriptedResponder({**ANSWERS, "slow": [KeyboardInterrupt()]})
    chat = Chat(responder, MemoryHistory)
    ask(chat, "q1")
    stop(chat, "slow", pieces=0)
    ask(chat, "q2")
    assert responder.contexts[-1] == TALK[:2]


class DecliningStream(ScriptedStream):
    def partial(self) -> Reply:
        return Reply("I do not know.", ReplySource.DECLINED, 0.1)


class Declining(ScriptedResponder):
    def stream(self, question: str, context: Sequence[str] = ()) -> ScriptedStream:
        found = super().stream(question, context)
        return DecliningStream([]) if question == "off topic" else found


def test_a_declined_question_is_a_turn_with_what_was_said_to_it() -> None:
    responder = Declining(ANSWERS)
    chat = Chat(responder, MemoryHistory)
    ask(chat, "q1", "off topic", "q2")
    assert responder.contexts[-1] == (*TALK[:2], "off topic", "I do not know.")


def test_however_long_a_talk_is_its_oldest_turn_is_a_question(
    chat: Chat, responder: ScriptedResponder
) -> None:
    ask(chat, *["q1"] * 40)
    assert responder.contexts[-1] == ("q1", "a1") * 32


def test_messages_in_a_strange_order_give_pairs_alone() -> None:
    """As an imported conversation may hold them."""
    said = [(Role.REPLY, "a0"), (Role.QUESTION, "q1"), (Role.REPLY, "a1"), (Role.REPLY, "a2"),
            (Role.QUESTION, "q3"), (Role.QUESTION, "q4"), (Role.REPLY, " "), (Role.QUESTION, " "),
            (Role.REPLY, "a5"), (Role.QUESTION, "q6"), (Role.REPLY, "a6")]  # fmt: skip
    assert turns_of([message(*each) for each in said]) == ["q1", "a1", "q6", "a6"]


def message(role: Role, text: str) -> Message:
    return Message(1, "c", None, role, text, Status.COMPLETE, datetime.now(UTC))
