"""Find out whether two engines do the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from chatseq.engines.contracts import Engine

_STEPS = 3
_WIDTH = 3  # rows for each source
_TOLERANCE = 1e-3  # of a graph's arithmetic; one that holds a wrong constant differs by far more

Walked = tuple[str, list[np.ndarray[Any, Any]]]


def first_difference(
    one: Engine, other: Engine, question: Sequence[np.ndarray[Any, Any]]
) -> str | None:
    """Return in words where two engines differ, or None where they do the same.

    Args:
        question: ids, mask and features as `Engine.encode` takes them
    """
    for (place, found), (_, wanted) in zip(
        _walk(other, question), _walk(one, question), strict=True
    ):
        for a, b in zip(found, wanted, strict=True):
            if a.shape != b.shape:
                return f"{place} gives {a.shape} in place of {b.shape}"
            if not np.allclose(a, b, rtol=_TOLERANCE, atol=_TOLERANCE, equal_nan=True):
                return f"{place} gives other numbers (by {_distance(a, b):.1e})"
    return None


def _walk(engine: Engine, question: Sequence[np.ndarray[Any, Any]]) -> Iterator[Walked]:
    """Encode and take some steps; yield everything that comes out."""
    memory, state = engine.encode(*(engine.array(part) for part in question))
    yield "the encoder", _arrays([*memory, *state])
    ids = question[0]
    rows = np.repeat(np.arange(len(ids)), _WIDTH)
    state = tuple(part[engine.array(rows)] for part in state)
    for step in range(_STEPS):
        tokens = engine.array(np.resize(ids + step, rows.shape) % ids.max())
        log_probs, state, weights = engine.step(tokens, state, memory)
        yield f"step {step + 1}", _arrays([log_probs, weights, *state])


def _arrays(parts: Sequence[Any]) -> list[np.ndarray[Any, Any]]:
    return [np.asarray(part) for part in parts]


def _distance(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> float:
    return float(np.abs(one.astype(np.float64) - other).max())
