"""A tokenizer that knows a list of pieces and spells everything else."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Protocol

from chatseq.core.errors import TokenizerError
from chatseq.text.byte_fallback import (
    BYTES,
    FIRST_PIECE_ID,
    MARKS,
    byte_ids,
    check_dropout,
    clean,
    joined,
    unreadable,
)


class Cutter(Protocol):
    """Cuts a text into what may be pieces, and knows what it added."""

    name: str  # stored with the pieces, since they are of no use to another cutter

    def cut(self, text: str) -> list[str]:
        """Return the parts of a clean text, none empty."""

    def uncut(self, text: str) -> str:
        """Return the text that the parts were cut from.

        Args:
            text: the parts, joined
        """


class ListTokenizer:
    """Turns any text into ids and back: known parts by their number, others letter by letter.

    A letter that is not in the list is spelt in bytes.
    """

    def __init__(self, cutter: Cutter, pieces: Sequence[str]) -> None:
        self._cutter = cutter
        self._names = (*MARKS, *map(_byte_name, range(len(BYTES))), *pieces)
        self._ids = {piece: at for at, piece in enumerate(pieces, FIRST_PIECE_ID)}

    @property
    def size(self) -> int:
        """The number of ids."""
        return len(self._names)

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text, without start and end marks."""
        return [at for part in self._cutter.cut(clean(text)) for at in self._known_or_spelt(part)]

    def encode_answer(self, text: str) -> list[int]:
        """Return the ids of an answer, the same as those of a question."""
        return self.encode(text)

    def sample(self, text: str, seed: int, *, dropout: float = 0.1) -> list[int]:
        """Return the text with some words spelt in letters, the same for the same seed.

        Where the pieces are letters already, this is the usual encoding.

        Args:
            dropout: share of the words that are spelt, 0..1
        """
        check_dropout(dropout)
        draw = random.Random(seed)  # noqa: S311  (no secret)
        found: list[int] = []
        for part in self._cutter.cut(clean(text)):
            spelt = draw.random() < dropout
            found += self._spelt(part) if spelt else self._known_or_spelt(part)
        return found

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of ids; padding, start and end marks give nothing."""
        return self._cutter.uncut(joined(ids, self._names.__getitem__))

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """Return what each id stands for; a piece that begins a word begins with its space."""
        return [self._names[at] for at in ids]

    def to_json(self) -> str:
        """Return everything needed to load the tokenizer again."""
        stored = {"cut": self._cutter.name, "pieces": self._names[FIRST_PIECE_ID:]}
        return json.dumps(stored, ensure_ascii=False)

    def _known_or_spelt(self, part: str) -> Sequence[int]:
        known = self._ids.get(part)
        return self._spelt(part) if known is None else (known,)

    def _spelt(self, part: str) -> list[int]:
        found: list[int] = []
        for letter in part:
            known = self._ids.get(letter)
            found += byte_ids(letter) if known is None else (known,)
        return found


def read_list(text: str, cutters: Sequence[Cutter]) -> ListTokenizer:
    """Read what `ListTokenizer.to_json` wrote.

    Args:
        cutters: those that may have cut it

    Raises:
        TokenizerError: it is something else.
    """
    try:
        stored = json.loads(text)
        cut, pieces = stored["cut"], stored["pieces"]
        cutter = next((cutter for cutter in cutters if cutter.name == cut), None)
        sound = all(piece and clean(piece) == piece for piece in pieces)
        distinct = len(set(pieces)) == len(pieces)
    except (ValueError, KeyError, TypeError, RecursionError) as fault:
        raise TokenizerError(unreadable(f"it holds no list of pieces ({fault})")) from fault
    if cutter is None:
        raise TokenizerError(unreadable(f"its text was cut in another way ({cut!r})"))
    if not (isinstance(pieces, list) and sound and distinct):
        raise TokenizerError(unreadable("a piece is empty, comes twice or is no text"))
    return ListTokenizer(cutter, pieces)


def _byte_name(byte: int) -> str:
    """Name a byte; one that is a character by itself is that character, as features read it."""
    return chr(byte) if byte < 0x80 else BYTES[byte]
