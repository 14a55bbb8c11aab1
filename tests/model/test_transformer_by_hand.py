"""The pieces of the transformer against examples of a few numbers, worked out plainly."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from chatseq_transformer.attention import SelfAttention, attend, unseen_future, unseen_padding
from chatseq_transformer.layers import FeedForward, PostNorm, PreNorm
from chatseq_transformer.positions import (
    LearnedPositions,
    RotaryPositions,
    SinusoidalPositions,
    rotated,
)

EYE = [[1.0, 0.0], [0.0, 1.0]]


def set_(parameter: Tensor, values: object) -> None:
    with torch.no_grad():
        parameter.copy_(torch.tensor(values))


def weighted(scores: list[float], values: list[list[float]]) -> list[float]:
    """Return the mean of the values with the softmax of the scores as weights."""
    powers = [math.exp(score) for score in scores]
    return [
        sum(power * value[column] for power, value in zip(powers, values, strict=True))
        / sum(powers)
        for column in range(len(values[0]))
    ]


# Positions.


@pytest.mark.parametrize("first", [0, 5])
def test_waves_are_sines_and_cosines_of_the_position(first: int) -> None:
    placed = SinusoidalPositions(4)(torch.zeros(1, 3, 4), first)
    assert placed.rotation is None
    for step, row in enumerate(placed.states[0].tolist()):
        p = first + step
        wanted = [math.sin(p), math.sin(p / 100), math.cos(p), math.cos(p / 100)]
        assert row == pytest.approx(wanted, abs=1e-6)


def test_waves_are_added_to_tokens_of_an_odd_width() -> None:
    placed = SinusoidalPositions(1)(torch.full((1, 2, 1), 10.0), 0)
    assert placed.states.flatten().tolist() == pytest.approx([10.0, 10 + math.sin(1)], abs=1e-6)


def test_learnt_positions_are_added_and_the_last_serves_all_beyond() -> None:
    positions = LearnedPositions(1, 3)
    set_(positions.vectors.weight, [[1.0], [2.0], [3.0]])
    placed = positions(torch.full((1, 4, 1), 10.0), 1)
    assert placed.rotation is None
    assert placed.states.flatten().tolist() == [12.0, 13.0, 13.0, 13.0]


def test_rotary_positions_turn_a_pair_by_its_position() -> None:
    vectors = torch.tensor([[[[1.0, 0.0]], [[1.0, 0.0]], [[0.0, 2.0]]]])  # (rows, steps, heads, 2)
    placed = RotaryPositions(2)(vectors[:, :, 0], 4)
    assert placed.rotation is not None
    assert torch.equal(placed.states, vectors[:, :, 0])
    turned = rotated(vectors, placed.rotation)[0, :, 0].tolist()
    assert turned[0] == pytest.approx([math.cos(4), math.sin(4)], abs=1e-6)
    assert turned[1] == pytest.approx([math.cos(5), math.sin(5)], abs=1e-6)
    assert turned[2] == pytest.approx([-2 * math.sin(6), 2 * math.cos(6)], abs=1e-6)


def test_the_second_pair_turns_a_hundred_times_slower_in_a_head_of_four() -> None:
    vectors = torch.tensor([[[[1.0, 3.0, 0.0, 0.0]]]])  # pairs are (1, 0) and (3, 0)
    rotation = RotaryPositions(4)(torch.zeros(1, 1, 4), 7).rotation
    assert rotation is not None
    turned = rotated(vectors, rotation)[0, 0, 0].tolist()
    wanted = [math.cos(7), 3 * math.cos(0.07), math.sin(7), 3 * math.sin(0.07)]
    assert turned == pytest.approx(wanted, abs=1e-6)


def test_products_of_rotated_vectors_see_only_how_far_apart_they_are() -> None:
    torch.manual_seed(0)
    positions, pair = RotaryPositions(6), torch.randn(2, 1, 1, 6)

    def product(first: int, other: int) -> float:
        one, two = (
            rotated(vector.unsqueeze(0), positions(vector, place).rotation)
            for vector, place in zip(pair, (first, other), strict=True)
        )
        return float((one * two).sum())

    assert product(3, 1) == pytest.approx(product(103, 101), abs=1e-4)
    assert product(3, 1) != pytest.approx(product(3, 2), abs=1e-2)


# Attention.

STATES = [[1.0, 0.0], [0.0, 2.0], [3.0, -1.0]]


def same(heads: int = 1) -> SelfAttention:
    """Return a self-attention whose queries, keys and values are the states themselves."""
    attention = SelfAttention(2, heads)
    set_(attention.project.weight, [*EYE, *EYE, *EYE])
    set_(attention.project.bias, [0.0] * 6)
    set_(attention.join.weight, EYE)
    set_(attention.join.bias, [0.0, 0.0])
    return attention


def looked(attention: SelfAttention, unseen: Tensor | None) -> list[list[float]]:
    with torch.no_grad():
        found, _ = attention(torch.tensor([STATES]), None, None, unseen, 3)
    listed: list[list[float]] = found[0].tolist()
    return listed


def products(query: list[float], keys: list[list[float]], width: int) -> list[float]:
    return [sum(a * b for a, b in zip(query, key, strict=True)) / math.sqrt(width) for key in keys]


def test_scores_are_products_by_the_root_of_the_width() -> None:
    found = looked(same(), None)
    for row, query in zip(found, STATES, strict=True):
        assert row == pytest.approx(weighted(products(query, STATES, 2), STATES), abs=1e-6)


def test_two_heads_look_with_their_own_numbers() -> None:
    found = looked(same(heads=2), None)
    for column in range(2):
        own = [[state[column]] for state in STATES]
        for row, query in zip(found, own, strict=True):
            assert row[column] == pytest.approx(weighted(products(query, own, 1), own)[0], abs=1e-6)


def test_queries_keys_and_values_have_matrices_of_their_own() -> None:
    attention = same()
    set_(attention.project.weight, [[2.0, 0.0], [0.0, 2.0], [0.0, 1.0], [1.0, 0.0], *EYE])
    set_(attention.project.bias, [0.0, 0.0, 0.0, 0.0, 1.0, 0.5])
    set_(attention.join.weight, [[0.0, 3.0], [1.0, 0.0]])
    set_(attention.join.bias, [0.25, 0.0])
    keys = [[b, a] for a, b in STATES]
    values = [[a + 1.0, b + 0.5] for a, b in STATES]
    found = looked(attention, None)
    for row, (a, b) in zip(found, STATES, strict=True):
        one, other = weighted(products([2 * a, 2 * b], keys, 2), values)
        assert row == pytest.approx([3 * other + 0.25, one], abs=1e-6)


def test_later_steps_are_not_seen() -> None:
    found = looked(same(), unseen_future(torch.zeros(1), 0, 3))
    assert found[0] == pytest.approx(STATES[0], abs=1e-6)  # only itself
    for step in range(3):
        seen = STATES[: step + 1]
        wanted = weighted(products(STATES[step], seen, 2), seen)
        assert found[step] == pytest.approx(wanted, abs=1e-6)


def test_padding_is_not_seen() -> None:
    states = torch.zeros(1, 3, 2)
    found = looked(same(), unseen_padding(states, torch.tensor([[True, True, False]]))[0])
    wanted = weighted(products(STATES[2], STATES[:2], 2), STATES[:2])
    assert found[2] == pytest.approx(wanted, abs=1e-6)


def test_steps_that_went_before_are_seen_through_what_is_kept() -> None:
    attention, states = same(), torch.tensor([STATES])
    with torch.no_grad():
        _, kept = attention(states[:, :2], attention.nothing_yet(states), None, None, 2)
        found, now = attention(states[:, 2:], kept, None, None, 1)
    assert kept[0].tolist() == [STATES[:2], STATES[:2]]  # keys, then values
    assert now[0].tolist() == [STATES, STATES]
    wanted = weighted(products(STATES[2], STATES, 2), STATES)
    assert found[0, 0].tolist() == pytest.approx(wanted, abs=1e-6)


def test_later_steps_behind_kept_ones_are_not_seen() -> None:
    unseen = unseen_future(torch.zeros(1), 2, 2)
    assert (unseen == 0).tolist() == [[True, True, True, False], [True, True, True, True]]


def test_what_is_unseen_has_no_weight_and_all_unseen_is_finite() -> None:
    lowest = unseen_future(torch.zeros(1), 0, 2)[0, 1]
    values = torch.tensor([[[[5.0], [7.0]]]])
    one = torch.ones(1, 1, 1, 1)
    keys = torch.tensor([[[[-100.0], [100.0]]]])
    seen = attend(one, keys, values, torch.stack([torch.tensor(0.0), lowest]))
    none = attend(one, keys, values, torch.stack([lowest, lowest]))
    assert seen.item() == 5.0
    assert none.isfinite().all()


# Around it.


def test_the_inner_network_cuts_off_below_zero() -> None:
    network = FeedForward(1, 2)
    set_(network.widen.weight, [[2.0], [-3.0]])
    set_(network.widen.bias, [0.5, 0.5])
    set_(network.narrow.weight, [[10.0, 100.0]])
    set_(network.narrow.bias, [1.0])
    with torch.no_grad():
        found = network(torch.tensor([[[1.0], [-1.0]]])).flatten().tolist()
    assert found == [10 * 2.5 + 1, 100 * 3.5 + 1]


@pytest.mark.parametrize("joint", [PreNorm, PostNorm])
def test_a_norm_stands_before_a_sublayer_or_behind_the_sum(joint: type[PreNorm]) -> None:
    made = joint(2, 0.0)
    states, found = torch.tensor([[[3.0, 1.0]]]), torch.tensor([[[1.0, 5.0]]])
    sign = torch.tensor([[[1.0, -1.0]]])  # the norm of two numbers is 1 and -1, the larger first
    if joint is PreNorm:
        torch.testing.assert_close(made.before(states), sign, atol=1e-4, rtol=0)
        assert torch.equal(made.after(states, found), states + found)
    else:
        assert torch.equal(made.before(states), states)
        torch.testing.assert_close(made.after(states, found), -sign, atol=1e-4, rtol=0)


def test_a_part_of_the_sublayers_is_left_out_while_learning() -> None:
    torch.manual_seed(0)
    made: nn.Module = PreNorm(64, 0.5)
    states = torch.zeros(1, 3, 64)
    found = made.after(states, torch.ones(1, 3, 64))  # type: ignore[operator]
    assert set(found.flatten().tolist()) == {0.0, 2.0}
    assert torch.equal(made.eval().after(states, found), found)
