"""The earlier turns of a chat as a corpus would hold them: questions and replies, one by one."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from chatseq.history.contracts import Message, Role

# Earlier turns that a responder gets to see: as many as question.context_turns can ask for.
CONTEXT_MESSAGES = 64


def turns_of(messages: Sequence[Message]) -> list[str]:
    """Return the newest questions that got a reply, each followed by it, oldest first.

    What a bot has learnt from alternates, and an odd number of turns back is its own reply. So a
    question without a reply is left out: the reply failed, or was stopped before its first word.

    Args:
        messages: the present branch of a conversation, oldest first
    """
    turns: list[str] = []
    for asked, replied in itertools.pairwise(messages):
        in_order = asked.role is Role.QUESTION and replied.role is Role.REPLY
        if in_order and asked.text.strip() and replied.text.strip():
            turns += [asked.text, replied.text]
    return turns[-CONTEXT_MESSAGES:]
