"""How many threads learn, and that the processor is left as it was."""

from __future__ import annotations

import pytest
import torch

from chatseq.training.arithmetic import ThreadTuner, all_threads, arithmetic


def counts_used(
    pace: ThreadTuner, used: list[int], seconds: dict[int, float], steps: int
) -> list[int]:
    """Run some steps that take so long with each count; return the count of each."""
    used.clear()
    for _ in range(steps):
        pace.before_step()
        pace.after_step(100, seconds[used[-1]])
    return list(used)


@pytest.fixture
def used() -> list[int]:
    return []


@pytest.fixture
def pace(used: list[int]) -> ThreadTuner:
    return ThreadTuner(4, use=used.append)


def test_all_threads_are_used_where_they_are_faster(pace: ThreadTuner, used: list[int]) -> None:
    found = counts_used(pace, used, {1: 0.2, 4: 0.1}, 60)
    assert found[:8] == [1] * 4 + [4] * 4
    assert set(found[8:]) == {4}


def test_one_thread_is_used_where_threads_wait_for_each_other(
    pace: ThreadTuner, used: list[int]
) -> None:
    assert set(counts_used(pace, used, {1: 0.2, 4: 0.9}, 60)[8:]) == {1}


def test_a_machine_that_gets_busy_is_noticed(pace: ThreadTuner, used: list[int]) -> None:
    counts_used(pace, used, {1: 0.2, 4: 0.1}, 60)
    assert set(counts_used(pace, used, {1: 0.2, 4: 0.9}, 60)[8:]) == {1}


def test_one_disturbed_step_does_not_decide(pace: ThreadTuner, used: list[int]) -> None:
    for step in range(60):
        pace.before_step()
        pace.after_step(100, 5.0 if step == 5 else {1: 0.2, 4: 0.1}[used[-1]])
    assert set(used[8:]) == {4}


def test_a_single_processor_leaves_nothing_to_choose(used: list[int]) -> None:
    assert set(counts_used(ThreadTuner(1, use=used.append), used, {1: 0.2}, 130)) == {1}


def test_threads_and_rounding_are_put_back() -> None:
    torch.set_num_threads(1)
    with arithmetic(2):
        assert torch.get_num_threads() == 2
        assert float(torch.tensor([1e-40]) * 1.0) == 0.0
    assert torch.get_num_threads() == 1
    assert float(torch.tensor([1e-40]) * 1.0) > 0.0


def test_no_number_of_threads_means_all_of_them() -> None:
    with arithmetic(0):
        assert torch.get_num_threads() == all_threads()
