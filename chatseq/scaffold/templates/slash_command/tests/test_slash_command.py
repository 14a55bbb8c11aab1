"""The command `/your-part` keeps to what chatseq asks of them, and finds what was said."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from chatseq.core.errors import ChatseqError
from chatseq.testing import contract_tests

from your_package.slash_command import find

test_contract = contract_tests("slash-command", find, name="your-part")


def shown(argument: str, *turns: str) -> list[str]:
    """Return what is shown in a chat in which this was said."""
    said: list[str] = []
    chat = SimpleNamespace(turns=[SimpleNamespace(text=text) for text in turns])
    session = SimpleNamespace(chat=chat, screen=SimpleNamespace(say=said.append))
    find(session, argument)
    return said


def test_messages_with_the_word_are_shown_with_their_numbers() -> None:
    said = shown("open", "Are you open?", "Yes, until six.", "OPEN on Sunday?")
    assert said == ["   1  Are you open?\n   3  OPEN on Sunday?"]


def test_what_nobody_said_is_told() -> None:
    assert shown("closed", "Are you open?") == ["Nobody said 'closed' yet."]


def test_without_a_word_the_command_says_what_it_needs() -> None:
    with pytest.raises(ChatseqError, match="Name it: /your-part word"):
        shown("")
