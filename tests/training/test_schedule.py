"""The named schedules: numbers by hand, and that all end what they began."""

from __future__ import annotations

import math
from typing import get_args

import pytest

from chatseq.core.recipe import TrainingSection
from chatseq.training.schedule import RISES, SCHEDULES, learning_rate


def rate(progress: float, schedule: str, warmup: float = 0.2) -> float:
    return learning_rate(progress, highest=2.0, warmup_share=warmup, schedule=schedule)


def test_the_recipe_takes_every_name_and_no_other() -> None:
    fields = TrainingSection.model_fields
    assert set(get_args(fields["schedule"].annotation)) == set(SCHEDULES)
    assert set(get_args(fields["sampling_rise"].annotation)) == set(RISES)


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        # After a warm-up of 0.2, progress 0.4 is a quarter of the rest and 0.6 its half.
        ("cosine", {0.4: 2 * (0.01 + 0.99 * 0.5 * (1 + math.sqrt(0.5))), 0.6: 1.01, 1.0: 0.02}),
        ("linear", {0.4: 2 * (1 - 0.99 / 4), 0.6: 1.01, 1.0: 0.02}),
        ("constant", {0.4: 2.0, 0.6: 2.0, 1.0: 2.0}),
        # As steps ** -0.5 does: twice as far as the warm-up, 1 / sqrt(2) of the highest rate.
        ("inverse-sqrt", {0.4: 2 / math.sqrt(2), 0.8: 1.0, 1.0: 2 / math.sqrt(5)}),
        ("exponential", {0.6: 0.2, 1.0: 0.02}),
    ],
)
def test_a_schedule_goes_its_way_after_the_warm_up(
    schedule: str, rates: dict[float, float]
) -> None:
    assert rate(0.1, schedule) == pytest.approx(1.0), "half of the warm-up"
    assert rate(0.2, schedule) == pytest.approx(2.0)
    assert {at: rate(at, schedule) for at in rates} == pytest.approx(rates)


def test_steps_halve_the_rate_in_each_tenth_of_the_second_half() -> None:
    found = [rate((tenth + 0.5) / 10, "step", warmup=0.0) / 2 for tenth in range(10)]
    assert found == [1.0] * 5 + [1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32]
    assert rate(1.0, "step") == 2 / 32


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("warmup", [0.0, 0.1, 0.999, 1.0])
def test_no_schedule_rises_again_or_reaches_zero(schedule: str, warmup: float) -> None:
    rates = [rate(at / 200, schedule, warmup) for at in range(201)]
    top = rates.index(max(rates))
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert 0 < min(rates) <= max(rates) <= 2.0


def test_an_inverse_root_without_a_warm_up_begins_at_the_highest_rate() -> None:
    assert rate(0.0, "inverse-sqrt", warmup=0.0) == 2.0
    assert rate(0.06, "inverse-sqrt", warmup=0.0) == pytest.approx(1.0)  # 0.02 / (0.02 + 0.06)


def test_the_share_of_own_tokens_rises_as_it_is_named() -> None:
    assert [RISES["linear"](at) for at in (0.0, 0.25, 1.0)] == [0.0, 0.25, 1.0]
    assert RISES["exponential"](0.5) == pytest.approx(0.9 / 0.99)  # 1 - sqrt(0.01)
    assert RISES["sigmoid"](0.5) == 0.5
    assert RISES["sigmoid"](0.25) == pytest.approx(1 / (1 + math.e**3))


@pytest.mark.parametrize("rise", RISES.values(), ids=RISES.keys())
def test_every_rise_goes_from_nothing_to_all(rise: object) -> None:
    shares = [rise(at / 50) for at in range(51)]  # type: ignore[operator]
    assert shares == sorted(shares)
    assert shares[0] == pytest.approx(0.0, abs=0.003)
    assert shares[-1] == pytest.approx(1.0, abs=0.003)
