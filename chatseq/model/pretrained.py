"""First weights from word vectors that were learnt elsewhere, from far more text.

The embedding is the output layer too, so what a vector brings is known to questions and answers.
Rows without a vector keep the numbers that they had: marks, bytes, phrases, and pieces that are no
words. A word that the tokenizer writes in several pieces is left out: what is common to all words
with "ing" in them says little about a piece "ing".
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from chatseq.core.errors import TrainingError
from chatseq.model.seq2seq import Seq2Seq
from chatseq.model.vectors import Vector, load_vectors
from chatseq.text.normalise import folded
from chatseq.text.tokenizer import FIRST_FREE_ID, Tokenizer


class Coverage(NamedTuple):
    """How many tokens begin with a vector, and what was wrong with the file."""

    found: int
    total: int
    bad: int = 0  # lines that were passed over
    first_bad: str = ""  # the first of them, with its place and what is wrong


def apply_pretrained(model: Seq2Seq, tokenizer: Tokenizer, file: Path) -> Coverage:
    """Let the embedding begin with the vectors of a file (see chatseq.model.vectors).

    All are scaled alike, so that rows are on average as long as they were.

    Raises:
        TrainingError: the file cannot be read, its width is not that of the model, or it has none
            of the tokenizer's words.
    """
    words = words_of(tokenizer)
    wanted = {spelling for word in words.values() for spelling in (word, folded(word))}
    loaded = load_vectors(file, wanted, model.embedding.embedding_dim)
    rows = _rows(words, loaded.by_word)
    if not rows:
        wrong = f" ({loaded.first_bad})" if loaded.bad else ""
        raise TrainingError(
            f"{file} has no vector of any of the {len(words):,} words that this bot knows{wrong}. "
            "Take vectors of the language of the corpus."
        )
    _set(model, rows)
    return Coverage(len(rows), tokenizer.size, loaded.bad, loaded.first_bad)


def words_of(tokenizer: Tokenizer) -> dict[int, str]:
    """Return the ids that stand for a word or a mark by itself, without its space."""
    found = {}
    for at in range(FIRST_FREE_ID, tokenizer.size):
        piece = tokenizer.pieces([at])[0]
        word = piece.strip()
        if len(word.split()) == 1 and _is_alone(tokenizer, at, piece, word):
            found[at] = word
    return found


def _is_alone(tokenizer: Tokenizer, at: int, piece: str, word: str) -> bool:
    """Tell a word from a part of one: "ing" is a bank to word vectors, and an ending here."""
    no_letters = not any(letter.isalnum() for letter in word)
    return piece != word or no_letters or tokenizer.encode(word) == [at]


def _rows(words: Mapping[int, str], vectors: Mapping[str, Vector]) -> dict[int, Vector]:
    rows = {}
    for at, word in words.items():
        vector = vectors.get(word, vectors.get(folded(word)))
        if vector is not None:
            rows[at] = vector
    return rows


@torch.no_grad()
def _set(model: Seq2Seq, rows: Mapping[int, Vector]) -> None:
    weight = model.embedding.weight
    vectors = torch.from_numpy(np.stack(list(rows.values()))).to(weight)  # (rows, embedding)
    scale = weight.norm(dim=1).mean() / vectors.norm(dim=1).mean()
    weight[list(rows)] = vectors * scale
