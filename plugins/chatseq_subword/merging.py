"""Random segmentations of words by leaving merges out (Provilkov et al. 2020, "BPE-dropout")."""

from __future__ import annotations

import itertools
import random

from tokenizers import Tokenizer as Pipeline

from chatseq.text.byte_fallback import byte_ids
from chatseq_subword.pipeline import model_of


class Merging:
    """Cuts a word as the learnt merges do, each left out by chance.

    In plain Python, since the library's own randomness cannot be seeded.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        model = model_of(pipeline)
        self._vocabulary: dict[str, int] = model["vocab"]
        self._ranks = {(left, right): rank for rank, (left, right) in enumerate(model["merges"])}

    def __call__(self, word: str, dropout: float, draw: random.Random) -> list[int]:
        """Return the ids of a word.

        Args:
            dropout: share of the merges that are left out, 0..1
        """
        symbols = list(word)
        while (at := self._next(symbols, dropout, draw)) >= 0:
            symbols[at : at + 2] = [symbols[at] + symbols[at + 1]]
        return [piece for symbol in symbols for piece in self._spelt(symbol)]

    def _next(self, symbols: list[str], dropout: float, draw: random.Random) -> int:
        """Return the place of the earliest learnt merge that is not left out, -1 for none."""
        best, at = len(self._ranks), -1
        for here, pair in enumerate(itertools.pairwise(symbols)):
            rank = self._ranks.get(pair, best)
            if rank < best and draw.random() >= dropout:
                best, at = rank, here
        return at

    def _spelt(self, symbol: str) -> list[int]:
        known = self._vocabulary.get(symbol)
        return byte_ids(symbol) if known is None else [known]
