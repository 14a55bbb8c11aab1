"""The fakes that stand in for a trained bot do what they say."""

from __future__ import annotations

import pytest

import chatseq.testing
from chatseq.testing import LetterTokenizer, babbling_bot
from chatseq.testing.bots import CountingEngine
from chatseq.testing.checks.searching import random_engine
from chatseq.text.tokenizer import END_ID, PAD_ID, START_ID


def test_letters_have_the_ids_behind_the_marks() -> None:
    tokenizer = LetterTokenizer("abc")
    assert tokenizer.size == 6
    assert tokenizer.encode("cab") == [5, 3, 4]
    assert tokenizer.decode([START_ID, 5, 3, 4, END_ID, PAD_ID]) == "cab"
    assert tokenizer.pieces([END_ID, 5]) == ["<end>", "c"]


def test_what_is_no_letter_is_read_as_the_first_one() -> None:
    tokenizer = LetterTokenizer()
    assert tokenizer.decode(tokenizer.encode("Hi, 你")) == "hi   "
    assert tokenizer.encode_answer("hi") == tokenizer.sample("hi", 3) == tokenizer.encode("hi")
    assert tokenizer.to_json().startswith('" abc')


def test_a_babbling_bot_says_the_same_each_time() -> None:
    engine = CountingEngine(random_engine())
    bot = babbling_bot(engine)
    questions = [bot.reader.read("hello"), bot.reader.read("who are you")]
    found = []
    for _ in range(2):
        search = bot.search(questions)
        for _step in search:
            pass
        found.append([search.hypotheses(at)[0].tokens for at in range(2)])
    assert found[0] == found[1]
    assert len(set(found[0])) == 2
    assert engine.calls > 4
    assert bot.responder.reply("hi you").text == "hi you"


def test_every_public_name_is_there_and_no_other() -> None:
    for name in chatseq.testing.__all__:
        assert getattr(chatseq.testing, name).__module__.startswith("chatseq.testing")
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = chatseq.testing.nothing
