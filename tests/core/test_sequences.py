"""Picks from sequences."""

from __future__ import annotations

from chatseq.core.sequences import evenly_spaced


def test_picks_are_even_and_keep_the_order() -> None:
    assert evenly_spaced(range(10), 5) == [0, 2, 4, 6, 8]
    assert evenly_spaced(range(10), 4) == [0, 2, 5, 7]
    assert evenly_spaced([1, 2, 3, 4, 5, 6, 7], 3) == [1, 3, 5]


def test_what_is_few_enough_is_taken_whole() -> None:
    few = [1, 2, 3]
    assert evenly_spaced(few, 3) is evenly_spaced(few, 5) is evenly_spaced(few, None) is few
