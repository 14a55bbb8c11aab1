"""Learn the linear classifier; loaded at the end of training only."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chatseq_qa.classifier_features import Ids, views_of
from chatseq_qa.linear_classifier import Floats, Known, vector_of

_COST = 1.0  # of an example on the wrong side; 0.5 and 2 gave the same on validation questions
_MOST_FOR_SPANS = 3_000_000  # questions times answers; spans double the time, for 0.2 points
_MOST_ALONE = 200_000  # questions times answers that are learnt in one thread
_MOST_WEIGHTS = 48_000_000  # a byte each in the bundle
_SEEDS = 1 << 32  # that scikit-learn knows
_OTHERS = -1  # stands for all answers that another thread learns


class _Machine(NamedTuple):
    """What was learnt about some answers."""

    answers: NDArray[np.int64]  # (some,)
    weights: NDArray[np.float64]  # (some, grams)
    bias: NDArray[np.float64]  # (some,)


def known_grams(questions: Iterable[str], answers: int) -> Known:
    """Return the n-grams of some questions with their weights.

    Words near each other, and pieces of the text, count from the second question on that holds
    them: there are very many. Where the work would be long, pieces of the text are left out. Where
    there are still too many for the number of answers, all that one question alone holds are left
    out, then those of two, and so on.
    """
    seen = list(map(views_of, questions))
    short, times = _counted([ids for views in seen for ids in (views.words, views.pieces)])
    with_spans = len(seen) * answers <= _MOST_FOR_SPANS
    longer = [(views.near, views.spans) if with_spans else (views.near,) for views in seen]
    long, long_times = _counted([ids for views in longer for ids in views])
    ids = np.concatenate([short, long[long_times > 1]])
    counts = np.concatenate([times, long_times[long_times > 1]])
    fewest = 1
    while (counts >= fewest).sum() * max(1, answers) > _MOST_WEIGHTS:
        fewest += 1
    order = np.argsort(ids[counts >= fewest])
    ids, counts = ids[counts >= fewest][order], counts[counts >= fewest][order]
    rarity = np.log((1 + len(seen)) / (1 + counts)) + 1
    return Known(ids, rarity.astype(np.float32))


def fit_classifier(
    known: Known, questions: Sequence[str], answers: Sequence[int], count: int, seed: int
) -> tuple[Floats, Floats]:
    """Return weights (grams, answers) and bias (answers,) of one-against-all support vectors.

    L2-regularised squared hinge loss (Fan et al. 2008, "LIBLINEAR", section 2). An answer without
    an example gets a margin of -1 everywhere.

    Args:
        answers: the number of each question's answer, 0..count - 1
    """
    weights = np.zeros((len(known.ids), count), np.float32)
    bias = np.full(count, -1, np.float32)
    wanted = np.asarray(answers, np.int64)
    classes = np.unique(wanted)
    if len(classes) < 2 or not len(known.ids):  # nothing tells them apart
        bias[classes] = 1
        return weights, bias
    matrix = _matrix(known, questions)
    # Threads share LIBLINEAR's chance: only where it saves time is the last digit left to them.
    threads = _threads() if len(questions) * count > _MOST_ALONE else 1
    halves = [half for half in np.array_split(classes, threads) if len(half)]
    # LIBLINEAR lets others run meanwhile. Its warnings are no news: nearly the best weights are as
    # good, and there may be as many answers as questions.
    with warnings.catch_warnings(), ThreadPoolExecutor(len(halves)) as pool:
        warnings.simplefilter("ignore")
        for found in pool.map(lambda some: _fitted(matrix, wanted, some, seed), halves):
            weights[:, found.answers], bias[found.answers] = found.weights.T, found.bias
    return weights, bias


def _counted(held: Sequence[Ids]) -> tuple[Ids, NDArray[np.int64]]:
    """Return the distinct n-grams, and how many questions hold each."""
    ids, counts = np.unique(np.concatenate([*held, np.zeros(0, np.int32)]), return_counts=True)
    return ids, counts


def _matrix(known: Known, questions: Sequence[str]) -> Any:
    from scipy.sparse import csr_matrix

    vectors = [vector_of(question, known) for question in questions]
    values = np.concatenate([vector.values for vector in vectors]).astype(np.float64)
    places = np.concatenate([vector.places for vector in vectors])
    ends = np.cumsum([0, *(len(vector.places) for vector in vectors)])
    return csr_matrix((values, places, ends), shape=(len(vectors), len(known.ids)))


def _fitted(
    matrix: Any, answers: NDArray[np.int64], some: NDArray[np.int64], seed: int
) -> _Machine:
    """Learn some answers, each against all the others."""
    from sklearn.svm import LinearSVC

    wanted = np.where(np.isin(answers, some), answers, _OTHERS)
    machine = LinearSVC(C=_COST, random_state=seed % _SEEDS).fit(matrix, wanted)
    weights, bias = machine.coef_, machine.intercept_
    if len(machine.classes_) == 2:  # of two, scikit-learn has one row alone
        weights, bias = np.concatenate([-weights, weights]), np.concatenate([-bias, bias])
    own = np.isin(machine.classes_, some)
    return _Machine(machine.classes_[own], weights[own], bias[own])


def _threads() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1  # macOS, Windows
