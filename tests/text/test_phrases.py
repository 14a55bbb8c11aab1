"""The tokenizer `phrase`: recurring answers in few ids, everything else as subwords."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatseq.core.errors import PartError, TokenizerError
from chatseq.core.options import build_part
from chatseq.core.plugins import Registry
from chatseq_subword.phrases import Phrases, PhraseTokenizer

OFTEN = "You can train a bot on a file of questions and answers."
CHINESE = "训练需要一个问答文件。"
ONCE = "A file of answers can be read once."
QUESTIONS = ["how do I train", "train a bot", "怎么训练", "which files"] * 5


def learn(**options: int) -> PhraseTokenizer:
    return Phrases(vocabulary_size=600, **options).learn(QUESTIONS, [OFTEN, CHINESE] * 5 + [ONCE])


@pytest.fixture(scope="module")
def tokenizer() -> PhraseTokenizer:
    return learn()


@given(st.one_of(st.text(), st.sampled_from([OFTEN, CHINESE, ONCE, OFTEN + CHINESE])))
def test_every_answer_comes_back(tokenizer: PhraseTokenizer, text: str) -> None:
    assert tokenizer.decode(tokenizer.encode_answer(text)) == unicodedata.normalize("NFC", text)


def test_a_recurring_answer_takes_a_quarter_of_the_ids(tokenizer: PhraseTokenizer) -> None:
    for answer in (OFTEN, CHINESE):
        pieces, phrases = tokenizer.encode(answer), tokenizer.encode_answer(answer)
        assert len(phrases) == -(-len(pieces) // 4)


def test_an_answer_that_came_once_gives_no_phrases() -> None:
    learnt = Phrases(vocabulary_size=600).learn(QUESTIONS, [ONCE, OFTEN])
    assert learnt.size == learnt._subword.size
    assert learnt.encode_answer(ONCE) == learnt.encode(ONCE)


def test_questions_are_never_written_in_phrases(tokenizer: PhraseTokenizer) -> None:
    assert max(tokenizer.encode(OFTEN)) < min(tokenizer.encode_answer(OFTEN)[:-1])
    assert max(tokenizer.sample(OFTEN, 1)) < tokenizer._subword.size


def test_the_piece_of_a_phrase_is_its_text(tokenizer: PhraseTokenizer) -> None:
    assert "".join(tokenizer.pieces(tokenizer.encode_answer(OFTEN))).strip() == OFTEN


def test_no_more_phrases_are_kept_than_wanted_and_the_frequent_ones_stay() -> None:
    learnt = Phrases(vocabulary_size=600, phrases=2).learn(QUESTIONS, [CHINESE] * 3 + [OFTEN] * 9)
    assert learnt.size == learnt._subword.size + 2
    assert len(learnt.encode_answer(OFTEN)) < len(learnt.encode(OFTEN))
    assert learnt.encode_answer(CHINESE) == learnt.encode(CHINESE)


def test_a_stored_tokenizer_gives_the_same_ids(tokenizer: PhraseTokenizer) -> None:
    again = Phrases().load(tokenizer.to_json())
    assert again.size == tokenizer.size
    for text in (OFTEN, CHINESE, ONCE, "😀"):
        assert again.encode_answer(text) == tokenizer.encode_answer(text)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"subword": 3, "phrases": [[1]]}'])
def test_a_broken_file_is_told(text: str) -> None:
    with pytest.raises(TokenizerError, match="cannot be read: .*Train the bot again"):
        Phrases().load(text)


def test_a_phrase_of_unknown_pieces_is_told(tokenizer: PhraseTokenizer) -> None:
    stored = json.loads(tokenizer.to_json())
    stored["phrases"][0] = [5, 1_000_000]
    with pytest.raises(TokenizerError, match="a piece that is not there"):
        Phrases().load(json.dumps(stored))


def test_a_phrase_of_one_piece_is_refused(registry: Registry) -> None:
    with pytest.raises(PartError, match=r"longest \(1\) must be at least 2"):
        build_part(registry, "tokenizer", {"name": "phrase", "longest": 1}, where="in r.toml")
