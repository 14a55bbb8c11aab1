"""The tokenizer `unigram`: the likeliest pieces of a word, or others by chance (Kudo 2018)."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable

from tokenizers import Tokenizer as Pipeline
from tokenizers import models

from chatseq.text.byte_fallback import BYTES, MARKS, byte_ids
from chatseq_subword.likelihood import learn_pieces
from chatseq_subword.pipeline import counted, free_ids, model_of, pipeline, read_pipeline
from chatseq_subword.tokenizer import SubwordTokenizer

_UNKNOWN_PENALTY = 10.0  # below the rarest piece; the library's own number


class Unigram:
    """Subwords by a unigram language model (Kudo 2018), with every byte as a fall-back.

    With `training.subword_dropout`, that share of the words is read in other pieces each epoch,
    likelier ones more often ("subword regularization", section 3).

    Args:
        vocabulary_size: the most ids; a small corpus gets fewer.
        longest: characters of a piece at most.
        alpha: exponent of the probability by which other pieces are drawn: 0 makes all alike, 1 is
            the model's own, the larger the nearer to the likeliest.
    """

    def __init__(
        self, *, vocabulary_size: int = 2000, longest: int = 16, alpha: float = 0.2
    ) -> None:
        self._free_ids = free_ids(vocabulary_size)
        if longest < 1:
            raise ValueError(f"longest ({longest}) must be at least 1. Set it to 16.")
        if not 0 <= alpha < math.inf:
            raise ValueError(f"alpha ({alpha}) must be 0 or more. Set it to 0.2.")
        self._longest, self._alpha = longest, alpha

    def learn(self, questions: Iterable[str], answers: Iterable[str] = ()) -> SubwordTokenizer:
        """Learn pieces and their probabilities from texts.

        Raises:
            TokenizerError: the texts hold nothing.
        """
        found = counted(questions, answers)
        alphabet = found.alphabet(self._free_ids)
        pieces = learn_pieces(found.words, alphabet, most=self._free_ids, longest=self._longest)
        rarest = min(score for _, score in pieces)
        fixed = [(name, rarest) for name in (*MARKS, *BYTES)]
        model = models.Unigram([*fixed, *pieces], unk_id=0, byte_fallback=True)
        return self._tokenizer(pipeline(model))

    def load(self, text: str) -> SubwordTokenizer:
        """Read what `SubwordTokenizer.to_json` wrote.

        Raises:
            TokenizerError: it is something else.
        """
        return self._tokenizer(read_pipeline(text, models.Unigram))

    def _tokenizer(self, learnt: Pipeline) -> SubwordTokenizer:
        return SubwordTokenizer(learnt, lambda learnt: Drawing(learnt, self._alpha))


class Drawing:
    """Cuts some words by chance: forward sums over all ways, then drawn from the end.

    In plain Python, since the library's own randomness cannot be seeded.
    """

    def __init__(self, learnt: Pipeline, alpha: float) -> None:
        stored = model_of(learnt)["vocab"]
        self._model = learnt.model
        self._scores = {piece: alpha * score for piece, score in stored}
        self._ids = {piece: at for at, (piece, _) in enumerate(stored)}
        self._longest = max(map(len, self._scores))
        self._unknown = alpha * (min(score for _, score in stored) - _UNKNOWN_PENALTY)

    def __call__(self, word: str, dropout: float, draw: random.Random) -> list[int]:
        """Return the ids of a word.

        Args:
            dropout: how likely the word is cut by chance, 0..1
        """
        if draw.random() >= dropout:
            return [token.id for token in self._model.tokenize(word)]
        sums = self._forward(word)
        cut: list[str] = []
        end = len(word)
        while end:
            starts = self._starts(word, end)
            weights = [math.exp(sums[at] + score - sums[end]) for at, score in starts]
            at = draw.choices([at for at, _ in starts], weights)[0]
            cut.append(word[at:end])
            end = at
        return [at for piece in reversed(cut) for at in self._spelt(piece)]

    def _forward(self, word: str) -> list[float]:
        """Return the log of the summed weights of all ways to cut each beginning of a word."""
        sums = [0.0]
        for end in range(1, len(word) + 1):
            sums.append(_log_sum([sums[at] + score for at, score in self._starts(word, end)]))
        return sums

    def _starts(self, word: str, end: int) -> list[tuple[int, float]]:
        """Return where a last piece may begin, and its score."""
        known = [
            (at, self._scores[word[at:end]])
            for at in range(max(0, end - self._longest), end)
            if word[at:end] in self._scores
        ]
        alone = end - 1
        return known if known and known[-1][0] == alone else [*known, (alone, self._unknown)]

    def _spelt(self, piece: str) -> list[int]:
        known = self._ids.get(piece)
        return byte_ids(piece) if known is None else [known]


def _log_sum(logs: list[float]) -> float:
    highest = max(logs)
    return highest + math.log(math.fsum(math.exp(each - highest) for each in logs))
