"""The best continuations, found the quick way and the plain way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chatseq.decoding.arrays import mask_special, namespace, top_continuations


def plain(log_probs: Any, scores: Any, batch: int, count: int) -> list[list[tuple[int, int]]]:
    """Sort everything."""
    found = []
    for sums in (log_probs + scores[:, None]).reshape(batch, -1, log_probs.shape[-1]):
        order = np.argsort(-sums, axis=None)[:count]
        found.append([(int(at) // sums.shape[1], int(at) % sums.shape[1]) for at in order])
    return found


@pytest.mark.parametrize("vocabulary", [5, 1999, 2000, 8000, 8192])
@pytest.mark.parametrize(("batch", "width"), [(1, 1), (1, 5), (3, 1), (4, 5)])
def test_the_best_are_the_best_of_all_in_falling_order(
    vocabulary: int, batch: int, width: int
) -> None:
    random = np.random.default_rng(vocabulary)
    log_probs = random.standard_normal((batch * width, vocabulary)).astype(np.float32)
    scores = random.standard_normal(batch * width).astype(np.float32)
    found = top_continuations(np, log_probs, scores, batch, 10)
    count = min(10, width * vocabulary)
    assert found.scores.shape == found.parents.shape == found.tokens.shape == (batch, count)
    expected = plain(log_probs, scores, batch, count)
    for row in range(batch):
        pairs = zip(found.parents[row].tolist(), found.tokens[row].tolist(), strict=True)
        assert list(pairs) == expected[row]
        assert (np.diff(found.scores[row]) <= 0).all()


def test_torch_finds_the_same() -> None:
    xp = pytest.importorskip("array_api_compat.torch")
    random = np.random.default_rng(1)
    log_probs = random.standard_normal((10, 2000)).astype(np.float32)
    scores = random.standard_normal(10).astype(np.float32)
    numpys = top_continuations(np, log_probs, scores, 2, 10)
    torchs = top_continuations(xp, xp.asarray(log_probs), xp.asarray(scores), 2, 10)
    assert numpys.tokens.tolist() == torchs.tokens.tolist()
    assert numpys.parents.tolist() == torchs.parents.tolist()
    assert numpys.scores == pytest.approx(torchs.scores.numpy())


def test_rows_that_are_dead_come_last_even_in_whole_groups() -> None:
    log_probs = np.full((5, 2000), -np.inf, dtype=np.float32)
    log_probs[2, 7] = -1.0
    found = top_continuations(np, log_probs, np.zeros(5, dtype=np.float32), 1, 10)
    assert (found.parents[0, 0], found.tokens[0, 0]) == (2, 7)
    assert np.isneginf(found.scores[0, 1:]).all()


def test_marks_are_impossible_and_the_end_mark_is_not() -> None:
    xp = pytest.importorskip("array_api_compat.torch")
    numbers = np.zeros((2, 5), dtype=np.float32)
    for found in (mask_special(np, numbers), mask_special(xp, xp.zeros((2, 5)))):
        assert found.tolist() == [[-np.inf, -np.inf, 0, 0, 0]] * 2


def test_numpy_needs_no_compatibility_layer() -> None:
    assert namespace(np.zeros(1)) is np


def test_torch_gets_one() -> None:
    xp = pytest.importorskip("array_api_compat.torch")
    assert namespace(xp.zeros(1)) is xp
