"""The text filter `your-part` keeps to what chatseq asks of filters, and filters as it should."""

from __future__ import annotations

import pytest
from chatseq.testing import contract_tests

from your_package.filter import YourPart

test_contract = contract_tests("text-filter", YourPart, name="your-part")


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("I am soooooo hungry", "I am soo hungry"),
        ("a good book", "a good book"),
        ("10000 ...", "10000 ..."),
        ("éééé", "éé"),
    ],
)
def test_letters_that_are_held_down_are_shortened(typed: str, read: str) -> None:
    assert YourPart()(typed) == read


def test_how_often_a_letter_may_come_is_an_option() -> None:
    assert YourPart(most=1)("hello") == "helo"


def test_a_letter_must_be_left() -> None:
    with pytest.raises(ValueError, match=r"most \(0\) must be at least 1"):
        YourPart(most=0)
