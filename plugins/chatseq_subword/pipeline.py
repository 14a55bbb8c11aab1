"""What `subword` and `unigram` share: how text is cut into words, joined again, and stored."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from tokenizers import Regex, decoders, models, normalizers, pre_tokenizers
from tokenizers import Tokenizer as Pipeline

from chatseq.core.errors import TokenizerError
from chatseq.text.byte_fallback import (
    BYTES,
    FIRST_PIECE_ID,
    MARKS,
    NOTHING_TO_LEARN,
    clean,
    unreadable,
)

# What no piece ever crosses. A space sticks to the word after it; Han runs stand alone, so that
# Chinese needs no segmenter; digits are single; marks and white space stay apart from letters.
_WORDS = (
    r"\p{Han}+"
    r"| ?[\p{L}\p{M}&&[^\p{Han}]]+"
    r"| ?\p{N}"
    r"| ?[^\s\p{L}\p{M}\p{N}]+"
    r"|\s+(?!\S)"
    r"|\s+"
)
# The first word gets the space that it would have within a sentence; decoding takes it off again.
_FIRST_WORD = r"\A(?=[^\p{Han}])"

_SMALLEST = 512
_ALPHABET_SHARE = 0.75  # of the free ids; rarer characters are spelt in bytes


class Counted(NamedTuple):
    """The words of some texts, and their characters."""

    words: Counter[str]
    characters: Counter[str]

    def alphabet(self, free_ids: int) -> list[str]:
        """Return the characters that get an id, the most frequent first, ties by code point."""
        ranked = sorted(self.characters, key=lambda each: (-self.characters[each], each))
        return ranked[: int(free_ids * _ALPHABET_SHARE)]


def free_ids(vocabulary_size: int) -> int:
    """Return how many ids are left for pieces.

    Raises:
        ValueError: hardly any.
    """
    if vocabulary_size < _SMALLEST:
        raise ValueError(
            f"vocabulary_size ({vocabulary_size}) must be at least {_SMALLEST}, "
            f"since the bytes and the marks need {FIRST_PIECE_ID} ids. Make it larger."
        )
    return vocabulary_size - FIRST_PIECE_ID


def pipeline(model: models.Model) -> Pipeline:
    """Return what turns text into ids and back around a model whose first ids are as they must."""
    made = Pipeline(model)
    made.normalizer = normalizers.Replace(Regex(_FIRST_WORD), " ")
    made.pre_tokenizer = pre_tokenizers.Split(Regex(_WORDS), "isolated")
    made.decoder = decoders.Sequence(
        [decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return made


def counted(questions: Iterable[str], answers: Iterable[str]) -> Counted:
    """Count the words and characters of texts in one pass.

    Raises:
        TokenizerError: there are none.
    """
    characters: Counter[str] = Counter()
    words = Counter(_words(itertools.chain(questions, answers), characters))
    if not words:
        raise TokenizerError(NOTHING_TO_LEARN)
    return Counted(words, characters)


def words_of(made: Pipeline, text: str) -> list[str]:
    """Return the words of a clean text, which together are the text with its first space."""
    normal = made.normalizer.normalize_str(text)
    return [word for word, _ in made.pre_tokenizer.pre_tokenize_str(normal)]


def read_pipeline(text: str, model: type[models.Model]) -> Pipeline:
    """Read a stored pipeline.

    Raises:
        TokenizerError: it is something else, or around another model.
    """
    try:
        made = Pipeline.from_str(text)
    except Exception as fault:  # the library raises nothing narrower
        raise TokenizerError(unreadable(str(fault))) from fault
    if not isinstance(made.model, model):
        raise TokenizerError(unreadable(f"it is no {model.__name__} model"))
    if any(made.token_to_id(piece) != at for at, piece in enumerate((*MARKS, *BYTES))):
        raise TokenizerError(unreadable("its first ids are not the marks and bytes"))
    return made


def model_of(made: Pipeline) -> dict[str, Any]:
    """Return the model of a pipeline as it is stored."""
    stored: dict[str, Any] = json.loads(made.to_str())["model"]
    return stored


def _words(texts: Iterable[str], characters: Counter[str]) -> Iterator[str]:
    cutter = pipeline(models.BPE())
    for text in texts:
        for word in words_of(cutter, clean(text)):
            characters.update(word)
            yield word
