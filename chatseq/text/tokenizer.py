"""What a tokenizer must offer; the built-in one is in plugins/chatseq_subword."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

PAD_ID = 0  # fills short rows; never scored
START_ID = 1  # the decoder's first input
END_ID = 2  # ends a reply; generated like any token
FIRST_FREE_ID = 3


class Tokenizer(Protocol):
    """Text to ids and back, loss-less on the language that it was learnt from.

    Ids 0, 1 and 2 are padding, start and end in every tokenizer. There is no unknown token: what
    was never seen is spelt in bytes.
    """

    @property
    def size(self) -> int:
        """The number of ids."""

    def encode(self, text: str) -> list[int]:
        """Return the ids of a question, without start and end marks."""

    def encode_answer(self, text: str) -> list[int]:
        """Return the ids of an answer, which may be written in other, longer pieces."""

    def sample(self, text: str, seed: int, *, dropout: float = 0.1) -> list[int]:
        """Return one random segmentation of a question; decoding gives the same text."""

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of ids; padding, start and end marks give nothing."""

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """Return what each id stands for, for people to read."""

    def to_json(self) -> str:
        """Return everything needed to load the tokenizer again."""


class TokenizerPart(Protocol):
    """A kind of tokenizer with its options; what the hook `chatseq_tokenizers` names."""

    def learn(self, questions: Iterable[str], answers: Iterable[str] = ()) -> Tokenizer:
        """Learn from texts, the same result for the same texts.

        Raises:
            TokenizerError: the texts hold nothing to learn from.
        """

    def load(self, text: str) -> Tokenizer:
        """Read what `Tokenizer.to_json` wrote.

        Raises:
            TokenizerError: it is something else.
        """
