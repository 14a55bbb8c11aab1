"""The kind of tokenizer `subword`: how its pieces are learnt, and how a stored one is read."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from tokenizers import Regex, decoders, models, normalizers, pre_tokenizers, trainers
from tokenizers import Tokenizer as Pipeline

from chatseq.errors import TokenizerError
from chatseq_subword.tokenizer import BYTES, SPECIALS, SubwordTokenizer, clean

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
_ALIGNED = 16  # sizes of the output layer that run at full speed
_CHUNK = 1000  # words


class Subword:
    """Byte-pair encoding (Sennrich et al. 2016) with every byte as a fall-back.

    Args:
        vocabulary_size: the most ids; a small corpus gets fewer.
    """

    def __init__(self, *, vocabulary_size: int = 2000) -> None:
        if vocabulary_size < _SMALLEST:
            raise ValueError(
                f"vocabulary_size ({vocabulary_size}) must be at least {_SMALLEST}, "
                "since the bytes and the marks need 259 ids. Make it larger."
            )
        self._vocabulary_size = vocabulary_size

    def learn(self, questions: Iterable[str], answers: Iterable[str] = ()) -> SubwordTokenizer:
        """Learn pieces from texts.

        Raises:
            TokenizerError: the texts hold nothing.
        """
        characters: Counter[str] = Counter()
        pipeline = _pipeline(models.BPE())
        # One pass over the texts: the words are counted while the alphabet is.
        words = Counter(_words(pipeline, itertools.chain(questions, answers), characters))
        if not words:
            raise TokenizerError(
                "There is no text to learn a tokenizer from. Check the corpus: "
                "chatseq corpus show FILE"
            )
        learnt = _learnt(words, self._alphabet(characters), self._free_ids())
        return SubwordTokenizer(learnt)

    def load(self, text: str) -> SubwordTokenizer:
        """Read what `SubwordTokenizer.to_json` wrote.

        Raises:
            TokenizerError: it is something else.
        """
        try:
            pipeline = Pipeline.from_str(text)
        except Exception as fault:  # the library raises nothing narrower
            raise TokenizerError(unreadable(str(fault))) from fault
        fixed = (*SPECIALS, *BYTES)
        if any(pipeline.token_to_id(piece) != at for at, piece in enumerate(fixed)):
            raise TokenizerError(unreadable("its first ids are not the marks and bytes"))
        return SubwordTokenizer(pipeline)

    def _free_ids(self) -> int:
        return self._vocabulary_size - len(SPECIALS) - len(BYTES)

    def _alphabet(self, characters: Counter[str]) -> list[str]:
        """Return the characters that get an id, the most frequent first, ties by code point."""
        most = int(self._free_ids() * _ALPHABET_SHARE)
        ranked = sorted(characters, key=lambda character: (-characters[character], character))
        return ranked[:most]


def unreadable(why: str) -> str:
    """Return what is told of a tokenizer that cannot be read."""
    return (
        f"The tokenizer cannot be read: {why}. Train the bot again, or import it from its "
        ".chatseq file."
    )


def _pipeline(model: models.BPE) -> Pipeline:
    pipeline = Pipeline(model)
    pipeline.normalizer = normalizers.Replace(Regex(_FIRST_WORD), " ")
    pipeline.pre_tokenizer = pre_tokenizers.Split(Regex(_WORDS), "isolated")
    pipeline.decoder = decoders.Sequence(
        [decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return pipeline


def _words(pipeline: Pipeline, texts: Iterable[str], characters: Counter[str]) -> Iterator[str]:
    for text in texts:
        normal = pipeline.normalizer.normalize_str(clean(text))
        for word, _ in pipeline.pre_tokenizer.pre_tokenize_str(normal):
            characters.update(word)
            yield word


def _learnt(words: Counter[str], alphabet: list[str], free_ids: int) -> Pipeline:
    """Learn merges from counted words, and put marks and bytes in front of the pieces."""
    trained = Pipeline(models.BPE())  # without a splitter: each string that it gets is one word
    trainer = trainers.BpeTrainer(
        vocab_size=free_ids,
        min_frequency=2,
        show_progress=False,
        # Naming all that may stay makes the choice among equally rare characters ours.
        initial_alphabet=alphabet,
        limit_alphabet=max(1, len(alphabet)),
    )
    trained.train_from_iterator(_repeated(words), trainer)
    model: dict[str, Any] = json.loads(trained.to_str())["model"]
    pieces = sorted(model["vocab"], key=model["vocab"].__getitem__)
    merges = [tuple(pair) for pair in model["merges"]]
    surplus = (len(SPECIALS) + len(BYTES) + len(pieces)) % _ALIGNED
    if 0 < surplus <= len(merges):  # the last merges are the rarest, and no other needs them
        pieces, merges = pieces[:-surplus], merges[:-surplus]
    names = (*SPECIALS, *BYTES, *pieces)
    vocabulary = {name: at for at, name in enumerate(names)}
    return _pipeline(models.BPE(vocab=vocabulary, merges=merges, byte_fallback=True))


def _repeated(words: Counter[str]) -> Iterator[list[str]]:
    """Yield every word as often as it was counted, in lists, which the trainer takes faster."""
    each = itertools.chain.from_iterable(map(itertools.repeat, words, words.values()))
    while chunk := list(itertools.islice(each, _CHUNK)):
        yield chunk
