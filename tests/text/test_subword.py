"""The tokenizer `subword`: what its pieces are; its contract is tested with all the others."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from texts import CHINESE, CORPUS, ENGLISH, normal

from chatseq.core.errors import PartError, TokenizerError
from chatseq.core.options import build_part
from chatseq.core.plugins import Registry
from chatseq_subword.part import Subword
from chatseq_subword.tokenizer import SubwordTokenizer


@pytest.fixture(scope="module")
def tokenizer() -> SubwordTokenizer:
    return Subword(vocabulary_size=600).learn(CORPUS)


def test_words_of_the_corpus_become_few_pieces(tokenizer: SubwordTokenizer) -> None:
    assert len(tokenizer.encode("the training")) <= 3
    assert len(tokenizer.encode("训练")) == 1


def test_a_word_has_the_same_pieces_first_and_within(tokenizer: SubwordTokenizer) -> None:
    within = tokenizer.encode("stop training")
    assert within[-len(tokenizer.encode("training")) :] == tokenizer.encode("training")


def test_chinese_text_begins_without_a_piece_for_a_space(tokenizer: SubwordTokenizer) -> None:
    assert tokenizer.pieces(tokenizer.encode("训练"))[0].startswith("训")


def test_chinese_and_latin_letters_never_share_a_piece(tokenizer: SubwordTokenizer) -> None:
    pieces = tokenizer.pieces(range(tokenizer.size))
    assert not [p for p in pieces if any("一" <= c <= "鿿" for c in p) and any(c < "一" for c in p)]


def test_more_characters_than_ids_keep_the_frequent_ones() -> None:
    rare = "".join(map(chr, range(0x4E00, 0x4E00 + 900)))
    learnt = Subword(vocabulary_size=512).learn([rare, *CHINESE * 5])
    assert learnt.size <= 512
    assert learnt.decode(learnt.encode(rare)) == rare
    assert len(learnt.encode("训")) == 1


def test_the_size_is_never_above_the_wanted_one_and_aligned() -> None:
    draw = random.Random(0)  # noqa: S311
    words = ["".join(draw.choices("abcdefghij", k=5)) for _ in range(200)]
    sizes = {Subword(vocabulary_size=wanted).learn(words * 3).size for wanted in (512, 600, 701)}
    assert sizes == {512, 592, 688}


def test_a_sample_depends_on_its_seed_alone(tokenizer: SubwordTokenizer) -> None:
    text = "How do I train a bot on my own file?"
    samples = [tokenizer.sample(text, seed, dropout=0.5) for seed in range(20)]
    fresh = Subword().load(tokenizer.to_json())
    backwards = [fresh.sample(text, seed, dropout=0.5) for seed in reversed(range(20))]
    assert samples == backwards[::-1]
    assert len({tuple(sample) for sample in samples}) > 5


def test_full_dropout_spells_every_character(tokenizer: SubwordTokenizer) -> None:
    assert len(tokenizer.sample("train", 3, dropout=1)) == len(" train")


def test_a_tokenizer_of_another_make_is_told(tokenizer: SubwordTokenizer) -> None:
    values = json.loads(tokenizer.to_json())
    names = list(values["model"]["vocab"])
    values["model"]["vocab"] = {name: at for at, name in enumerate(reversed(names))}
    with pytest.raises(TokenizerError, match="first ids are not the marks and bytes"):
        Subword().load(json.dumps(values))


def test_the_part_is_found_by_name_and_takes_its_option(registry: Registry) -> None:
    spec = {"name": "subword", "vocabulary_size": 512}
    part = build_part(registry, "tokenizer", spec, where="in tiny.toml [tokenizer]")
    assert part.learn(ENGLISH).size <= 512


def test_a_vocabulary_too_small_for_the_bytes_is_refused(registry: Registry) -> None:
    spec = {"name": "subword", "vocabulary_size": 100}
    with pytest.raises(PartError, match=r"vocabulary_size \(100\) must be at least 512"):
        build_part(registry, "tokenizer", spec, where="in tiny.toml [tokenizer]")


def test_real_corpora_come_back_unchanged(shared_corpora: Path) -> None:
    file = shared_corpora / "personality_chat" / "qna_chitchat_professional.tsv"
    texts = [line.split("\t")[0] for line in file.read_text(encoding="utf-8").split("\n")[1:2001]]
    learnt = Subword(vocabulary_size=2000).learn(texts)
    assert all(learnt.decode(learnt.encode(text)) == normal(text) for text in texts)
    assert sum(len(learnt.encode(text)) for text in texts) < 12 * len(texts)
