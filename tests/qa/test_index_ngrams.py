"""What a question is cut into, and what makes no difference."""

from __future__ import annotations

import subprocess
import sys
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatseq_qa.index_ngrams import KINDS, Grams, grams, words_of

BUCKETS = 1 << 20


def hashed(kind: int, *texts: str) -> list[int]:
    return sorted(kind * BUCKETS + zlib.crc32(text.encode()) % BUCKETS for text in texts)


def same(one: str, other: str) -> bool:
    return bool(np.array_equal(grams(one, BUCKETS).together(), grams(other, BUCKETS).together()))


def test_a_text_is_cut_into_words_pairs_and_pieces_of_words() -> None:
    found = grams("The cat", BUCKETS)
    assert found.words.tolist() == hashed(0, "the", "cat")
    assert found.pairs.tolist() == hashed(1, "the cat")
    pieces = ["<th", "the", "he>", "<the", "the>", "<ca", "cat", "at>", "<cat", "cat>"]
    assert found.pieces.tolist() == hashed(2, *pieces)


def test_pieces_have_the_lengths_that_were_asked_for() -> None:
    found = grams("cats", BUCKETS, shortest=5, longest=9)
    assert found.pieces.tolist() == hashed(2, "<cats", "cats>")
    assert grams("cats", BUCKETS, shortest=6).pieces.tolist() == []


def test_every_gram_counts_once() -> None:
    found = grams("no no no", BUCKETS)
    assert found.words.tolist() == hashed(0, "no")
    assert found.pairs.tolist() == hashed(1, "no no")
    assert found.pieces.tolist() == hashed(2, "<no", "no>")


def test_kinds_share_a_table_without_meeting() -> None:
    few = 16
    found = grams("how do I bake bread without yeast in winter", few)
    assert found.together().dtype == np.int32
    for kind, ids in enumerate(found):
        assert len(ids)
        assert ((ids >= kind * few) & (ids < (kind + 1) * few)).all()
        assert (np.diff(ids) > 0).all()
    assert len(found) == KINDS
    assert found.together().tolist() == [*found.words, *found.pairs, *found.pieces]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What's the price?", "whats the price"),
        ("what’s the price", "What's the price"),
        ("Hello, world!", "hello world"),
        ("HELLO   WORLD", "hello world"),
        ("(hello) -- world...", "hello world"),
        ("ｈｅｌｌｏ", "hello"),
        ("你好吗？", "你好吗"),
        ("你好 吗", "你好吗"),
        ("good\u200bday", "good day"),
        ("❤\ufe0f", "❤"),
    ],
)
def test_case_width_and_punctuation_make_no_difference(one: str, other: str) -> None:
    assert same(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("dogs", "cats"),
        ("dog bites man", "man bites dog"),
        ("C++", "C"),
        ("C++", "C#"),
        ("no", "no no"),
        ("狗咬人", "人咬狗"),
        ("😀", "😢"),
        ("5 $", "5 €"),
        ("?", "!"),
        ("नमस्ते", "नमसत"),
    ],
)
def test_what_means_something_makes_a_difference(one: str, other: str) -> None:
    assert not same(one, other)


def test_each_chinese_character_is_a_word_and_other_scripts_keep_their_runs() -> None:
    assert words_of("我想用PyTorch。") == ["我", "想", "用", "pytorch"]
    assert words_of("𠀀好") == ["𠀀", "好"]
    assert words_of("नमस्ते दुनिया") == ["नमस्ते", "दुनिया"]
    assert grams("你好吗", BUCKETS).pairs.tolist() == hashed(1, "你 好", "好 吗")
    assert grams("你好吗", BUCKETS).pieces.tolist() == []


def test_signs_are_words_of_their_own() -> None:
    assert words_of("C++ & C#, 50%") == ["c", "+", "+", "&", "c", "#", "50", "%"]
    assert words_of("great😀😀") == ["great", "😀", "😀"]


def test_a_misspelt_word_keeps_some_of_its_pieces() -> None:
    right, wrong = grams("balance", BUCKETS).pieces, grams("balence", BUCKETS).pieces
    # <ba bal nce ce> and <bal nce>
    assert len(np.intersect1d(right, wrong)) == 6


@pytest.mark.parametrize("text", ["", " ", "\n\t", "\u3000"])
def test_a_blank_text_has_no_grams(text: str) -> None:
    assert [len(ids) for ids in grams(text, BUCKETS)] == [0, 0, 0]


@pytest.mark.parametrize("text", ["???", "...", "\ud800", "\x00", "\u200b", "~"])
def test_a_text_of_punctuation_alone_is_a_word_of_its_own(text: str) -> None:
    assert len(grams(text, BUCKETS).words) == 1


@given(st.text(st.characters(exclude_categories=()), min_size=1, max_size=40))
@settings(max_examples=100, deadline=None)
def test_any_text_that_is_not_blank_has_a_word(text: str) -> None:
    found = grams(text, BUCKETS)
    assert isinstance(found, Grams)
    assert bool(len(found.words)) == bool(text.strip())


def test_of_an_endless_text_only_the_beginning_is_read() -> None:
    assert same("word " * 4000 + "end", "word " * 1000)
    assert len(grams("x" * 20_000, BUCKETS).pieces) < 20


def test_hashes_are_the_same_in_every_process() -> None:
    code = (
        "from chatseq_qa.index_ngrams import grams\n"
        "print(grams('how are you', 1 << 20).together().sum())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) == grams("how are you", BUCKETS).together().sum()
