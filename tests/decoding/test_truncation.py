"""What may be drawn: each rule on distributions that were worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from chatseq.decoding.arrays import highest, normalised
from chatseq_strategies.truncation import Eta, MinP, Rule, TopK, TopP, Truncation, Typical

FALLING = [0.4, 0.3, 0.2, 0.1]
# Entropy: .5 ln 2 + .25 ln 4 + .25 ln 8 = 1.2130; surprises .6931, 1.3863 and twice 2.0794, which
# lie .5199, .1733 and twice .8664 away from it.
HALVES = [0.5, 0.25, 0.125, 0.125]


@pytest.fixture(params=["numpy", "torch"])
def xp(request: pytest.FixtureRequest) -> Any:
    return np if request.param == "numpy" else pytest.importorskip("array_api_compat.torch")


def logs(xp: Any, *rows: list[float]) -> Any:
    with np.errstate(divide="ignore"):
        return xp.asarray(np.log(np.asarray(rows)))


def kept(xp: Any, rule: Rule, shares: list[float]) -> list[int]:
    [row] = rule(xp, logs(xp, shares)).tolist()
    return [place for place, stays in enumerate(row) if stays]


@pytest.mark.parametrize(
    ("rule", "shares", "stay"),
    [
        (TopK(2), FALLING, [0, 1]),
        (TopK(1), [0.1, 0.2, 0.3, 0.4], [3]),
        (TopK(9), FALLING, [0, 1, 2, 3]),
        (TopK(3), HALVES, [0, 1, 2, 3]),  # the third and the fourth are as likely
        (TopP(0.35), FALLING, [0]),  # .4
        (TopP(0.6), FALLING, [0, 1]),  # .4 + .3
        (TopP(0.75), [0.2, 0.4, 0.1, 0.3], [0, 1, 3]),  # .4 + .3 + .2
        (TopP(0.99), FALLING, [0, 1, 2, 3]),
        (MinP(0.6), FALLING, [0, 1]),  # at least .24
        (MinP(0.45), FALLING, [0, 1, 2]),  # at least .18
        (MinP(0.001), [0.9, 0.1, 0.0, 0.0], [0, 1]),
        (Typical(0.2), HALVES, [1]),  # the likeliest goes
        (Typical(0.7), HALVES, [0, 1]),  # .25 + .5
        (Typical(0.8), HALVES, [0, 1, 2, 3]),
        (Typical(0.5), [1.0, 0.0, 0.0, 0.0], [0]),
        (Eta(0.1), HALVES, [0, 1, 2, 3]),  # floor min(.1, .3162 * .2973 = .0940)
        (Eta(0.2), HALVES, [0, 1]),  # floor min(.2, .4472 * .2973 = .1330)
    ],
)  # fmt: skip
def test_a_rule_by_hand(xp: Any, rule: Rule, shares: list[float], stay: list[int]) -> None:
    assert kept(xp, rule, shares) == stay


def test_the_likeliest_stays_above_any_floor(xp: Any) -> None:
    even = [1 / 3] * 3  # the floor: min(.99, .995 / 3 = .3317), and 1/3 is above
    assert kept(xp, Eta(0.99), even) == [0, 1, 2]
    sure = [0.9, 0.06, 0.04]  # entropy .3924, floor min(.99, .995 * .6755 = .6721)
    assert kept(xp, Eta(0.99), sure) == [0]


def test_the_quick_way_and_sorting_all_agree(xp: Any) -> None:
    random = np.random.default_rng(3)
    for sharpness in (0.1, 1.0, 5.0):  # flat: hundreds of tokens hold the mass; sharp: a few
        scores = normalised(np, random.standard_normal((3, 900)) * sharpness)
        for mass in (0.1, 0.5, 0.95):
            found = TopP(mass)(xp, xp.asarray(scores)).tolist()
            for row, stays in zip(scores, found, strict=True):
                order = np.argsort(-row)
                needed = int(np.searchsorted(np.exp(row[order]).cumsum(), mass)) + 1
                assert {at for at, stay in enumerate(stays) if stay} == set(order[:needed].tolist())


def test_the_temperature_by_hand(xp: Any) -> None:
    # squares of .4 .3 .2 .1 are .16 .09 .04 .01, which sum to .30
    [found] = Truncation(0.5)(xp, logs(xp, FALLING)).tolist()
    assert np.exp(found) == pytest.approx([16 / 30, 9 / 30, 4 / 30, 1 / 30])


def test_rules_see_what_the_one_before_left(xp: Any) -> None:
    # top_k leaves .4 .3 .2, which are .444 .333 .222 of the whole: .444 + .333 hold .75, while of
    # all four .4 + .3 would not
    [found] = Truncation(1.0, top_k=3, top_p=0.75)(xp, logs(xp, FALLING)).tolist()
    assert np.exp(found) == pytest.approx([4 / 7, 3 / 7, 0, 0])
    [found] = Truncation(1.0, top_p=0.75)(xp, logs(xp, FALLING)).tolist()
    assert np.exp(found) == pytest.approx([4 / 9, 3 / 9, 2 / 9, 0])


def test_all_rules_together_leave_something(xp: Any) -> None:
    every = Truncation(1.3, top_k=3, top_p=0.8, min_p=0.1, typical_p=0.9, eta=0.01)
    random = np.random.default_rng(5)
    found = every(xp, xp.asarray(random.standard_normal((20, 50)).astype(np.float32)))
    sums = np.exp(np.asarray(found.tolist())).sum(-1)
    assert sums == pytest.approx(np.ones(20))


def test_rows_are_looked_at_one_by_one_and_dead_ones_stay_dead(xp: Any) -> None:
    every = Truncation(1.0, top_k=3, top_p=0.8, min_p=0.1, typical_p=0.9, eta=0.01)
    rows = [FALLING, [0.0] * 4, HALVES, [0.0, 1.0, 0.0, 0.0]]
    together = every(xp, logs(xp, *rows)).tolist()
    for row, found in zip(rows, together, strict=True):
        assert [found] == every(xp, logs(xp, row)).tolist()
    assert together[1] == [-math.inf] * 4
    assert together[3] == [-math.inf, 0.0, -math.inf, -math.inf]


def test_what_comes_in_stays_as_it_was(xp: Any) -> None:
    given = logs(xp, FALLING)
    before = given.tolist()
    Truncation(2.0, top_k=1)(xp, given)
    assert given.tolist() == before


def test_the_highest_come_in_falling_order(xp: Any) -> None:
    rows = xp.asarray([[1.0, 5.0, 3.0], [2.0, 2.0, 9.0]])
    assert highest(xp, rows, 2).tolist() == [[5.0, 3.0], [9.0, 2.0]]
    assert highest(xp, rows, 8).tolist() == [[5.0, 3.0, 1.0], [9.0, 2.0, 2.0]]


def test_numpy_and_torch_keep_the_same_bits_of_every_rule() -> None:
    torchs = pytest.importorskip("array_api_compat.torch")
    random = np.random.default_rng(11)
    scores = (random.standard_normal((30, 400)) * 3).astype(np.float32)
    for options in (
        {"top_k": 7},
        {"top_p": 0.7},
        {"min_p": 0.02},
        {"typical_p": 0.6},
        {"eta": 0.01},
    ):
        every = Truncation(0.8, **options)  # type: ignore[arg-type]
        here = np.isneginf(every(np, scores))
        there = np.isneginf(every(torchs, torchs.asarray(scores)).numpy())
        assert (here == there).all()
        assert 0 < here.sum() < here.size


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"temperature": 0.0}, r"temperature \(0.0\) must be above 0. .* the strategy greedy"),
        ({"temperature": math.nan}, r"temperature \(nan\)"),
        ({"top_k": -1}, r"top_k \(-1\) must be 0 or more"),
        ({"top_p": 0.0}, r"top_p \(0.0\) must be above 0 and at most 1"),
        ({"typical_p": 1.1}, r"typical_p \(1.1\) must be above 0"),
        ({"min_p": 1.0}, r"min_p \(1.0\) must be 0 or more and below 1"),
        ({"eta": -0.1}, r"eta \(-0.1\) must be 0 or more"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, float], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Truncation(**{"temperature": 1.0, **options})  # type: ignore[arg-type]
