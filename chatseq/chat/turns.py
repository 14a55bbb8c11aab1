"""The earlier turns of a chat as a corpus would hold them: questions and replies, one by one."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from chatseq.core.exchange import MOST_CONTEXT_TURNS
from chatseq.history.contracts import Message, Role


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
    return turns[-MOST_CONTEXT_TURNS:]
