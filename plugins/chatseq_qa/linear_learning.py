"""Learn the linear classifier; loaded at the end of training only."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from chatseq_qa.linear import BUCKETS, LONGEST, SHORTEST, Floats, Known, vector_of
from chatseq_qa.ngrams import grams

_COST = 1.0  # of an example on the wrong side; 0.5 and 2 gave the same on validation questions
_MOST_WEIGHTS = 48_000_000  # a byte each in the bundle


def known_grams(questions: Iterable[str], answers: int) -> Known:
    """Return the n-grams of some questions with their weights.

    Where there were too many for the number of answers, those that one question alone holds are
    left out, then those of two, and so on.
    """
    held = [
        grams(question, BUCKETS, shortest=SHORTEST, longest=LONGEST).together()
        for question in questions
    ]
    ids, counts = np.unique(np.concatenate(held), return_counts=True)
    fewest = 1
    while (counts >= fewest).sum() * max(1, answers) > _MOST_WEIGHTS:
        fewest += 1
    kept = counts >= fewest
    rarity = np.log((1 + len(held)) / (1 + counts[kept])) + 1
    return Known(ids[kept], rarity.astype(np.float32))


def learn_linear(
    known: Known, questions: Sequence[str], answers: Sequence[int], count: int, seed: int
) -> tuple[Floats, Floats]:
    """Return weights (grams, answers) and bias (answers,) of one-against-all support vectors.

    L2-regularised squared hinge loss (Fan et al. 2008, "LIBLINEAR", section 2). An answer without
    an example gets a margin of -1 everywhere.

    Args:
        answers: the number of each question's answer, 0..count - 1
    """
    from scipy.sparse import csr_matrix
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.svm import LinearSVC

    weights = np.zeros((len(known.ids), count), np.float32)
    bias = np.full(count, -1, np.float32)
    classes = np.unique(answers)
    if len(classes) < 2:
        bias[classes] = 1
        return weights, bias
    vectors = [vector_of(question, known) for question in questions]
    ends = np.cumsum([0, *(len(vector.places) for vector in vectors)])
    matrix = csr_matrix(
        (
            np.concatenate([vector.values for vector in vectors]).astype(np.float64),
            np.concatenate([vector.places for vector in vectors]),
            ends,
        ),
        shape=(len(vectors), len(known.ids)),
    )
    machine = LinearSVC(C=_COST, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # nearly there is as good
        machine.fit(matrix, answers)
    found, offsets = _both_sides(machine.coef_, machine.intercept_)
    weights[:, classes], bias[classes] = found.T, offsets
    return weights, bias


def _both_sides(
    coefficients: NDArray[np.float64], offsets: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a row for each class; of two classes scikit-learn has one row alone."""
    if len(coefficients) > 1:
        return coefficients, offsets
    return np.concatenate([-coefficients, coefficients]), np.concatenate([-offsets, offsets])
