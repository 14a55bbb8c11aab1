"""Embeddings begin with word vectors: which rows, and how long."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from texts import CORPUS

from chatseq.core.errors import TrainingError
from chatseq.core.options import build_part
from chatseq.core.plugins import Registry
from chatseq.core.recipe import load_recipe
from chatseq.model.build import build_model
from chatseq.model.pretrained import Coverage, apply_pretrained, words_of
from chatseq.model.seq2seq import Seq2Seq
from chatseq.text.tokenizer import Tokenizer


class Known:
    """A tokenizer that knows a few pieces; anything else it writes as two of its third."""

    def __init__(self, *pieces: str) -> None:
        self._pieces = ("<pad>", "<start>", "<end>", "x", *pieces)
        self.size = len(self._pieces)

    def encode(self, text: str) -> list[int]:
        marked = f" {text}"
        return [self._pieces.index(marked)] if marked in self._pieces else [3, 3]

    def encode_answer(self, text: str) -> list[int]:
        return self.encode(text)

    def sample(self, text: str, seed: int, *, dropout: float = 0.1) -> list[int]:
        return self.encode(text)

    def decode(self, ids: Sequence[int]) -> str:
        return "".join(self.pieces(ids)).removeprefix(" ")

    def pieces(self, ids: Sequence[int]) -> list[str]:
        return [self._pieces[at] for at in ids]

    def to_json(self) -> str:
        return ""


def model_of(registry: Registry, tokenizer: Tokenizer, width: int = 4) -> Seq2Seq:
    torch.manual_seed(0)
    recipe = load_recipe("tiny").apply([f"model.embedding_size={width}"])
    return build_model(registry, recipe, tokenizer.size)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "vectors.txt"


def test_the_rows_of_known_words_point_where_their_vectors_do(
    registry: Registry, file: Path
) -> None:
    tokenizer = Known(" cat", " dog", "ing")
    model = model_of(registry, tokenizer)
    before = model.embedding.weight.detach().clone()
    file.write_text("cat 3 0 4 0\nbird 1 1 1 1\ning 9 9 9 9\n")
    assert apply_pretrained(model, tokenizer, file) == Coverage(1, 7)
    after = model.embedding.weight.detach()
    torch.testing.assert_close(after[4] / after[4].norm(), torch.tensor([0.6, 0, 0.8, 0]))
    kept = [row for row in range(len(after)) if row != 4]
    torch.testing.assert_close(after[kept], before[kept], rtol=0, atol=0)


def test_vectors_keep_their_proportions_and_the_rows_their_average_length(
    registry: Registry, file: Path
) -> None:
    tokenizer = Known(" cat", " dog")
    model = model_of(registry, tokenizer)
    length = model.embedding.weight.norm(dim=1).mean().item()
    file.write_text("cat 3 0 4 0\ndog 0 15 0 0\n")  # lengths 5 and 15, on average 10
    apply_pretrained(model, tokenizer, file)
    found = model.embedding.weight.norm(dim=1)[4:6].tolist()
    assert found == pytest.approx([length / 2, length * 3 / 2], rel=1e-5)


def test_rows_still_learn(registry: Registry, file: Path) -> None:
    tokenizer = Known(" cat")
    model = model_of(registry, tokenizer)
    file.write_text("cat 3 0 4 0\n")
    apply_pretrained(model, tokenizer, file)
    assert model.embedding.weight.is_leaf
    model.embedding(torch.tensor([4])).sum().backward()
    assert model.embedding.weight.grad is not None


def test_a_word_in_capitals_takes_the_vector_of_small_letters(
    registry: Registry, file: Path
) -> None:
    tokenizer = Known(" Cat", " cat", " Dog", " dog")
    model = model_of(registry, tokenizer)
    file.write_text("cat 1 0 0 0\nDog 0 1 0 0\ndog 0 0 1 0\n")
    assert apply_pretrained(model, tokenizer, file).found == 4
    places = model.embedding.weight[4:8].detach().abs().argmax(dim=1)
    assert places.tolist() == [0, 0, 1, 2]


def test_a_part_of_words_is_no_word_and_a_mark_is_one() -> None:
    tokenizer = Known(" train", "ing", "?", "...", " how do", " ", "你", "<0xE4>")
    assert words_of(tokenizer) == {4: "train", 6: "?", 7: "..."}


@pytest.mark.parametrize(
    ("name", "there", "not_there"),
    [
        ("word", {"train", "bot", "?", "训"}, {"r", "<0xE4>"}),
        ("subword", {"train", "bot", "?", "训练"}, {"<0xE4>"}),
        ("unigram", {"training", "bot", "?", "训练"}, {"<0xE4>"}),
        ("phrase", {"train", "bot", "?", "训练"}, {"<0xE4>"}),
        ("character", {"训", "?"}, {"train", "<0xE4>"}),
    ],
)
def test_words_of_the_built_in_tokenizers_are_known(
    registry: Registry, name: str, there: set[str], not_there: set[str]
) -> None:
    part = build_part(registry, "tokenizer", {"name": name}, where="in [tokenizer]")
    words = words_of(part.learn(CORPUS * 2, CORPUS * 3))
    assert there <= set(words.values())
    assert not not_there & set(words.values())
    assert min(words) > 2


def test_bad_lines_are_counted_in_what_is_told(registry: Registry, file: Path) -> None:
    tokenizer = Known(" cat", " dog")
    file.write_text("cat 3 0 4 0\ndog 1\n")
    found = apply_pretrained(model_of(registry, tokenizer), tokenizer, file)
    assert found == Coverage(1, 6, 1, "vectors.txt:2: there are 1 numbers instead of 4")


def test_vectors_of_another_width_are_told(registry: Registry, file: Path) -> None:
    tokenizer = Known(" cat")
    file.write_text("cat 3 0 4\n")
    with pytest.raises(TrainingError, match=r"have 3 numbers, .* 4.*model.embedding_size=3"):
        apply_pretrained(model_of(registry, tokenizer), tokenizer, file)


def test_vectors_of_another_language_are_told(registry: Registry, file: Path) -> None:
    tokenizer = Known(" cat", " dog")
    model = model_of(registry, tokenizer)
    file.write_text("chat 3 0 4 0\nchien 1 0 0 0\n")
    told = "has no vector of any of the 2 words that this bot knows. Take vectors of the language"
    with pytest.raises(TrainingError, match=told):
        apply_pretrained(model, tokenizer, file)
    file.write_text("chat 3 0 4 0\ncat 1 0 0\n")
    with pytest.raises(TrainingError, match=r"knows \(vectors.txt:2: there are 3 numbers"):
        apply_pretrained(model, tokenizer, file)
