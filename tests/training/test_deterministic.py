"""Chance as a function of numbers: order, batches and noise can be asked for again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatseq.training.deterministic import bucketed_batches, derive_seed, uniform_at

LENGTHS = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40)), min_size=1, max_size=80)


@given(lengths=LENGTHS, budget=st.integers(1, 400), epoch=st.integers(0, 5))
@settings(max_examples=150, deadline=None)
def test_every_row_comes_once_and_batches_keep_to_the_budget(
    lengths: list[tuple[int, int]], budget: int, epoch: int
) -> None:
    questions, answers = np.array(lengths).T
    batches = bucketed_batches(questions, answers, budget=budget, seed=3, epoch=epoch)
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))
    for rows in batches:
        padded = (questions[rows].max() + answers[rows].max()) * len(rows)
        assert padded <= budget or len(rows) == 1


def some_batches(seed: int, epoch: int) -> list[list[int]]:
    lengths = np.arange(200) % 17 + 1
    batches = bucketed_batches(lengths, lengths[::-1].copy(), budget=120, seed=seed, epoch=epoch)
    return [rows.tolist() for rows in batches]


def test_an_epoch_is_a_function_of_its_seed_and_number() -> None:
    assert some_batches(1, 2) == some_batches(1, 2)
    assert some_batches(1, 2) != some_batches(1, 3)
    assert some_batches(1, 2) != some_batches(2, 2)


def test_rows_of_one_length_come_together() -> None:
    draw = np.random.default_rng(0)
    lengths = draw.integers(1, 50, 5000)
    batches = bucketed_batches(lengths, lengths, budget=2000, seed=0, epoch=0)
    padded = sum(2 * int(lengths[rows].max()) * len(rows) for rows in batches)
    assert 2 * lengths.sum() / padded > 0.9


def test_batches_do_not_come_sorted_by_length() -> None:
    lengths = np.arange(1, 401) % 50 + 1
    batches = bucketed_batches(lengths, lengths, budget=300, seed=0, epoch=0)
    longest = [int(lengths[rows].max()) for rows in batches]
    assert longest != sorted(longest)


@pytest.mark.parametrize("other", [(1, 2, 4), (2, 1, 3), (1, 2), (0, 2, 3)])
def test_mixing_tells_numbers_and_their_order_apart(other: tuple[int, ...]) -> None:
    assert derive_seed(1, 2, 3) == derive_seed(1, 2, 3)
    assert derive_seed(1, 2, 3) != derive_seed(*other)


@given(numbers=st.lists(st.integers(-(2**70), 2**70), min_size=1, max_size=4))
def test_a_mixed_number_is_a_seed_for_anything(numbers: list[int]) -> None:
    assert 0 <= derive_seed(*numbers) < 2**63


def test_mixed_numbers_are_the_same_on_every_machine() -> None:
    assert derive_seed(0) == 0xE220A8397B1DCDAF >> 1  # the first number of splitmix64 from seed 0


def test_uniform_numbers_are_spread_evenly() -> None:
    found = uniform_at(5, np.arange(20_000))
    counts, _ = np.histogram(found, bins=10, range=(0, 1))
    assert found.min() >= 0
    assert found.max() < 1
    assert (abs(counts - 2000) < 250).all()


def test_a_uniform_number_depends_on_its_place_alone() -> None:
    assert uniform_at(5, np.array([9, 4, 7]))[1] == uniform_at(5, np.arange(10))[4]
    assert (uniform_at(5, np.arange(10)) != uniform_at(6, np.arange(10))).all()
