"""The tokenizer `your-part`."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain

from chatseq.core.errors import TokenizerError
from chatseq.text.byte_fallback import (
    BYTES,
    FIRST_PIECE_ID,
    MARKS,
    NOTHING_TO_LEARN,
    byte_ids,
    check_dropout,
    clean,
    joined,
    unreadable,
)

_WORD = re.compile(r" ?\w+|\s|[^\w\s]")  # a word with the space before it; nothing is left over


class YourPart:
    """One id for each frequent word, with the space before it; other words are spelt in bytes."""

    def __init__(self, *, vocabulary_size: int = 8000) -> None:
        """Set the options.

        Args:
            vocabulary_size: the most ids; marks and bytes take the first 259 of them
        """
        if vocabulary_size <= FIRST_PIECE_ID:
            raise ValueError(f"vocabulary_size ({vocabulary_size}) must be above {FIRST_PIECE_ID}.")
        self.room = vocabulary_size - FIRST_PIECE_ID

    def learn(self, questions: Iterable[str], answers: Iterable[str] = ()) -> Words:
        """Learn which words there are; the same texts always give the same words.

        Raises:
            TokenizerError: the texts hold nothing.
        """
        texts = map(clean, chain(questions, answers))
        counts = Counter(word for text in texts for word in _WORD.findall(text))
        if not counts:
            raise TokenizerError(NOTHING_TO_LEARN)
        return Words(sorted(counts, key=lambda word: (-counts[word], word))[: self.room])

    def load(self, text: str) -> Words:
        """Read what `Words.to_json` wrote.

        Raises:
            TokenizerError: it is something else.
        """
        try:
            words = json.loads(text)["words"]
        except (ValueError, TypeError, LookupError) as fault:
            raise TokenizerError(unreadable("it holds no list of words")) from fault
        if not isinstance(words, list) or not all(word and type(word) is str for word in words):
            raise TokenizerError(unreadable("its words are no texts"))
        return Words(words)


class Words:
    """Text to ids and back. Ids begin with the marks and the bytes, then come the words."""

    def __init__(self, words: Sequence[str]) -> None:
        self._names = [*MARKS, *BYTES, *words]
        self._ids = {word: at for at, word in enumerate(words, FIRST_PIECE_ID)}

    @property
    def size(self) -> int:
        """The number of ids."""
        return len(self._names)

    def encode(self, text: str) -> list[int]:
        """Return the ids of a question."""
        return self._spelt(text, set())

    def encode_answer(self, text: str) -> list[int]:
        """Return the ids of an answer, which are the same here."""
        return self.encode(text)

    def sample(self, text: str, seed: int, *, dropout: float = 0.1) -> list[int]:
        """Return the ids with some words spelt in bytes, chosen by the seed alone."""
        check_dropout(dropout)
        draw = random.Random(seed)  # noqa: S311  (no secret)
        words = _WORD.findall(clean(text))
        return self._spelt(text, {at for at in range(len(words)) if draw.random() < dropout})

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of ids; marks give nothing."""
        return joined(ids, self._names.__getitem__)

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """Return what each id stands for, for people to read."""
        return [self._names[at] for at in ids]

    def to_json(self) -> str:
        """Return the words."""
        return json.dumps({"words": self._names[FIRST_PIECE_ID:]}, ensure_ascii=False)

    def _spelt(self, text: str, dropped: set[int]) -> list[int]:
        ids: list[int] = []
        for at, word in enumerate(_WORD.findall(clean(text))):
            known = word in self._ids and at not in dropped
            ids += [self._ids[word]] if known else byte_ids(word)
        return ids
