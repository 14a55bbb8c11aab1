"""The tokenizer `subword`: loss-less, without an unknown token, the same for the same texts."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatseq.errors import PartError, TokenizerError
from chatseq.options import build_part
from chatseq.plugins import Registry
from chatseq.text.tokenizer import END_ID, PAD_ID, START_ID
from chatseq_subword.part import Subword
from chatseq_subword.tokenizer import SubwordTokenizer

ENGLISH = [
    "How do I train a bot on my own file?",
    "How do I stop the training?",
    "Training a bot takes less than a minute.",
    "Stop the training with Ctrl-C; the bot is kept.",
]
CHINESE = ["怎么训练一个机器人？", "训练一个机器人要多久？", "训练只要一分钟。", "怎么停止训练？"]
MIXED = ["用 chatseq train 训练", "chatseq train 要多久？"]

# Bytes and code points of every sort, the ones that break tokenizers more often than others.
TROUBLE = st.sampled_from(
    [
        *(" ", "  ", "\n", "\r\n", "\t", "\x00", "\x1b[31m", "\u2028", "\x85", "\xa0", "\ufeff"),
        *("<pad>", "<pad mark>", "<0x41>", "<0xZZ>", "</s>", "[UNK]", "##", "▁", "Ġ", "'s"),
        *("e\u0301", "\u0301", "\u200d", "\U0010ffff", "\ud800", "ﬁ", "①", "😀", "👩‍👩‍👧", "🇩🇪"),
        *("你好", "，", "한국어", "か"),
    ]
)
TEXTS = st.lists(TROUBLE | st.text(max_size=6), max_size=6).map("".join)


@pytest.fixture(scope="module")
def tokenizer() -> SubwordTokenizer:
    return Subword(vocabulary_size=600).learn(ENGLISH + CHINESE + MIXED)


def normal(text: str) -> str:
    """What a text is after a round trip: canonical form, no half surrogates."""
    canonical = unicodedata.normalize("NFC", text)
    return "".join("\ufffd" if 0xD800 <= ord(c) < 0xE000 else c for c in canonical)


@given(text=TEXTS)
@settings(max_examples=300, deadline=None)
def test_every_text_comes_back_as_its_canonical_form(
    tokenizer: SubwordTokenizer, text: str
) -> None:
    assert tokenizer.decode(tokenizer.encode(text)) == normal(text)


@given(text=TEXTS, seed=st.integers(0, 2**63), dropout=st.floats(0, 1))
@settings(max_examples=200, deadline=None)
def test_every_random_segmentation_gives_the_same_text(
    tokenizer: SubwordTokenizer, text: str, seed: int, dropout: float
) -> None:
    assert tokenizer.decode(tokenizer.sample(text, seed, dropout=dropout)) == normal(text)


@given(text=TEXTS)
@settings(max_examples=100, deadline=None)
def test_ids_are_within_the_size_and_never_a_mark(tokenizer: SubwordTokenizer, text: str) -> None:
    assert all(END_ID < at < tokenizer.size for at in tokenizer.encode(text))


@given(ids=st.lists(st.integers(0, 200), max_size=12))
@settings(max_examples=100, deadline=None)
def test_any_ids_decode_even_when_their_bytes_are_no_text(
    tokenizer: SubwordTokenizer, ids: list[int]
) -> None:
    tokenizer.decode(ids).encode()


def test_marks_give_no_text(tokenizer: SubwordTokenizer) -> None:
    ids = tokenizer.encode("train a bot")
    assert tokenizer.decode([START_ID, *ids, END_ID, PAD_ID, PAD_ID]) == "train a bot"


def test_marks_have_pieces_that_text_cannot_spell(tokenizer: SubwordTokenizer) -> None:
    for mark in tokenizer.pieces([PAD_ID, START_ID, END_ID]):
        assert not {PAD_ID, START_ID, END_ID} & set(tokenizer.encode(mark))
        assert tokenizer.decode(tokenizer.encode(mark)) == mark


def test_a_byte_out_of_place_leaves_the_characters_beside_it_whole(
    tokenizer: SubwordTokenizer,
) -> None:
    ids = tokenizer.encode("hi 😀😃")
    assert tokenizer.decode(ids[:-1]) == "hi 😀\ufffd"
    assert tokenizer.decode([*ids[:-1], *tokenizer.encode("hi")]) == "hi 😀\ufffd hi"


def test_text_that_names_a_byte_stays_text(tokenizer: SubwordTokenizer) -> None:
    assert len(tokenizer.encode("<0x41>")) > 1
    assert tokenizer.decode(tokenizer.encode("<0x41>")) == "<0x41>"


def test_text_that_names_a_byte_stays_text_when_learnt_from() -> None:
    learnt = Subword(vocabulary_size=600).learn(["<0x41> <pad mark>"] * 50)
    for text in ("<0x41>", "<pad mark>", "x<0x41>"):
        assert learnt.decode(learnt.encode(text)) == text


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


def test_an_unseen_character_is_spelt_in_bytes(tokenizer: SubwordTokenizer) -> None:
    assert tokenizer.pieces(tokenizer.encode("龘")) == ["<0xE9>", "<0xBE>", "<0x98>"]


def test_pieces_of_known_text_join_to_it(tokenizer: SubwordTokenizer) -> None:
    text = "How do I train a bot?"
    assert "".join(tokenizer.pieces(tokenizer.encode(text))) == " " + text


def test_the_same_texts_give_the_same_tokenizer() -> None:
    first = Subword(vocabulary_size=600).learn(ENGLISH + CHINESE)
    again = Subword(vocabulary_size=600).learn(iter(ENGLISH + CHINESE))
    assert first.to_json() == again.to_json()


def test_learning_is_the_same_in_another_process(tmp_path: Path) -> None:
    program = (
        "from chatseq_subword.part import Subword; import sys;"
        f"sys.stdout.write(Subword(vocabulary_size=512).learn({ENGLISH + CHINESE!r}).to_json())"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]


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


def test_without_dropout_a_sample_is_the_usual_encoding(tokenizer: SubwordTokenizer) -> None:
    for text in ENGLISH + CHINESE + MIXED:
        assert tokenizer.sample(text, 3, dropout=0) == tokenizer.encode(text)


def test_full_dropout_spells_every_character(tokenizer: SubwordTokenizer) -> None:
    assert len(tokenizer.sample("train", 3, dropout=1)) == len(" train")


def test_a_dropout_outside_its_range_is_refused(tokenizer: SubwordTokenizer) -> None:
    with pytest.raises(ValueError, match=r"dropout \(1.5\) must be between 0 and 1"):
        tokenizer.sample("x", 0, dropout=1.5)


def test_a_stored_tokenizer_gives_the_same_ids(tokenizer: SubwordTokenizer) -> None:
    again = Subword().load(tokenizer.to_json())
    assert again.size == tokenizer.size
    for text in ENGLISH + CHINESE + MIXED:
        assert again.encode(text) == tokenizer.encode(text)


@pytest.mark.parametrize("texts", [[], ["", ""]])
def test_nothing_to_learn_from_is_told(texts: list[str]) -> None:
    with pytest.raises(TokenizerError, match="no text to learn a tokenizer from"):
        Subword().learn(texts)


@pytest.mark.parametrize("text", ["", "{}", "not JSON", '{"model": {"type": "BPE"}}'])
def test_a_broken_file_is_told(text: str) -> None:
    with pytest.raises(TokenizerError, match=r"cannot be read: .*Train the bot again"):
        Subword().load(text)


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


def test_tokenizing_does_not_import_torch(tokenizer: SubwordTokenizer, tmp_path: Path) -> None:
    file = tmp_path / "tokenizer.json"
    file.write_text(tokenizer.to_json(), encoding="utf-8")
    program = (
        "import sys; from pathlib import Path; from chatseq_subword.part import Subword;"
        f"t = Subword().load(Path({str(file)!r}).read_text(encoding='utf-8'));"
        "assert t.decode(t.encode('a b')) == 'a b'; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_real_corpora_come_back_unchanged(shared_corpora: Path) -> None:
    file = shared_corpora / "personality_chat" / "qna_chitchat_professional.tsv"
    texts = [line.split("\t")[0] for line in file.read_text(encoding="utf-8").split("\n")[1:2001]]
    learnt = Subword(vocabulary_size=2000).learn(texts)
    assert all(learnt.decode(learnt.encode(text)) == normal(text) for text in texts)
    assert sum(len(learnt.encode(text)) for text in texts) < 12 * len(texts)
