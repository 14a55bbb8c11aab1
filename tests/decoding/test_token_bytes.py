"""The bytes of tokens, and words across their borders, with every installed tokenizer."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from chatseq.core.options import build_part
from chatseq.core.plugins import Registry, discover
from chatseq.decoding import token_bytes as module
from chatseq.decoding.token_bytes import text_so_far, token_bytes
from chatseq.testing import LetterTokenizer
from chatseq.text.tokenizer import FIRST_FREE_ID, Tokenizer
from chatseq_strategies.words import Wanted, cleaned, pattern_of
from chatseq_subword.part import Subword

TEXTS = [
    "the cat sat on the mat.",
    "(Cats are naïve, aren't they?)",
    "你好，世界！我爱北京。",
    "good luck and good morning",
    "tea for two 2 2",
]
UNSEEN = ["😀👍🏽!", "Żółw <0x41> ok", "a  b\tc", "日本", "(cat)", "“cat”"]


def learnt(registry: Registry, name: str) -> Tokenizer:
    part = build_part(registry, "tokenizer", {"name": name}, where="in a test")
    tokenizer: Tokenizer = part.learn(TEXTS * 3, TEXTS * 3)
    return tokenizer


@pytest.mark.parametrize("name", sorted(discover().parts("tokenizer")))
def test_the_bytes_of_tokens_joined_are_the_text(registry: Registry, name: str) -> None:
    tokenizer = learnt(registry, name)
    pieces = token_bytes(tokenizer)
    assert len(pieces) == tokenizer.size
    assert pieces[:FIRST_FREE_ID] == (b"", b"", b"")
    for text in [*TEXTS, *UNSEEN]:
        ids = tokenizer.encode_answer(text)
        assert text_so_far(pieces, ids).removeprefix(" ") == tokenizer.decode(ids) == text


@pytest.mark.parametrize("name", sorted(discover().parts("tokenizer")))
def test_the_tokens_of_a_word_bring_it_into_any_text(registry: Registry, name: str) -> None:
    tokenizer = learnt(registry, name)
    for word in ("cat", "good morning", "北京", "zebra", "2", "(x)", "naïve"):
        wanted = Wanted([word], tokenizer)
        for before in ("", "the cats", "tea for two", "我爱", "(", "so, "):
            tokens = tuple(tokenizer.encode_answer(before))
            for _ in range(len(word.encode()) + 3):
                stable_prefix = wanted.of(tokens)
                if not stable_prefix.following:
                    break
                tokens += stable_prefix.following[:1]
            text = tokenizer.decode(tokens)
            assert not stable_prefix.missing, (name, word, before, text)
            assert pattern_of(word).search(text)
            assert text.startswith(before.rstrip())


class Bytes:
    """A tokenizer whose second piece is half a character with a letter in front."""

    size = 6

    def decode(self, ids: Sequence[int]) -> str:
        return b"".join((b"a", b"b\xf0", b"<0x41>")[at - 3] for at in ids).decode(errors="replace")

    def pieces(self, ids: Sequence[int]) -> list[str]:
        return [("<pad>", "<start>", "<end>", "a", "b<0xF0>", "<0x41>")[at] for at in ids]


def test_half_characters_are_bytes_and_a_text_that_looks_like_one_is_text() -> None:
    assert token_bytes(Bytes()) == (b"", b"", b"", b"a", b"b\xf0", b"<0x41>")  # type: ignore[arg-type]


def test_a_tokenizer_is_looked_through_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first = LetterTokenizer()
    assert token_bytes(first) is token_bytes(first)
    others = [LetterTokenizer(letters) for letters in ("ab", "bc", "cd", "de")]
    for other in others:
        assert token_bytes(other)[3:] == tuple(letter.encode() for letter in other._letters)
    assert len(module._known) == 4  # the first one was forgotten
    assert all(known is not first for known, _ in module._known)


def found(word: str, text: str) -> bool:
    return pattern_of(word).search(text) is not None


def test_a_word_stands_where_no_letter_touches_it() -> None:
    assert found("cat", "A cat.")
    assert found("cat", "CAT")
    assert found("cat", "(cat)")
    assert not found("cat", "cats")
    assert not found("cat", "concat")
    assert found("new york", "In New York!")
    assert found("c++", "I like c++11")  # a plus touches nothing
    assert not found("c++", "abc++")
    assert found("cat", "我cat你")


def test_in_scripts_without_spaces_it_stands_anywhere() -> None:
    assert found("北京", "我爱北京天安门")
    assert found("カメ", "このカメラ")
    assert found("서울", "서울에")
    assert not found("京北", "北京")


def test_words_are_read_in_the_form_of_tokenizers() -> None:
    assert cleaned([" nai\u0308ve "]) == ("na\u00efve",)
    with pytest.raises(ValueError, match=r"words \(\['a', ' '\]\) must not hold a blank"):
        cleaned(["a", " "])


def test_standing_by_hand() -> None:
    tokenizer = Subword(vocabulary_size=512).learn(TEXTS * 3)
    cat, good = tokenizer.encode_answer("cat"), tokenizer.encode_answer("zebra")
    assert len(cat) == 1
    assert len(good) > 2
    wanted = Wanted(["cat", "zebra"], tokenizer)
    assert wanted.of(()) == (0, 1 + len(good), 0, (cat[0], good[0]))
    assert wanted.of(tuple(cat)) == (1, len(good), 1, (good[0],))
    # the one that is on its way comes first, and counts as far as it has come
    assert wanted.of(tuple(good[:2])) == (2, 1 + len(good), 0, (good[2], cat[0]))
    assert wanted.of((*good, *cat)) == (1 + len(good), 0, 1, ())
    # a word that another letter touches is lost again
    ess = tokenizer.encode_answer("cats")[-1]
    assert tokenizer.decode([*cat, ess]) == "cats"
    assert wanted.of((*cat, ess)).missing == 1 + len(good)
