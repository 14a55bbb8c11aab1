"""Which tests `make test` leaves to `make test-all`: those that are marked as slow and say why.

A product of parts and cases need not run whole each time: `thinned` keeps so much of it that every
value, or every pair of values, is still met.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any

import pytest


def refuse_without_a_reason(items: Iterable[pytest.Item]) -> None:
    """Check that what is marked as slow says why.

    Raises:
        pytest.UsageError: some tests do not; it names them.
    """
    marks = ((item.nodeid, mark) for item in items for mark in item.iter_markers("slow"))
    silent = {test.partition("[")[0] for test, mark in marks if not _says_why(mark)}
    if silent:
        tests = "\n".join(sorted(silent))
        raise pytest.UsageError(f'Say why these are slow: @pytest.mark.slow("why")\n{tests}')


def _says_why(mark: pytest.Mark) -> bool:
    return len(mark.args) == 1 and isinstance(mark.args[0], str) and bool(mark.args[0].strip())


def thinned(rows: Iterable[Sequence[Any]], strength: int = 1) -> list[Any]:
    """Return the rows of a product for `parametrize`, most of them marked as slow.

    Args:
        strength: 1 to meet every value of every column in the fast run, 2 every pair of values
    """
    rows = list(rows)
    kept = set(covering(rows, strength))
    rest = pytest.mark.slow("one of a product of which the fast run has a part")
    return [pytest.param(*row, marks=() if at in kept else rest) for at, row in enumerate(rows)]


def covering(rows: Sequence[Sequence[Any]], strength: int = 2) -> list[int]:
    """Return the places of a few rows in which every group of values stands that stands in any.

    A group is one value in each of `strength` columns. As Cohen et al. (1997, "AETG") do, each row
    is the one that holds the first group still wanted and most others; no draw is made, so that
    the same rows give the same.
    """
    groups = [_groups(row, strength) for row in rows]
    holders: dict[Any, list[int]] = {}
    for at, some in enumerate(groups):
        for group in some:
            holders.setdefault(group, []).append(at)
    wanted, found = dict.fromkeys(holders), []
    while wanted:
        held = holders[next(iter(wanted))]
        found.append(max(held, key=lambda at: sum(group in wanted for group in groups[at])))
        for group in groups[found[-1]]:
            wanted.pop(group, None)
    return sorted(found)


def _groups(row: Sequence[Any], strength: int) -> list[tuple[tuple[int, str], ...]]:
    return list(combinations(((column, repr(value)) for column, value in enumerate(row)), strength))
