"""Walk an engine through questions and some steps, and compare what came out with another's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from chatseq.decoding.arrays import namespace
from chatseq.engines.contracts import Engine

VOCABULARY = 70
CLOSE = 1e-4


def question(batch: int, source: int, seed: int = 0, features: int = 3) -> list[Any]:
    """Return ids, mask and features with a padded last row."""
    random = np.random.default_rng(seed)
    ids = random.integers(3, VOCABULARY, (batch, source))
    mask = np.ones((batch, source), dtype=bool)
    mask[-1, max(1, source - 2) :] = False
    return [ids, mask, random.integers(0, 16, (batch, source, features))][: 3 if features else 2]


def walked(
    engine: Engine, asked: Sequence[Any], k: int, steps: int = 3, *, vocabulary: int = VOCABULARY
) -> list[Any]:
    """Encode and take some steps with k rows a source; return everything that came out.

    As in a beam search, the rows of a source change places between the steps.
    """
    memory, state = engine.encode(*(engine.array(part) for part in asked))
    batch = asked[0].shape[0]
    places = np.arange(batch * k).reshape(batch, k)
    found: list[Any] = [*memory, *state]
    parents = np.repeat(np.arange(batch), k)
    for step in range(steps):
        state = taken(state, engine.array(parents))
        tokens = engine.array((np.arange(batch * k) * 7 + step) % (vocabulary - 3) + 3)
        stepped = engine.step(tokens, state, memory)
        state = stepped.state
        found += [stepped.log_probs, stepped.weights, *state]
        parents = np.roll(places, 1, axis=1).flatten()
    return [np.asarray(part) for part in found]


def taken(state: tuple[Any, ...], rows: Any) -> tuple[Any, ...]:
    """Return the state with its rows chosen, as the decoding loop does it."""
    xp = namespace(rows)
    return tuple(xp.take(part, rows, axis=0) for part in state)


def assert_equal(one: Sequence[Any], other: Sequence[Any]) -> None:
    """Check that shapes, types and numbers agree."""
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        assert a.shape == b.shape
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, atol=CLOSE, rtol=CLOSE)
