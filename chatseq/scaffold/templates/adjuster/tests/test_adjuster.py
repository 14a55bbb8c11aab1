"""The adjuster `your-part` keeps to what chatseq asks of adjusters, and adjusts as it should."""

from __future__ import annotations

import numpy as np
from chatseq.decoding.contracts import SearchState, SearchRequest
from chatseq.testing import contract_tests

from your_package.adjuster import YourPart

test_contract = contract_tests("adjuster", YourPart, name="your-part")

SCORES = [[-1.0, -2.0, -3.0], [-4.0, -5.0, -6.0]]


def search(tokens: list[list[int]]) -> SearchState:
    """Two rows of one question, with these tokens so far."""
    rows = np.arange(2)
    said = np.array(tokens, dtype=np.int64).reshape(2, -1)
    return SearchState([0], 2, rows, said, np.zeros(2), (), np.zeros((2, 1)), step=said.shape[1])


def adjusted(tokens: list[list[int]]) -> list[list[float]]:
    task = SearchRequest(np, ((3, 2),), max_length=8)
    found: list[list[float]] = (
        YourPart(penalty=1.5).begin(task)(np.array(SCORES), search(tokens)).tolist()
    )
    return found


def test_only_the_last_token_of_each_row_loses() -> None:
    assert adjusted([[0, 1], [1, 2]]) == [[-1.0, -3.5, -3.0], [-4.0, -5.0, -7.5]]


def test_the_first_token_is_free() -> None:
    assert adjusted([[], []]) == SCORES
