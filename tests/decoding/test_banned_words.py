"""Banned words: no reply holds them, and little else is lost."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatseq.core.errors import PartError
from chatseq.core.options import build_part
from chatseq.core.plugins import Registry
from chatseq.decoding.contracts import SearchRequest, SearchState
from chatseq.decoding.search import decode
from chatseq.decoding.token_bytes import token_bytes
from chatseq.testing import LetterTokenizer, RandomEngine, ScriptedEngine, questions_of
from chatseq.text.tokenizer import END_ID
from chatseq_strategies.banned_words import BannedWords
from chatseq_strategies.bans import Bans, forms_of
from chatseq_strategies.greedy import Greedy
from chatseq_strategies.sample import Sample
from chatseq_strategies.words import pattern_of
from chatseq_subword.part import Subword
from chatseq_subword.tokenizer import SubwordTokenizer

MARKS = (b"", b"", b"")
PIECES = (*MARKS, b" foo", b" food", b"foo", b" f", b"oo", b"o", b" foo.", b"d", b"(", b"xfoo")


def names(bans: Bans, text: bytes) -> set[bytes]:
    return {PIECES[at] for at in [*bans.always, *bans.after(text)]}


def test_tokens_that_complete_a_word_by_hand() -> None:
    bans = Bans(["foo"], PIECES)
    whole = {b" foo", b" foo."}  # hold it, wherever they stand
    assert names(bans, b" the") == whole
    assert names(bans, b"") == whole | {b"foo"}  # at the beginning, and where nothing touches it
    assert names(bans, b" (") == whole | {b"foo"}
    assert names(bans, b" f") == whole | {b"oo"}
    assert names(bans, b" fo") == whole | {b"o"}
    assert names(bans, b" xf") == whole  # "xfoo" is another word
    assert names(bans, b" foof") == whole
    assert names(Bans(["oof"], PIECES), b" x") == set()


def test_a_word_is_found_in_the_ways_that_people_write_it() -> None:
    assert forms_of("foo Bar") == {b"foo Bar", b"foo bar", b"FOO BAR", b"Foo Bar"}
    pieces = (b"", b"", b"", b" foo", b" FOO", b" Foo", b" fOO")
    assert Bans(["foo"], pieces).always == (3, 4, 5)


def test_bytes_of_a_character_complete_a_word() -> None:
    [*bites] = (bytes([byte]) for byte in "京".encode())
    bans = Bans(["北京"], (b"", b"", b"", *bites, "京".encode(), "北".encode()))
    north = "北".encode()
    assert bans.after("我".encode()) == []
    assert bans.after(north) == [6]  # the whole character
    assert bans.after(north + b"".join(bites[:2])) == [5]  # its last byte


@pytest.fixture(scope="module")
def tokenizer() -> SubwordTokenizer:
    texts = ["the class of the ass is a good one", "food for thought, foo bar", "我爱北京天安门"]
    return Subword(vocabulary_size=600).learn(texts * 4)


def say(tokenizer: SubwordTokenizer, text: str, *words: str) -> str:
    """Return what is said by a model that wants to say a text, or else ends."""
    ids = tokenizer.encode_answer(text)

    def language(question: tuple[int, ...], reply: tuple[int, ...]) -> Mapping[int, float]:
        whole = (*ids, END_ID)
        return {whole[len(reply)]: 0.9, END_ID: 0.1} if len(reply) < len(whole) else {END_ID: 1.0}

    engine = ScriptedEngine(language, vocabulary_size=tokenizer.size)
    [[reply]] = decode(
        engine,
        questions_of((5,)),
        Greedy(),
        [BannedWords(words=words)],
        max_length=40,
        tokenizer=tokenizer,
    )
    return tokenizer.decode(reply.tokens)


def test_a_ban_stops_before_the_word_and_leaves_longer_words_alone(
    tokenizer: SubwordTokenizer,
) -> None:
    assert say(tokenizer, "the class of the ass", "ass") == "the class of the"
    assert say(tokenizer, "the class of the ass", "the ass") == "the class of the"
    assert say(tokenizer, "the class of the ass", "lass", "as", "o") == "the class of the ass"
    assert say(tokenizer, "a Good one", "good") == "a G"  # it was begun
    assert say(tokenizer, "我爱北京天安门", "天安").startswith("我爱北京")
    assert "天安" not in say(tokenizer, "我爱北京天安门", "天安")


@pytest.mark.slow("thousands of drawn replies")
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_no_reply_holds_a_banned_word(tokenizer: SubwordTokenizer, data: st.DataObject) -> None:
    words = ["a", "the", "foo", "北京", "of the", "!", "爱", "d"]
    banned = data.draw(st.lists(st.sampled_from(words), min_size=1, max_size=4))
    seed = data.draw(st.integers(0, 10_000))
    engine = RandomEngine(vocabulary_size=tokenizer.size, seed=seed, sharpness=0.5)
    adjusters = [BannedWords(words=tuple(banned))]
    found = decode(
        engine,
        questions_of((5,), (6, 7)),
        Sample(top_p=1.0, samples=3),
        adjusters,
        max_length=30,
        seed=seed,
        tokenizer=tokenizer,
    )
    for replies in found:
        for reply in replies:
            text = tokenizer.decode(reply.tokens)
            for form in (form.decode() for word in banned for form in forms_of(word)):
                assert re.search(pattern_of(form).pattern, text) is None


def test_letters_are_banned_at_the_last_one() -> None:
    letters = LetterTokenizer()
    task = SearchRequest(np, ((5,),), 9, tokenizer=letters)
    rows = [letters.encode(text) for text in ("a a fo", "in afo", "foooof")]
    search = SearchState([0], 3, np.arange(3), np.asarray(rows), np.zeros(3), (), None, 6)
    given = np.zeros((3, letters.size), dtype=np.float32)
    changed = BannedWords(words=("foo",)).begin(task)(given, search)
    assert [np.flatnonzero(np.isneginf(row)).tolist() for row in changed] == [
        letters.encode("o"),
        [],
        [],
    ]
    assert not given.any()


def test_without_words_nothing_happens() -> None:
    given = np.zeros((1, 30), dtype=np.float32)
    search: Any = None
    adjust = BannedWords().begin(SearchRequest(np, ((5,),), 9, tokenizer=LetterTokenizer()))
    assert adjust(given, search) is given


def test_options_that_make_no_sense_are_refused(registry: Registry) -> None:
    for words, told in (
        (["a", ""], r"words \(\['a', ''\]\) must not hold a blank"),
        ("foo", "'words' of the adjuster 'banned-words' cannot be 'foo'"),
    ):
        with pytest.raises(PartError, match=told):
            build_part(registry, "adjuster", {"name": "banned-words", "words": words}, where="here")


def test_the_pieces_of_a_real_tokenizer_are_banned_whole(tokenizer: SubwordTokenizer) -> None:
    pieces = token_bytes(tokenizer)
    bans = Bans(["the"], pieces)
    assert {pieces[at] for at in bans.always} == {b" the"}
