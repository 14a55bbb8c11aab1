"""An index of the questions that a bot was trained on: written once, then read from the disk.

Weights are those of BM25 (Robertson and Zaragoza 2009, "The probabilistic relevance framework",
section 3.4) where each n-gram counts once: bm25s finds them and sorts the entries. What it keeps
for every entry is then the same for all entries of a gram, so that the weight of each gram is
stored instead. Searching needs NumPy alone.
"""

from __future__ import annotations

import json
import math
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import fields
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from chatseq.bots.bundle.arrays import load_array
from chatseq_qa.index_ngrams import Ids, grams
from chatseq_qa.postings import Match, Postings, Weights, norms_of, places_in

FILE = "index.json"
_ARRAYS = tuple(field.name for field in fields(Postings))
_FORMAT = 1
_BUCKETS = 1 << 29  # so many that unlike grams hardly ever meet; no table has as many rows
_SHORTEST, _LONGEST = 3, 4  # characters of a piece
# Beside the rarity of each gram. A word has several pieces, and each of them is in other words too.
_KIND_WEIGHTS = np.array([1.0, 0.5, 0.2], np.float32)  # words, pairs, pieces
_AT_ONCE = 1 << 22  # entries


class QuestionIndex:
    """Finds the questions most like another one; nothing is held in memory."""

    def __init__(self, folder: Path) -> None:
        """Open what `build` wrote.

        Raises:
            FileNotFoundError: it wrote nothing there.
            OSError, ValueError: the files cannot be read.
        """
        told = json.loads((folder / FILE).read_text(encoding="utf-8"))
        if not isinstance(told, dict) or told.get("format") != _FORMAT:
            raise ValueError(f"{FILE} is of another format")
        self._postings = Postings(*(load_array(_file(folder, name)) for name in _ARRAYS))
        self._unseen = float(told["unseen"])

    def __len__(self) -> int:
        return len(self._postings.norms)

    def search(self, question: str, most: int, *, first: int | None = None) -> list[Match]:
        """Return the pairs whose questions are most like a question, best first.

        The similarity is what both have in common: the weights of the grams that both hold, a word
        more than a pair or a piece of one, and each the more the fewer questions hold it. It is
        divided by what the question would get against itself; more exactly by the geometric mean of
        that and of what the other would get, so that a longer question is not more like everything.
        An exact copy gets 1. Equal ones are in the order of the corpus.

        Args:
            most: matches at most; there are fewer where fewer have any gram in common with it
            first: only so many pairs, from the first on, are looked at
        """
        asked = ids_of(question)
        return self._postings.search(asked, self.weigh(asked), most, first=first)

    def weigh(self, ids: Ids) -> Weights:
        """Return the weights of n-grams; those that no question holds have that of the rarest."""
        postings = self._postings
        places, known = places_in(postings.grams, ids)
        weights = np.float32(self._unseen) * kind_weights(ids)
        weights[known] = postings.weights[places[known]]
        return weights

    def vocabulary_coverage(self, question: str) -> float:
        """Return how much of a question, by the weight of its grams, some question holds, 0..1."""
        asked = ids_of(question)
        weights, (_, known) = self.weigh(asked), places_in(self._postings.grams, asked)
        whole = float(weights.sum())
        return float(weights[known].sum()) / whole if whole else 0.0

    @classmethod
    def build(cls, folder: Path, questions: Iterable[str]) -> None:
        """Write the index of some questions into an existing folder."""
        documents = _documents(questions)
        found = _indexed(documents)
        for name in _ARRAYS:
            np.save(_file(folder, name), getattr(found, name), allow_pickle=False)
        told = {
            "format": _FORMAT,
            "method": "lucene",
            "k1": 0,
            "b": 0,
            "buckets": _BUCKETS,
            "count": len(documents),
            "unseen": math.log(2 * len(documents) + 2),  # of "lucene" for a gram in no question
        }
        (folder / FILE).write_text(json.dumps(told) + "\n", encoding="utf-8")


@lru_cache(maxsize=1 << 9)
def ids_of(question: str) -> Ids:
    """Return the distinct n-grams of a question as the index knows them."""
    ids = grams(question, _BUCKETS, shortest=_SHORTEST, longest=_LONGEST).together()
    ids.flags.writeable = False  # several callers share it
    return ids


def kind_weights(ids: Ids) -> Weights:
    """Return what n-grams weigh for being words, pairs or pieces of words."""
    return _KIND_WEIGHTS[ids // _BUCKETS]


class _Documents:
    """The n-grams of every question as the lists that bm25s takes, each made when it is read."""

    def __init__(self, flat: Ids, ends: NDArray[np.int64]) -> None:
        self.known: Ids = np.unique(flat)
        self._flat, self._ends = flat, ends
        for start in range(0, len(flat), _AT_ONCE):
            some = flat[start : start + _AT_ONCE]
            some[:] = np.searchsorted(self.known, some)

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __iter__(self) -> Iterator[list[int]]:
        for start, end in pairwise(self._ends):
            yield self._flat[start:end].tolist()


def _documents(questions: Iterable[str]) -> _Documents:
    flat, ends = array("i"), array("q", [0])
    for question in questions:
        ids = ids_of(question)
        flat.frombytes(ids.tobytes())
        ends.append(ends[-1] + len(ids))
    return _Documents(np.array(flat, np.int32), np.array(ends, np.int64))


def _indexed(documents: _Documents) -> Postings:
    known, count = documents.known, len(documents)
    if not len(known):  # there is no mean length to reckon with
        norms = np.zeros(count, np.float32)
        return Postings(known, norms[:0], np.zeros(1, np.int64), known, norms)
    from bm25s import BM25  # looks for scipy and numba, which chatting must not load

    bm25 = BM25(k1=0, b=0, method="lucene", backend="numpy", csc_backend="numpy")
    found = bm25.build_index_from_ids(range(len(known)), documents, show_progress=False)
    starts, numbers = found["indptr"].astype(np.int64), found["indices"].astype(np.int32)
    weights = found["data"][starts[:-1]] * kind_weights(known)
    return Postings(known, weights, starts, numbers, norms_of(weights, starts, numbers, count))


def _file(folder: Path, name: str) -> Path:
    return folder / f"index-{name}.npy"
