"""The tokenizers `word`, `character` and `byte`: what their pieces are."""

from __future__ import annotations

import json
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from texts import CHINESE, CORPUS, ENGLISH, normal

from chatseq.core.errors import PartError, TokenizerError
from chatseq.core.options import build_part
from chatseq.core.plugins import Registry
from chatseq.text.byte_fallback import FIRST_PIECE_ID
from chatseq.text.tokenizer import Tokenizer
from chatseq_words import chinese
from chatseq_words.letters import Bytes, Characters
from chatseq_words.words import Words


def cut(tokenizer: Tokenizer, text: str) -> list[str]:
    return tokenizer.pieces(tokenizer.encode(text))


@pytest.fixture(scope="module")
def words() -> Tokenizer:
    return Words().learn(CORPUS * 2)


def test_words_of_the_corpus_are_one_piece_with_their_space(words: Tokenizer) -> None:
    assert cut(words, "How do I stop?") == [" How", " do", " I", " stop", "?"]


def test_a_word_is_the_same_first_and_within(words: Tokenizer) -> None:
    assert words.encode("training the bot")[0] == words.encode("the training")[1]


def test_an_unseen_word_is_spelt_in_letters(words: Tokenizer) -> None:
    assert cut(words, "the rain") == [" the", " ", "r", "a", "i", "n"]


def test_a_word_without_its_space_is_another_word(words: Tokenizer) -> None:
    # "bot" never stands without a space in the corpus, "Ctrl-C" does
    assert cut(words, "Ctrl-C/bot") == [" Ctrl", "-", "C", "/", "b", "o", "t"]


def test_an_unseen_letter_is_spelt_in_bytes(words: Tokenizer) -> None:
    assert cut(words, "ûber")[:3] == [" ", "<0xC3>", "<0xBB>"]


def test_each_chinese_character_is_a_word_and_gets_no_space(words: Tokenizer) -> None:
    assert cut(words, "停止 chatseq。训练") == ["停", "止", " chatseq", "。", "训", "练"]


def test_chinese_words_come_from_a_dictionary() -> None:
    learnt = Words(chinese="rjieba").learn(CHINESE * 2)
    assert cut(learnt, "训练机器人要多久？") == ["训练", "机器人", "要", "多久", "？"]


def test_an_unseen_chinese_word_is_spelt_in_characters() -> None:
    learnt = Words(chinese="rjieba").learn([*CHINESE * 2, "分一停机"])
    assert cut(learnt, "停机") == ["停", "机"]


@given(st.text(st.characters(min_codepoint=0x3000, max_codepoint=0x9FFF), max_size=30))
def test_chinese_words_join_to_what_they_were_cut_from(text: str) -> None:
    assert "".join(chinese.words_by_rjieba(text)) == text


def test_numbers_and_runs_of_marks_are_words() -> None:
    learnt = Words(min_count=1).learn(["Room 2024 ... open, or (not)?"])
    found = [" Room", " 2024", " ...", " open", ",", " or", " (", "not", ")?"]
    assert cut(learnt, "Room 2024 ... open, or (not)?") == found


def test_words_of_scripts_with_vowel_signs_stay_whole() -> None:
    assert cut(Words(min_count=1).learn(["हिन्दी में"]), "में हिन्दी") == [" में", " हिन्दी"]


def test_a_word_must_come_often_enough() -> None:
    texts = ["aa bb bb cc cc cc"]
    assert cut(Words(min_count=3).learn(texts), "bb cc") == [" ", "b", "b", " cc"]
    assert cut(Words(min_count=2).learn(texts), "aa bb") == [" ", "a", "a", " bb"]


def test_the_most_frequent_words_are_kept_and_of_equals_the_first_in_order() -> None:
    # 259 fixed ids, 3 letters (as many as half of what is left allows), then 3 words
    learnt = Words(vocabulary_size=FIRST_PIECE_ID + 6).learn(["ba ab ac bc bc"] * 2)
    assert learnt.pieces(range(FIRST_PIECE_ID, learnt.size)) == [" ", "b", "a", " bc", " ab", " ac"]
    assert learnt.decode(learnt.encode("abc")) == "abc"


def test_words_fill_the_vocabulary_and_no_more() -> None:
    texts = [" ".join(f"{a}{b}" for a in "abcdefgh" for b in "ijklmnop")] * 2
    assert Words(vocabulary_size=300).learn(texts).size == 300
    assert Words().learn(texts).size == FIRST_PIECE_ID + 17 + 64  # letters, space and words


def test_sampling_spells_a_share_of_the_words(words: Tokenizer) -> None:
    text = " ".join(["How do I stop the training"] * 50)
    whole = len(words.encode(text))
    spelt = len(words.sample(text, 1, dropout=1))
    assert (whole, spelt) == (300, len(text) + 1)
    some = [len(words.sample(text, seed, dropout=0.25)) for seed in range(20)]
    assert sum(some) / 20 == pytest.approx(whole + (spelt - whole) / 4, rel=0.05)
    assert len(set(some)) > 5


def test_characters_are_pieces_by_frequency() -> None:
    learnt = Characters().learn(["abca", "b的"])
    assert learnt.pieces(range(FIRST_PIECE_ID, learnt.size)) == ["a", "b", "c", "的"]
    assert learnt.encode("的a") == [FIRST_PIECE_ID + 3, FIRST_PIECE_ID]


def test_rare_characters_are_spelt_in_bytes() -> None:
    assert cut(Characters(min_count=2).learn(["aab"]), "ab") == ["a", "b"]
    assert Characters(min_count=2).learn(["aab"]).encode("b") == [3 + ord("b")]
    few = Characters(vocabulary_size=FIRST_PIECE_ID + 1).learn(["b的的"])
    assert cut(few, "的b你") == ["的", "b", "<0xE4>", "<0xBD>", "<0xA0>"]


def test_composed_and_decomposed_characters_are_one() -> None:
    learnt = Characters().learn([unicodedata.normalize("NFD", "é")])
    assert learnt.size == FIRST_PIECE_ID + 1
    assert learnt.encode("é") == learnt.encode("e\u0301") == [FIRST_PIECE_ID]


def test_bytes_are_their_own_vocabulary() -> None:
    learnt = Bytes().learn(["x"])
    assert learnt.size == FIRST_PIECE_ID
    assert learnt.encode("Aé") == [3 + 0x41, 3 + 0xC3, 3 + 0xA9]
    assert learnt.pieces(learnt.encode("Aé")) == ["A", "<0xC3>", "<0xA9>"]


@pytest.mark.parametrize("part", [Characters(), Bytes()])
def test_letters_are_sampled_as_they_are_encoded(part: Characters | Bytes) -> None:
    learnt = part.learn(CORPUS)
    assert all(learnt.sample(text, 1, dropout=1) == learnt.encode(text) for text in CORPUS)


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"name": "word", "vocabulary_size": 259}, r"vocabulary_size \(259\) must be above 259"),
        ({"name": "character", "vocabulary_size": 9}, r"\(9\) must be above 259.*Make it larger"),
        ({"name": "word", "min_count": 0}, r"min_count \(0\) must be at least 1. Set it to 1"),
        ({"name": "character", "min_count": -3}, r"min_count \(-3\) must be at least 1"),
        ({"name": "word", "chinese": "jieba"}, r"'chinese' .* cannot be 'jieba'"),
    ],
)
def test_an_option_that_makes_no_sense_is_told(
    registry: Registry, spec: dict[str, object], told: str
) -> None:
    with pytest.raises(PartError, match=told):
        build_part(registry, "tokenizer", spec, where="in r.toml")


def test_without_rjieba_the_extra_is_named(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatseq_words.words.is_installed", lambda: False)
    spec = {"name": "word", "chinese": "rjieba"}
    with pytest.raises(PartError, match=r"not installed. Install it: pip install 'chatseq\[zh\]'"):
        build_part(registry, "tokenizer", spec, where="in r.toml")
    assert build_part(registry, "tokenizer", {"name": "word"}, where="in r.toml")


def test_a_stored_tokenizer_that_needs_rjieba_tells_so(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = Words(chinese="rjieba").learn(CHINESE + ENGLISH * 2).to_json()
    monkeypatch.setitem(sys.modules, "rjieba", None)
    loaded = Words().load(stored)
    assert loaded.decode(loaded.encode("How?")) == "How?"
    with pytest.raises(TokenizerError, match=r"pip install 'chatseq\[zh\]'"):
        loaded.encode("训练")


@pytest.mark.parametrize(
    ("pieces", "told"),
    [
        (["a", "a"], "comes twice"),
        (["a", ""], "a piece is empty"),
        (["\ud800"], "is no text"),
        ("ab", "is no text"),
        ([1], "no list of pieces"),
        (None, "no list of pieces"),
    ],
)
def test_a_damaged_list_is_told(pieces: object, told: str) -> None:
    stored = json.dumps({"cut": "words", "pieces": pieces})
    with pytest.raises(TokenizerError, match=f"cannot be read: .*{told}.*Train the bot again"):
        Words().load(stored)


def test_a_list_that_was_cut_otherwise_is_told() -> None:
    with pytest.raises(TokenizerError, match=r"cut in another way \('syllables'\)"):
        Words().load('{"cut": "syllables", "pieces": []}')


def test_real_corpora_come_back_unchanged_in_few_pieces(shared_corpora: Path) -> None:
    file = shared_corpora / "personality_chat" / "qna_chitchat_professional.tsv"
    texts = [line.split("\t")[0] for line in file.read_text(encoding="utf-8").split("\n")[1:2001]]
    learnt = Words().learn(texts)
    assert all(learnt.decode(learnt.encode(text)) == normal(text) for text in texts)
    assert sum(len(learnt.encode(text)) for text in texts) < 8 * len(texts)
