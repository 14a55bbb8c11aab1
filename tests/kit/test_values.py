"""Which values of an option are tried, from its type and its default."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

import pytest

from chatseq.core.options import REQUIRED, Option
from chatseq.testing.values import (
    first_value,
    near_numbers,
    odd_numbers,
    other_values,
    small_value,
)


def option(kind: Any, default: Any = REQUIRED) -> Option:
    return Option("size", kind, default)


def others(kind: Any, default: Any, *examples: Any, takes: Any = lambda _: True) -> list[Any]:
    return [each.value for each in other_values(option(kind, default), examples, takes)]


@pytest.mark.parametrize(
    ("kind", "default", "examples", "first"),
    [
        (int, 3, (), 3),
        (int, 3, (5, 6), 5),
        (Literal["sum", "mean"], REQUIRED, (), "sum"),
        (bool, REQUIRED, (), True),
        (str, "", (), ""),
        (str, REQUIRED, (), REQUIRED),
        (tuple[str, ...], REQUIRED, (("a",),), ("a",)),
    ],
)
def test_the_first_value(kind: Any, default: Any, examples: tuple[Any, ...], first: Any) -> None:
    assert first_value(option(kind, default), examples) == first


@pytest.mark.parametrize(
    ("kind", "default", "found"),
    [
        (Literal["sum", "mean", "max"], "mean", ["sum", "max"]),
        (bool, True, [False]),
        (bool | None, None, [True, False]),
        (int, 3, [4]),
        (int | None, None, [8]),
        (float, 1.0, [0.5]),
        (float, 0.0, [0.25]),
        (Annotated[int, "of heads"], 4, [5]),
        (int | Literal["all"], 2, ["all", 3]),
        (str, "plain", []),
        (list[int], [1], []),
    ],
)
def test_the_other_values(kind: Any, default: Any, found: list[Any]) -> None:
    assert others(kind, default) == found


def test_the_nearest_number_that_is_taken_is_tried() -> None:
    assert others(int, 4, takes=lambda heads: heads % 4 == 0) == [8]
    assert others(int, 4, takes=lambda heads: heads < 4) == [2]
    assert others(int, 4, takes=lambda _: False) == []


def test_examples_are_tried_in_place_of_guesses() -> None:
    assert others(int, 3, 5, 6, 7) == [6, 7]
    assert others(Literal["sum", "mean"], "sum", "sum") == []


def test_only_choices_and_examples_must_be_taken() -> None:
    both = list(other_values(option(bool | int, True), (), lambda _: True))
    assert [(each.value, each.is_choice) for each in both] == [(False, True), (9, False)]
    [example] = other_values(option(int, 1), (1, 2), lambda _: True)
    assert example.is_choice


@pytest.mark.parametrize(
    ("default", "small"), [(256, 8), (32, 8), (31, 31), (True, True), (0.5, 0.5)]
)
def test_large_sizes_are_made_small(default: Any, small: Any) -> None:
    assert small_value(option(int, default)) == small


def test_numbers_near_a_default_leave_it_out() -> None:
    assert 2 not in near_numbers(option(int, 2), 2)
    assert near_numbers(option(str, "x"), "x") == []


def test_odd_numbers_are_those_that_break_parts() -> None:
    assert odd_numbers(option(int, 1)) == [-1, 0]
    assert odd_numbers(option(bool, True)) == []
    below, none, strange, endless = odd_numbers(option(float | None, None))
    assert (below, none, endless) == (-1.0, 0.0, math.inf)
    assert math.isnan(strange)
