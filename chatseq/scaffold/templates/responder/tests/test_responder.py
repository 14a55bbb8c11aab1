"""The responder `your-part` keeps to what chatseq asks of responders, and replies as it should."""

from __future__ import annotations

import pytest
from chatseq.core.exchange import Reply, ReplySource
from chatseq.testing import (
    LetterTokenizer,
    ScriptedEngine,
    babbling_bot,
    contract_tests,
    saying,
)

from your_package.responder import YourPart

test_contract = contract_tests("responder", YourPart, name="your-part")

LETTERS = LetterTokenizer()


def asked(**options: float) -> Reply:
    """Ask a bot that gives every letter of its answer, and the end, the probability 0.6."""
    answers = {tuple(LETTERS.encode("hello")): LETTERS.encode("hi")}
    engine = ScriptedEngine(saying(answers, sure=0.6), vocabulary_size=LETTERS.size)
    return YourPart(babbling_bot(engine), **options).reply("hello")


def test_what_is_sure_enough_is_said() -> None:
    reply = asked(sure=0.5)
    assert (reply.text, reply.source, reply.tokens) == ("hi", ReplySource.GENERATED, 3)
    # Each of the three probabilities is 0.6, and so is their geometric mean.
    assert reply.confidence == pytest.approx(0.6)


def test_what_is_not_is_declined() -> None:
    reply = asked(sure=0.7)
    assert (reply.text, reply.source) == ("I am not sure about that.", ReplySource.DECLINED)
