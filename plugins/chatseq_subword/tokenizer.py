"""A learnt subword tokenizer: loss-less up to Unicode's canonical form (NFC)."""

from __future__ import annotations

import itertools
import json
import random
import unicodedata
from collections.abc import Sequence

from tokenizers import Tokenizer as Pipeline

from chatseq.text.tokenizer import FIRST_FREE_ID

# Text cannot spell these: a space ends a word, and no piece holds one anywhere but in front.
SPECIALS = ("<pad mark>", "<start mark>", "<end mark>")
BYTES = tuple(f"<0x{byte:02X}>" for byte in range(256))  # the names that the library knows

_VARIANTS = 32  # segmentations of a word to draw from
_KEPT_SEGMENTATIONS = 1_000_000  # remembered before starting afresh
_KEPT_TEXTS = 100_000

Pair = tuple[str, str]


def clean(text: str) -> str:
    """Return the text in NFC; half a surrogate pair, which is no character, becomes U+FFFD."""
    if not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
    try:
        text.encode()
    except UnicodeEncodeError:
        return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text)
    return text


class SubwordTokenizer:
    """Turns any text into ids and back; what has no piece of its own is spelt in bytes."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._sampler: _Sampler | None = None

    @property
    def size(self) -> int:
        """The number of ids."""
        return self._pipeline.get_vocab_size()

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text, without start and end marks."""
        return self._pipeline.encode(clean(text), add_special_tokens=False).ids

    def encode_answer(self, text: str) -> list[int]:
        """Return the ids of an answer, the same as those of a question."""
        return self.encode(text)

    def sample(self, text: str, seed: int, *, dropout: float = 0.1) -> list[int]:
        """Return one random segmentation, the same for the same seed (Provilkov et al. 2020).

        Args:
            dropout: share of the merges that are left out, 0..1
        """
        if self._sampler is None or self._sampler.dropout != dropout:
            self._sampler = _Sampler(self._pipeline, dropout)
        return self._sampler.ids(clean(text), seed)

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of ids; padding, start and end marks give nothing."""
        spoken = [at for at in ids if at >= FIRST_FREE_ID]
        text = self._pipeline.decode(spoken, skip_special_tokens=False)
        # One byte out of place makes the library spoil the whole characters beside it too; text
        # that was already shown must not change when such a byte follows.
        return self._decode_bytewise(spoken) if "\ufffd" in text else text

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """Return what each id stands for; a piece that begins a word begins with its space."""
        return [self._pipeline.id_to_token(at) or "" for at in ids]

    def _decode_bytewise(self, ids: Sequence[int]) -> str:
        parts = []
        for spelt, run in itertools.groupby(ids, key=lambda at: at < FIRST_FREE_ID + len(BYTES)):
            if spelt:
                parts.append(bytes(at - FIRST_FREE_ID for at in run).decode(errors="replace"))
            else:
                parts += self.pieces(list(run))
        return "".join(parts).removeprefix(" ")

    def to_json(self) -> str:
        """Return everything needed to load the tokenizer again."""
        return self._pipeline.to_str()


class _Sampler:
    """Segments words with some merges left out, in plain Python, since the library's own
    randomness cannot be seeded.

    A word has a fixed set of segmentations, each a function of the word and its number alone, so
    that remembering them is not seen from outside and makes sampling as fast as encoding.
    """

    def __init__(self, pipeline: Pipeline, dropout: float) -> None:
        if not 0 <= dropout <= 1:
            raise ValueError(f"dropout ({dropout}) must be between 0 and 1")
        self.dropout = dropout
        self._pipeline = pipeline
        model = json.loads(pipeline.to_str())["model"]
        self._vocabulary: dict[str, int] = model["vocab"]
        self._ranks: dict[Pair, int] = {(a, b): rank for rank, (a, b) in enumerate(model["merges"])}
        self._texts: dict[str, list[str]] = {}
        self._known: dict[tuple[str, int], list[int]] = {}

    def ids(self, text: str, seed: int) -> list[int]:
        draw = random.Random(seed)  # noqa: S311  (no secret)
        found: list[int] = []
        for word in self._words(text):
            found += self._segmentation(word, int(draw.random() * _VARIANTS))
        return found

    def _words(self, text: str) -> list[str]:
        found = self._texts.get(text)
        if found is None:
            if len(self._texts) >= _KEPT_TEXTS:
                self._texts.clear()
            normal = self._pipeline.normalizer.normalize_str(text)
            split = self._pipeline.pre_tokenizer.pre_tokenize_str(normal)
            found = self._texts[text] = [word for word, _ in split]
        return found

    def _segmentation(self, word: str, variant: int) -> list[int]:
        found = self._known.get((word, variant))
        if found is None:
            if len(self._known) >= _KEPT_SEGMENTATIONS:
                self._known.clear()
            symbols = self._merged(word, random.Random(f"{variant} {word}"))  # noqa: S311
            found = self._known[word, variant] = [i for s in symbols for i in self._spelt(s)]
        return found

    def _merged(self, word: str, draw: random.Random) -> list[str]:
        symbols = list(word)
        while True:
            best, at = len(self._ranks), -1
            for here, pair in enumerate(itertools.pairwise(symbols)):
                rank = self._ranks.get(pair, best)
                if rank < best and draw.random() >= self.dropout:
                    best, at = rank, here
            if at < 0:
                return symbols
            symbols[at : at + 2] = [symbols[at] + symbols[at + 1]]

    def _spelt(self, symbol: str) -> list[int]:
        known = self._vocabulary.get(symbol)
        if known is not None:
            return [known]
        return [self._vocabulary[BYTES[byte]] for byte in symbol.encode()]
