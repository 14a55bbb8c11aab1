"""Picks from sequences, the same wherever some of many are taken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")


def evenly_spaced(items: Sequence[Item], most: int | None) -> Sequence[Item]:
    """Return at most so many items, evenly spaced over all of them; None: all."""
    if most is None or len(items) <= most:
        return items
    return [items[at * len(items) // most] for at in range(most)]
