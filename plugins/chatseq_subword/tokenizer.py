"""A learnt subword tokenizer: loss-less up to Unicode's canonical form (NFC)."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from tokenizers import Tokenizer as Pipeline

from chatseq.text.byte_fallback import check_dropout, clean, joined
from chatseq.text.tokenizer import FIRST_FREE_ID
from chatseq_subword.pipeline import words_of

_VARIANTS = 32  # segmentations of a word to draw from
_KEPT_SEGMENTATIONS = 1_000_000  # remembered before starting afresh
_KEPT_TEXTS = 100_000

Segment = Callable[[str, float, random.Random], list[int]]  # (word, dropout, draw) -> ids


class SubwordTokenizer:
    """Turns any text into ids and back; what has no piece of its own is spelt in bytes."""

    def __init__(self, pipeline: Pipeline, make_segment: Callable[[Pipeline], Segment]) -> None:
        """Put a learnt pipeline to use.

        Args:
            make_segment: makes what cuts words at random; called when first needed
        """
        self._pipeline = pipeline
        self._make_segment = make_segment
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
        """Return one random segmentation, the same for the same seed.

        Args:
            dropout: how much is left to chance, 0..1; 0: nothing
        """
        if self._sampler is None or self._sampler.dropout != dropout:
            check_dropout(dropout)
            self._sampler = _Sampler(self._pipeline, self._make_segment(self._pipeline), dropout)
        return self._sampler.ids(clean(text), seed)

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of ids; padding, start and end marks give nothing."""
        spoken = [at for at in ids if at >= FIRST_FREE_ID]
        text = self._pipeline.decode(spoken, skip_special_tokens=False)
        # One byte out of place makes the library spoil the whole characters beside it too; text
        # that was already shown must not change when such a byte follows.
        return joined(spoken, self._piece).removeprefix(" ") if "\ufffd" in text else text

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """Return what each id stands for; a piece that begins a word begins with its space."""
        return [self._piece(at) for at in ids]

    def to_json(self) -> str:
        """Return everything needed to load the tokenizer again."""
        return self._pipeline.to_str()

    def _piece(self, at: int) -> str:
        return self._pipeline.id_to_token(at) or ""


class _Sampler:
    """Segments texts at random.

    A word has a fixed set of segmentations, each a function of the word and its number alone, so
    that remembering them is not seen from outside and makes sampling as fast as encoding.
    """

    def __init__(self, pipeline: Pipeline, segment: Segment, dropout: float) -> None:
        self.dropout = dropout
        self._pipeline = pipeline
        self._segment = segment
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
            found = self._texts[text] = words_of(self._pipeline, text)
        return found

    def _segmentation(self, word: str, variant: int) -> list[int]:
        found = self._known.get((word, variant))
        if found is None:
            if len(self._known) >= _KEPT_SEGMENTATIONS:
                self._known.clear()
            draw = random.Random(f"{variant} {word}")  # noqa: S311
            found = self._known[word, variant] = self._segment(word, self.dropout, draw)
        return found
