"""The kind of tokenizer `subword`: how its pieces are learnt, and how a stored one is read."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator

from tokenizers import Tokenizer as Pipeline
from tokenizers import models, trainers

from chatseq.text.byte_fallback import BYTES, FIRST_PIECE_ID, MARKS
from chatseq_subword.merging import Merging
from chatseq_subword.pipeline import counted, free_ids, model_of, pipeline, read_pipeline
from chatseq_subword.tokenizer import SubwordTokenizer

_ALIGNED = 16  # sizes of the output layer that run at full speed
_CHUNK = 1000  # words


class Subword:
    """Byte-pair encoding (Sennrich et al. 2016) with every byte as a fall-back.

    Args:
        vocabulary_size: the most ids; a small corpus gets fewer.
    """

    def __init__(self, *, vocabulary_size: int = 2000) -> None:
        self._free_ids = free_ids(vocabulary_size)

    def learn(self, questions: Iterable[str], answers: Iterable[str] = ()) -> SubwordTokenizer:
        """Learn pieces from texts.

        Raises:
            TokenizerError: the texts hold nothing.
        """
        found = counted(questions, answers)
        alphabet = found.alphabet(self._free_ids)
        return SubwordTokenizer(_learnt(found.words, alphabet, self._free_ids), Merging)

    def load(self, text: str) -> SubwordTokenizer:
        """Read what `SubwordTokenizer.to_json` wrote.

        Raises:
            TokenizerError: it is something else.
        """
        return SubwordTokenizer(read_pipeline(text, models.BPE), Merging)


def _learnt(words: Counter[str], alphabet: list[str], most: int) -> Pipeline:
    """Learn merges from counted words, and put marks and bytes in front of the pieces."""
    trained = Pipeline(models.BPE())  # without a splitter: each string that it gets is one word
    trainer = trainers.BpeTrainer(
        vocab_size=most,
        min_frequency=2,
        show_progress=False,
        # Naming all that may stay makes the choice among equally rare characters ours.
        initial_alphabet=alphabet,
        limit_alphabet=max(1, len(alphabet)),
    )
    trained.train_from_iterator(_repeated(words), trainer)
    model = model_of(trained)
    pieces = sorted(model["vocab"], key=model["vocab"].__getitem__)
    merges = [tuple(pair) for pair in model["merges"]]
    surplus = (FIRST_PIECE_ID + len(pieces)) % _ALIGNED
    if 0 < surplus <= len(merges):  # the last merges are the rarest, and no other needs them
        pieces, merges = pieces[:-surplus], merges[:-surplus]
    vocabulary = {name: at for at, name in enumerate((*MARKS, *BYTES, *pieces))}
    return pipeline(models.BPE(vocab=vocabulary, merges=merges, byte_fallback=True))


def _repeated(words: Counter[str]) -> Iterator[list[str]]:
    """Yield every word as often as it was counted, in lists, which the trainer takes faster."""
    each = itertools.chain.from_iterable(map(itertools.repeat, words, words.values()))
    while chunk := list(itertools.islice(each, _CHUNK)):
        yield chunk
