"""A linear classifier from the n-grams of a question to the answers of the corpus.

On questions with paraphrases it is a strong rival of any network, and errs elsewhere. It is learnt
by scikit-learn (chatseq_qa.linear_classifier_fit); scoring needs NumPy alone.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chatseq.bots.bundle.arrays import load_array
from chatseq_qa.classifier_features import Ids, Views, views_of

FILES = "linear-{}.npy"
_LENGTH = (2 / 3) ** 0.5  # of each third
_ARRAYS = ("grams", "rarity", "weights", "scales", "bias")

Floats = NDArray[np.float32]


class Known(NamedTuple):
    """The n-grams that the corpus holds."""

    ids: Ids  # (grams,) ascending
    rarity: Floats  # (grams,) the more, the fewer questions hold one


class Vector(NamedTuple):
    """A question as a sparse vector over the known n-grams."""

    places: NDArray[np.int64]
    values: Floats


class LinearClassifier:
    """Scores every answer that it has learnt."""

    def __init__(self, folder: Path) -> None:
        """Open what `save_classifier` wrote.

        Raises:
            OSError, ValueError: the files cannot be read.
        """
        ids, rarity, weights, scales, bias = (
            load_array(folder / FILES.format(name)) for name in _ARRAYS
        )
        of_each = (ids.shape, rarity.shape, scales.shape, bias.shape)
        if of_each != (weights.shape[:1],) * 2 + (weights.shape[1:],) * 2:
            raise ValueError("the files of the linear classifier do not belong together")
        self._known = Known(ids, rarity)
        self._weights = weights  # (grams, answers) 8 bits
        self._scales, self._bias = scales, bias  # (answers,)

    def scores(self, question: str) -> Floats:
        """Return the margin of each answer, (answers,): above 0 where it fits, below elsewhere."""
        vector = vector_of(question, self._known)
        rows = self._weights[vector.places].astype(np.float32)
        # Not as a product of matrices, for which threads would be woken up.
        sums = np.einsum("g,ga->a", vector.values, rows)
        found: Floats = sums * self._scales + self._bias
        return found


def vector_of(question: str, known: Known) -> Vector:
    """Return a question as the vector that is learnt from.

    Words, with those near each other, pieces of words, and pieces of the text each weigh a third,
    of a short question with rare words and of a long one alike. How often an n-gram comes is left
    out, since in questions it hardly ever comes again.
    """
    parts = thirds(views_of(question))
    ids = np.concatenate(parts)
    if not len(known.ids):
        return Vector(np.zeros(0, np.int64), np.zeros(0, np.float32))
    places = np.minimum(np.searchsorted(known.ids, ids), len(known.ids) - 1)
    held = known.ids[places] == ids
    third = np.repeat(np.arange(len(parts)), [len(part) for part in parts])[held]
    places = places[held]
    values = known.rarity[places]
    lengths = np.sqrt(np.bincount(third, values * values, len(parts)))
    scales = np.divide(_LENGTH, lengths, out=np.zeros(len(parts)), where=lengths > 0)
    return Vector(places, values * scales.astype(np.float32)[third])


def thirds(seen: Views) -> tuple[Ids, Ids, Ids]:
    """Return the views as they are weighed against each other."""
    return np.concatenate([seen.words, seen.near]), seen.pieces, seen.spans


def save_classifier(folder: Path, known: Known, weights: Floats, bias: Floats) -> None:
    """Write a classifier into an existing folder, its weights in 8 bits.

    Args:
        weights: (grams, answers)
        bias: (answers,)
    """
    scales = np.maximum(np.abs(weights).max(0, initial=0.0), 1e-9) / 127  # (answers,)
    small = np.rint(weights / scales).astype(np.int8)
    arrays = (*known, small, scales.astype(np.float32), bias.astype(np.float32))
    for name, array in zip(_ARRAYS, arrays, strict=True):
        np.save(folder / FILES.format(name), array, allow_pickle=False)


def copy_classifier(source: Path, folder: Path) -> None:
    """Copy what `save_classifier` wrote into another folder."""
    for name in _ARRAYS:
        shutil.copyfile(source / FILES.format(name), folder / FILES.format(name))
