"""Softmax, sparsemax and 1.5-entmax against slow references written from their definitions."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from chatseq_attention.normalise import (
    Normalise,
    exact,
    masked_entmax15,
    masked_softmax,
    masked_sparsemax,
    normaliser_named,
    within_half,
)

ALL = [masked_softmax, masked_sparsemax, masked_entmax15]
SPARSE = [masked_sparsemax, masked_entmax15]
LENGTHS = [6, 3, 1]


def some_mask() -> Tensor:
    """Return (batch, 1, source)."""
    return (torch.arange(6) < torch.tensor(LENGTHS).unsqueeze(1)).unsqueeze(1)


def bisected(scores: list[float], alpha: float) -> list[float]:
    """Return [(alpha - 1) score - t]₊ to the power 1 / (alpha - 1), with t so that all sum to 1."""
    scaled = [(alpha - 1) * score for score in scores]
    power = 1 / (alpha - 1)
    low, high = max(scaled) - 1, max(scaled)
    for _ in range(100):
        middle = (low + high) / 2
        total = sum(max(0.0, score - middle) ** power for score in scaled)
        low, high = (middle, high) if total > 1 else (low, middle)
    return [max(0.0, score - low) ** power for score in scaled]


def alone(normalise: Normalise, scores: list[float]) -> list[float]:
    found: list[float] = normalise(torch.tensor(scores), torch.ones(len(scores)).bool()).tolist()
    return found


# By hand.


def test_softmax_follows_the_exponentials() -> None:
    total = math.e + 1
    assert alone(masked_softmax, [2.0, 1.0]) == pytest.approx([math.e / total, 1 / total])


@pytest.mark.parametrize(
    ("scores", "weights"),
    [
        ([0.3], [1.0]),
        ([1.0, 0.5], [0.75, 0.25]),  # both less 0.25
        ([0.5, 2.0], [0.0, 1.0]),  # 1 or more below the highest is left out
        ([1.0, 0.8, 0.1], [0.6, 0.4, 0.0]),  # (1 + 0.8 - 1) / 2 = 0.4 lies above 0.1
        ([0.2, 0.2, 0.2, 0.2], [0.25, 0.25, 0.25, 0.25]),
    ],
)
def test_sparsemax_takes_one_number_off_all_scores(
    scores: list[float], weights: list[float]
) -> None:
    assert alone(masked_sparsemax, scores) == pytest.approx(weights, abs=1e-6)


@pytest.mark.parametrize(
    ("scores", "weights"),
    [
        ([0.3], [1.0]),
        ([0.4, 0.0], [0.64, 0.36]),  # halves 0.2 and 0 less -0.6: 0.8² + 0.6² = 1
        ([2.0, 0.0], [1.0, 0.0]),
        ([0.0, 0.4, -3.0], [0.36, 0.64, 0.0]),
        ([7.0, 7.0, 7.0, 7.0], [0.25, 0.25, 0.25, 0.25]),
    ],
)
def test_entmax_squares_what_is_left_of_half_the_scores(
    scores: list[float], weights: list[float]
) -> None:
    assert alone(masked_entmax15, scores) == pytest.approx(weights, abs=1e-6)


# Against the definition.


@pytest.mark.parametrize(("normalise", "alpha"), [(masked_sparsemax, 2.0), (masked_entmax15, 1.5)])
@pytest.mark.parametrize("spread", [0.01, 0.3, 1.0, 4.0, 50.0])
def test_sorting_finds_what_bisection_finds(
    normalise: Normalise, alpha: float, spread: float
) -> None:
    torch.manual_seed(0)
    for length in (1, 2, 3, 9, 40):
        scores = torch.randn(8, length) * spread + 5
        wanted = torch.tensor([bisected(row, alpha) for row in scores.tolist()], dtype=torch.double)
        for kind, close in ((torch.double, 1e-12), (torch.float32, 2e-6)):
            found = normalise(scores.to(kind), torch.ones(length).bool()).double()
            torch.testing.assert_close(found, wanted, atol=close, rtol=0)


@pytest.mark.parametrize(("normalise", "alpha"), [(masked_sparsemax, 2.0), (masked_entmax15, 1.5)])
def test_equal_scores_get_equal_weights(normalise: Normalise, alpha: float) -> None:
    for scores in ([1.0, 1.0, 0.9, 0.9, 0.9, -4.0], [0.5] * 7, [0.0, 0.0, -1.0, -1.0]):
        assert alone(normalise, scores) == pytest.approx(bisected(scores, alpha), abs=1e-6)


@pytest.mark.parametrize("normalise", ALL)
def test_gradients_are_exact(normalise: Normalise) -> None:
    torch.manual_seed(1)
    for spread in (0.2, 2.0):
        scores = (torch.randn(3, 2, 6, dtype=torch.double) * spread).requires_grad_()
        assert torch.autograd.gradcheck(lambda given: normalise(given, some_mask()), scores)


def test_sparsemax_shares_a_gradient_among_what_has_weight() -> None:
    scores = torch.tensor([1.0, 0.8, 0.1], requires_grad=True)
    masked_sparsemax(scores, torch.ones(3).bool())[0].backward()
    assert scores.grad is not None
    assert scores.grad.tolist() == pytest.approx([0.5, -0.5, 0.0])


# What all three keep to.


@pytest.mark.parametrize("normalise", ALL)
def test_weights_sum_to_1_over_real_tokens_only(normalise: Normalise) -> None:
    torch.manual_seed(0)
    weights = normalise(torch.randn(3, 4, 6), some_mask())
    torch.testing.assert_close(weights.sum(2), torch.ones(3, 4))
    assert not weights.masked_select(~some_mask()).any()
    assert (weights >= 0).all()


@pytest.mark.parametrize("normalise", ALL)
def test_padding_and_batch_mates_change_no_weight(normalise: Normalise) -> None:
    torch.manual_seed(0)
    scores = torch.randn(3, 2, 6)
    weights = normalise(scores.masked_fill(~some_mask(), 1e6), some_mask())
    for row, length in enumerate(LENGTHS):
        single = normalise(scores[row, :, :length], torch.ones(length).bool())
        torch.testing.assert_close(weights[row, :, :length], single, atol=1e-7, rtol=1e-6)


@pytest.mark.parametrize("normalise", ALL)
def test_each_query_may_have_a_mask_of_its_own(normalise: Normalise) -> None:
    mask = torch.tensor([[True, False, True], [False, True, False]])
    weights = normalise(torch.zeros(2, 3), mask)
    wanted = torch.tensor([[0.5, 0.0, 0.5], [0.0, 1.0, 0.0]])
    torch.testing.assert_close(weights, wanted, atol=1e-7, rtol=0)


@pytest.mark.parametrize("normalise", ALL)
def test_a_row_of_padding_has_no_weight_and_no_gradient(normalise: Normalise) -> None:
    scores = torch.randn(1, 2, 3, requires_grad=True)
    with torch.autograd.set_detect_anomaly(True):  # not even NaN that is masked later
        weights = normalise(scores, torch.zeros(1, 1, 3).bool())
        weights.sum().backward()
    assert not weights.any()
    assert scores.grad is not None
    assert not scores.grad.any()


@pytest.mark.parametrize("normalise", ALL)
def test_very_unequal_scores_give_all_weight_to_one(normalise: Normalise) -> None:
    scores = torch.tensor([1e30, -1e30, 3e38, -3e38], requires_grad=True)
    weights = normalise(scores, torch.tensor([True, True, False, True]))
    weights[0].backward()
    assert weights.tolist() == [1.0, 0.0, 0.0, 0.0]
    assert scores.grad is not None
    assert scores.grad.isfinite().all()


@pytest.mark.parametrize("normalise", ALL)
@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_scores_of_half_precision_are_weighed_in_single(
    normalise: Normalise, kind: torch.dtype
) -> None:
    scores = torch.tensor([0.5, 0.25, -0.125, 0.0])  # exact in both
    mask = torch.ones(4).bool()
    assert torch.equal(normalise(scores.to(kind), mask), normalise(scores, mask))


@pytest.mark.parametrize("normalise", ALL)
def test_scores_that_overflowed_half_precision_share_the_weight(normalise: Normalise) -> None:
    scores = torch.tensor([math.inf, 0.0, math.inf, -math.inf], dtype=torch.float16)
    weights = normalise(scores, torch.ones(4).bool())
    torch.testing.assert_close(weights, torch.tensor([0.5, 0.0, 0.5, 0.0]), atol=1e-7, rtol=0)


@pytest.mark.parametrize("normalise", SPARSE)
def test_a_long_row_stays_precise(normalise: Normalise) -> None:
    scores = torch.linspace(0, -0.01, 2000)
    assert alone(normalise, scores.tolist()) == pytest.approx(
        bisected(scores.tolist(), 2.0 if normalise is masked_sparsemax else 1.5), abs=1e-6
    )


def test_rounding_makes_no_weight_negative() -> None:
    torch.manual_seed(0)
    some = -0.3 * torch.rand(200_000, 7).masked_fill(torch.arange(7) == 3, 0.0)
    border = torch.nextafter((some.sum(1, keepdim=True) - 1) / 7, torch.tensor(1.0))
    scores = torch.cat([some[:, :4], border, some[:, 4:]], dim=1)  # one hardly has weight
    for normalise in SPARSE:
        assert (normalise(scores, torch.ones(8).bool()) >= 0).all()


# Helpers.


def test_double_precision_stays_double() -> None:
    numbers = torch.ones(2, dtype=torch.double)
    assert exact(numbers) is numbers
    for normalise in ALL:
        assert normalise(numbers, torch.ones(2).bool()).dtype is torch.double


def test_only_half_precision_is_kept_from_infinity() -> None:
    assert within_half(torch.tensor([math.inf, -math.inf]).half()).tolist() == [65504, -65504]
    assert within_half(torch.tensor([math.inf])).tolist() == [math.inf]


def test_normalisers_are_found_by_their_names() -> None:
    found = [normaliser_named("softmax"), normaliser_named("sparsemax")]
    assert [*found, normaliser_named("entmax15")] == ALL


def test_an_unknown_normaliser_is_told_with_the_choices() -> None:
    with pytest.raises(
        ValueError, match="no normaliser 'max'. Set it to one of softmax, sparsemax, entmax15"
    ):
        normaliser_named("max")  # type: ignore[arg-type]
