"""Every tokenizer: loss-less, without an unknown token, the same for the same texts."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from texts import CHINESE, CORPUS, ENGLISH, TEXTS, normal

from chatseq.core.errors import TokenizerError
from chatseq.core.options import build_part
from chatseq.core.plugins import Registry, discover
from chatseq.text.byte_fallback import FIRST_PIECE_ID
from chatseq.text.tokenizer import END_ID, FIRST_FREE_ID, PAD_ID, START_ID, Tokenizer, TokenizerPart

KINDS: dict[str, dict[str, Any]] = {
    **{name: {"name": name} for name in sorted(discover().parts("tokenizer"))},
    "character, most in bytes": {"name": "character", "vocabulary_size": 270, "min_count": 5},
    "phrase": {"name": "phrase", "vocabulary_size": 600},
    "subword": {"name": "subword", "vocabulary_size": 600},
    "unigram": {"name": "unigram", "vocabulary_size": 512},
    "unigram, short": {"name": "unigram", "vocabulary_size": 600, "longest": 2},
    "word": {"name": "word", "min_count": 1},
    "word, most spelt": {"name": "word", "vocabulary_size": 300},
    "word, rjieba": {"name": "word", "min_count": 1, "chinese": "rjieba"},
}


def part_of(registry: Registry, spec: Mapping[str, Any]) -> TokenizerPart:
    part: TokenizerPart = build_part(registry, "tokenizer", spec, where="in [tokenizer]")
    return part


@pytest.fixture(scope="module", params=KINDS)
def part(request: pytest.FixtureRequest, registry: Registry) -> TokenizerPart:
    return part_of(registry, KINDS[request.param])


@pytest.fixture(scope="module")
def tokenizer(part: TokenizerPart) -> Tokenizer:
    return part.learn(CORPUS, CORPUS * 3)


@given(text=TEXTS)
@settings(max_examples=100, deadline=None)
def test_every_text_comes_back_as_its_canonical_form(tokenizer: Tokenizer, text: str) -> None:
    assert tokenizer.decode(tokenizer.encode(text)) == normal(text)
    assert tokenizer.decode(tokenizer.encode_answer(text)) == normal(text)


@given(text=TEXTS, seed=st.integers(0, 2**63), dropout=st.floats(0, 1))
@settings(max_examples=100, deadline=None)
def test_every_random_segmentation_gives_the_same_text(
    tokenizer: Tokenizer, text: str, seed: int, dropout: float
) -> None:
    assert tokenizer.decode(tokenizer.sample(text, seed, dropout=dropout)) == normal(text)


@given(text=TEXTS)
@settings(max_examples=100, deadline=None)
def test_ids_are_within_the_size_and_never_a_mark(tokenizer: Tokenizer, text: str) -> None:
    for ids in (tokenizer.encode(text), tokenizer.encode_answer(text), tokenizer.sample(text, 1)):
        assert all(END_ID < at < tokenizer.size for at in ids)


@given(seed=st.integers(0, 2**63))
@settings(max_examples=100, deadline=None)
def test_any_ids_decode_to_text_and_to_as_many_pieces(tokenizer: Tokenizer, seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311
    highest = draw.choice([FIRST_PIECE_ID, tokenizer.size])  # bytes alone are seldom text
    ids = [draw.randrange(highest) for _ in range(12)]
    tokenizer.decode(ids).encode()
    pieces = tokenizer.pieces(ids)
    assert len(pieces) == 12
    assert all(pieces)


@given(text=TEXTS)
@settings(max_examples=100, deadline=None)
def test_what_is_shown_of_a_growing_text_stays(tokenizer: Tokenizer, text: str) -> None:
    ids = tokenizer.encode_answer(text)
    for end in range(len(ids)):
        assert normal(text).startswith(tokenizer.decode(ids[:end]).rstrip("\ufffd"))


def test_marks_give_no_text(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode("train a bot")
    assert tokenizer.decode([START_ID, *ids, END_ID, PAD_ID, PAD_ID]) == "train a bot"


def test_text_cannot_spell_marks_or_bytes(part: TokenizerPart) -> None:
    texts = ["<pad mark> <start mark> <end mark> <0x41> <0xE9>"] * 50
    learnt = part.learn(texts, texts)
    marks = learnt.pieces([PAD_ID, START_ID, END_ID])
    for text in ["<0x41>", "<0xE9>", "x<0x41>", *marks]:
        assert learnt.decode(learnt.encode(text)) == text
        assert not set(learnt.encode(text)) & {PAD_ID, START_ID, END_ID}


def test_a_byte_out_of_place_leaves_the_characters_beside_it_whole(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode("hi 😀😃")
    assert tokenizer.decode(ids[:-1]) == "hi 😀\ufffd"
    assert tokenizer.decode([*ids[:-1], *tokenizer.encode("训练")]) == "hi 😀\ufffd训练"


def test_an_unseen_character_is_spelt_in_its_bytes(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode("龘")
    assert ids == [FIRST_FREE_ID + byte for byte in "龘".encode()]
    assert tokenizer.pieces(ids) == ["<0xE9>", "<0xBE>", "<0x98>"]


def test_pieces_of_known_text_join_to_it(tokenizer: Tokenizer) -> None:
    text = "How do I train a bot?"
    assert "".join(tokenizer.pieces(tokenizer.encode(text))).removeprefix(" ") == text


def test_no_piece_but_ascii_bytes_stands_for_two_ids(tokenizer: Tokenizer) -> None:
    pieces = tokenizer.pieces(range(tokenizer.size))[FIRST_PIECE_ID:]
    assert len(set(pieces)) == len(pieces)


def test_the_same_texts_give_the_same_tokenizer(part: TokenizerPart) -> None:
    first = part.learn(ENGLISH + CHINESE, ENGLISH * 3)
    again = part.learn(iter(ENGLISH + CHINESE), iter(ENGLISH * 3))
    assert first.to_json() == again.to_json()


def test_learning_is_the_same_in_other_processes(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from chatseq.core.options import build_part\n"
        "from chatseq.core.plugins import discover\n"
        f"registry, texts = discover(), {CORPUS!r}\n"
        f"for spec in {list(KINDS.values())!r}:\n"
        "    part = build_part(registry, 'tokenizer', spec, where='')\n"
        "    sys.stdout.write(part.learn(texts, texts * 3).to_json())\n"
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
    assert len(runs[0]) > 10_000


def test_a_sample_depends_on_its_seed_alone(part: TokenizerPart, tokenizer: Tokenizer) -> None:
    text = "How do I train a bot on my own file?"
    samples = [tokenizer.sample(text, seed, dropout=0.5) for seed in range(20)]
    fresh = part.load(tokenizer.to_json())
    backwards = [fresh.sample(text, seed, dropout=0.5) for seed in reversed(range(20))]
    assert samples == backwards[::-1]


def test_without_dropout_a_sample_is_the_usual_encoding(tokenizer: Tokenizer) -> None:
    for text in [*CORPUS, "something unseen, 龘"]:
        assert all(
            tokenizer.sample(text, seed, dropout=0) == tokenizer.encode(text) for seed in range(5)
        )


@pytest.mark.parametrize("dropout", [1.5, -0.1, float("nan")])
def test_a_dropout_outside_its_range_is_refused(tokenizer: Tokenizer, dropout: float) -> None:
    with pytest.raises(ValueError, match=rf"dropout \({dropout}\) must be between 0 and 1"):
        tokenizer.sample("x", 0, dropout=dropout)


def test_a_stored_tokenizer_gives_the_same_ids(part: TokenizerPart, tokenizer: Tokenizer) -> None:
    again = part.load(tokenizer.to_json())
    assert again.size == tokenizer.size
    assert again.to_json() == tokenizer.to_json()
    for text in [*CORPUS, "something unseen, 龘😀"]:
        assert again.encode(text) == tokenizer.encode(text)
        assert again.encode_answer(text) == tokenizer.encode_answer(text)


@pytest.mark.parametrize("texts", [[], ["", ""]])
def test_nothing_to_learn_from_is_told(part: TokenizerPart, texts: list[str]) -> None:
    with pytest.raises(TokenizerError, match="no text to learn a tokenizer from. Check the corpus"):
        part.learn(texts, texts)


@pytest.mark.parametrize(
    "text", ["", "{}", "[1]", "null", "not JSON", '{"model": {"type": "BPE"}}', "[" * 100_000]
)
def test_a_broken_file_is_told(part: TokenizerPart, text: str) -> None:
    with pytest.raises(TokenizerError, match=r"cannot be read: .*Train the bot again"):
        part.load(text)


def test_a_file_of_another_tokenizer_is_told(registry: Registry) -> None:
    names = sorted({spec["name"] for spec in KINDS.values()})
    parts = {name: part_of(registry, {"name": name}) for name in names}
    stored = {name: parts[name].learn(CORPUS).to_json() for name in names}
    for name in names:
        for other in names:
            if name != other:
                with pytest.raises(TokenizerError, match="cannot be read: .*Train the bot again"):
                    parts[name].load(stored[other])


def test_a_file_with_a_wrong_spot_is_told_or_still_works(
    part: TokenizerPart, tokenizer: Tokenizer
) -> None:
    stored = tokenizer.to_json()
    draw = random.Random(5)  # noqa: S311
    for _ in range(60):
        at = draw.randrange(len(stored))
        damaged = stored[:at] + draw.choice('0"]}x,') + stored[at + draw.randrange(3) :]
        with suppress(TokenizerError):  # anything else fails the test
            part.load(damaged).encode("How do I train a bot? 训练")


def test_tokenizing_imports_neither_torch_nor_rjieba(tmp_path: Path, registry: Registry) -> None:
    stored = {
        label: part_of(registry, spec).learn(CORPUS).to_json() for label, spec in KINDS.items()
    }
    file = tmp_path / "stored.json"
    file.write_text(json.dumps([[KINDS[label], text] for label, text in stored.items()]))
    program = (
        "import json, sys; from pathlib import Path\n"
        "from chatseq.core.plugins import discover; from chatseq.core.options import build_part\n"
        "registry = discover()\n"
        f"for spec, stored in json.loads(Path({str(file)!r}).read_text()):\n"
        "    part = build_part(registry, 'tokenizer', spec, where='')\n"
        "    assert part.load(stored).encode('a bot')\n"
        "print(*sorted({'torch', 'rjieba'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.split() == []
