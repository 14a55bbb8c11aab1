"""The chunked loss equals torch's cross entropy, in value and in every gradient."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from chatseq.model import loss
from chatseq.model.loss import coverage_loss, output_loss

VOCAB, WIDTH, TOKENS = 13, 6, 9


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def leaves(dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor, Tensor]:
    hidden = torch.randn(TOKENS, WIDTH, dtype=dtype, requires_grad=True)
    weight = torch.randn(VOCAB, WIDTH, dtype=dtype, requires_grad=True)
    return hidden, weight, torch.randn(VOCAB, dtype=dtype, requires_grad=True)


def gradients(total: Tensor, tensors: tuple[Tensor, ...]) -> list[Tensor]:
    return list(torch.autograd.grad(total, tensors))


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("chunk", [1, 3 * VOCAB, 1 << 20])
def test_it_equals_cross_entropy_in_value_and_gradients(
    smoothing: float, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loss, "CHUNK_NUMBERS", chunk)
    tensors = leaves()
    targets = torch.randint(0, VOCAB, (TOKENS,))
    found = output_loss(*tensors, targets, label_smoothing=smoothing)
    logits = F.linear(*tensors)
    wanted = F.cross_entropy(logits, targets, label_smoothing=smoothing, reduction="sum")
    torch.testing.assert_close(found, wanted)
    for one, other in zip(gradients(found, tensors), gradients(wanted, tensors), strict=True):
        torch.testing.assert_close(one, other)


def test_columns_that_are_not_allowed_count_for_nothing() -> None:
    tensors = leaves()
    allowed = torch.arange(VOCAB) % 3 != 0
    ids = allowed.nonzero().flatten()
    targets = ids[torch.randint(0, len(ids), (TOKENS,))]
    found = output_loss(*tensors, targets, label_smoothing=0.2, allowed=allowed)
    logits = F.linear(*tensors)[:, allowed]
    places = torch.searchsorted(ids, targets)
    wanted = F.cross_entropy(logits, places, label_smoothing=0.2, reduction="sum")
    torch.testing.assert_close(found, wanted)
    for one, other in zip(gradients(found, tensors), gradients(wanted, tensors), strict=True):
        torch.testing.assert_close(one, other)


def test_a_scaled_loss_has_scaled_gradients() -> None:
    tensors = leaves()
    targets = torch.randint(0, VOCAB, (TOKENS,))
    whole = gradients(output_loss(*tensors, targets), tensors)
    half = gradients(output_loss(*tensors, targets) / 2, tensors)
    for one, other in zip(whole, half, strict=True):
        torch.testing.assert_close(one / 2, other)


def test_by_hand_two_tokens_of_equal_logits_cost_two_log_three() -> None:
    hidden, weight = torch.zeros(2, 4), torch.randn(3, 4)
    total = output_loss(hidden, weight, torch.zeros(3), torch.tensor([0, 2]))
    assert float(total.detach()) == pytest.approx(2 * math.log(3), abs=1e-6)


def test_very_large_logits_stay_finite() -> None:
    hidden = torch.full((2, WIDTH), 1e4, requires_grad=True)
    weight = torch.randn(VOCAB, WIDTH, requires_grad=True)
    total = output_loss(hidden, weight, torch.zeros(VOCAB), torch.tensor([0, 1]))
    total.backward()
    assert total.isfinite()
    assert hidden.grad is not None
    assert hidden.grad.isfinite().all()


def test_no_tokens_cost_nothing() -> None:
    hidden, weight, bias = leaves()
    total = output_loss(hidden[:0], weight, bias, torch.zeros(0, dtype=torch.long))
    total.backward()
    assert float(total.detach()) == 0
    assert weight.grad is not None
    assert not weight.grad.any()


def test_without_gradients_none_are_made() -> None:
    tensors = leaves()
    targets = torch.randint(0, VOCAB, (TOKENS,))
    with torch.no_grad():
        total = output_loss(*tensors, targets)
    assert not total.requires_grad
    torch.testing.assert_close(total, F.cross_entropy(F.linear(*tensors), targets, reduction="sum"))


def test_coverage_counts_what_is_looked_at_again() -> None:
    weights = torch.tensor(
        [
            [[0.5, 0.5, 0.0], [0.25, 0.25, 0.5], [1.0, 0.0, 0.0]],
            [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]],
        ]
    )
    real = torch.tensor([[True, True, True], [True, True, False]])
    # Row 1: nothing before; min(.25, .5) twice and min(.5, 0); min(1, .75). Row 2: no word twice.
    assert float(coverage_loss(weights, real)) == pytest.approx(0.0 + 0.5 + 0.75)


def test_coverage_teaches_to_look_elsewhere() -> None:
    scores = torch.tensor([[[2.0, 0.0], [1.0, 0.0]]], requires_grad=True)
    real = torch.ones(1, 2, dtype=torch.bool)
    coverage_loss(scores.softmax(2), real).backward()  # type: ignore[no-untyped-call]
    assert scores.grad is not None
    assert scores.grad[0, 1, 0] > 0 > scores.grad[0, 1, 1], "the second look should move on"
