"""A tokenizer without a corpus, for tests of strategies, adjusters and responders."""

from __future__ import annotations

import json
from collections.abc import Sequence

from chatseq.text.tokenizer import FIRST_FREE_ID


class LetterTokenizer:
    """Gives each letter an id; what is no letter of its own is read as the first one.

    Args:
        letters: in the order of their ids
    """

    def __init__(self, letters: str = " abcdefghijklmnopqrstuvwxyz") -> None:
        self._letters = letters

    @property
    def size(self) -> int:
        """The number of ids."""
        return FIRST_FREE_ID + len(self._letters)

    def encode(self, text: str) -> list[int]:
        """Return an id for each character."""
        return [FIRST_FREE_ID + max(0, self._letters.find(letter)) for letter in text.lower()]

    def encode_answer(self, text: str) -> list[int]:
        """Return the same ids as for a question."""
        return self.encode(text)

    def sample(self, text: str, seed: int, *, dropout: float = 0.1) -> list[int]:  # noqa: ARG002
        """Return the only segmentation there is."""
        return self.encode(text)

    def decode(self, ids: Sequence[int]) -> str:
        """Return the letters; marks give nothing."""
        return "".join(self.pieces([i for i in ids if i >= FIRST_FREE_ID]))

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """Return the letter of each id, and a name for each mark."""
        marks = ("<pad>", "<start>", "<end>")
        return [marks[i] if i < FIRST_FREE_ID else self._letters[i - FIRST_FREE_ID] for i in ids]

    def to_json(self) -> str:
        """Return the letters."""
        return json.dumps(self._letters)
