"""Coverage and location-aware attention against examples worked out by hand, step by step."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from chatseq.model.contracts import Memory, take
from chatseq_attention import additive
from chatseq_attention.coverage_location import (
    CoverageAttention,
    HistoryAttention,
    LocationAttention,
)

KINDS = [CoverageAttention, LocationAttention]
STATES = torch.tensor([[[1.0], [2.0], [4.0], [9.0]]])  # the fourth is padding
MASK = torch.tensor([[True, True, True, False]])
QUERIES = [0.5, -1.0, 0.25]  # one number wide, three steps


def memory_of(states: Tensor, mask: Tensor) -> Memory:
    return Memory(states, mask, states[:, 0])


def set_(parameter: Tensor, values: list[float]) -> None:
    with torch.no_grad():
        parameter.copy_(torch.tensor(values).view_as(parameter))


def simple(attention: HistoryAttention) -> None:
    """Make the score 2 · tanh(query - 0.5 · state + 0.1 + term)."""
    set_(attention.project_query.weight, [1.0])
    set_(attention.project_memory.weight, [-0.5])
    set_(attention.project_memory.bias, [0.1])
    set_(attention.score.weight, [2.0])


def softmax(scores: list[float]) -> list[float]:
    total = sum(math.exp(score) for score in scores)
    return [math.exp(score) / total for score in scores]


def weights_by_hand(query: float, terms: list[float]) -> list[float]:
    keys = [-0.5 * state + 0.1 for state in (1.0, 2.0, 4.0)]
    return softmax([2 * math.tanh(query + k + t) for k, t in zip(keys, terms, strict=True)])


def test_coverage_adds_what_was_attended_to_so_far_to_the_score() -> None:
    attention = CoverageAttention(1, 1)
    simple(attention)
    set_(attention.project_coverage.weight, [-3.0])
    coverage, wanted = [0.0, 0.0, 0.0], []
    for query in QUERIES:
        wanted.append(weights_by_hand(query, [-3 * covered for covered in coverage]))
        coverage = [old + new for old, new in zip(coverage, wanted[-1], strict=True)]
    memory = memory_of(STATES, MASK)
    query = torch.tensor(QUERIES).view(1, 3, 1)
    found = attention(query, attention.prepare(memory), attention.start(memory))
    for step in range(3):
        assert found.weights[0, step].tolist() == pytest.approx([*wanted[step], 0.0], abs=1e-6)
        mean = sum(w * s for w, s in zip(wanted[step], (1.0, 2.0, 4.0), strict=True))
        assert found.context[0, step, 0].item() == pytest.approx(mean, abs=1e-5)
    assert found.state[0][0].tolist() == pytest.approx([*coverage, 0.0], abs=1e-6)


def test_location_adds_patterns_of_the_last_weights_to_the_score() -> None:
    attention = LocationAttention(1, 1, filters=2, kernel_size=3)
    simple(attention)
    set_(attention.convolve.weight, [1.0, 0.0, 0.0, 0.0, 10.0, 100.0])  # left; itself and right
    set_(attention.project_location.weight, [5.0, -0.5])
    last, wanted = [0.0, 0.0, 0.0], []
    for query in QUERIES:
        left, right = [0.0, *last[:2]], [*last[1:], 0.0]
        terms = [
            5 * a - 0.5 * (10 * b + 100 * c) for a, b, c in zip(left, last, right, strict=True)
        ]
        last = weights_by_hand(query, terms)
        wanted.append(last)
    memory = memory_of(STATES, MASK)
    query = torch.tensor(QUERIES).view(1, 3, 1)
    found = attention(query, attention.prepare(memory), attention.start(memory))
    for step in range(3):
        assert found.weights[0, step].tolist() == pytest.approx([*wanted[step], 0.0], abs=1e-5)
    assert found.state[0][0].tolist() == pytest.approx([*last, 0.0], abs=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_was_attended_to_at_the_start(kind: type[HistoryAttention]) -> None:
    (history,) = kind(2, 1).start(memory_of(STATES.half(), MASK))
    assert history.tolist() == [[0.0, 0.0, 0.0, 0.0]]
    assert history.dtype is torch.float32  # sums of shares are kept in single precision


@pytest.mark.parametrize("kind", KINDS)
def test_the_history_changes_the_next_step(kind: type[HistoryAttention]) -> None:
    torch.manual_seed(0)
    attention, memory = kind(2, 3), memory_of(torch.randn(1, 4, 3), torch.ones(1, 4).bool())
    query = torch.randn(1, 1, 2).expand(1, 2, 2)  # the same query twice
    weights = attention(query, attention.prepare(memory), attention.start(memory)).weights[0]
    assert float((weights[0] - weights[1]).detach().abs().max()) > 1e-4


@pytest.mark.parametrize("kind", KINDS)
def test_each_row_of_a_source_has_a_history_of_its_own(kind: type[HistoryAttention]) -> None:
    torch.manual_seed(0)
    attention = kind(2, 3)
    memory = memory_of(torch.randn(2, 4, 3), torch.ones(2, 4).bool())
    query, history = torch.randn(6, 2, 2), torch.rand(6, 4)
    shared = attention(query, attention.prepare(memory), (history,))
    for row in range(6):
        single = take(memory, torch.tensor([row // 3]))
        alone = attention(
            query[row : row + 1], attention.prepare(single), (history[row : row + 1],)
        )
        for one, other in zip(
            (*alone[:2], *alone.state), (*shared[:2], *shared.state), strict=True
        ):
            torch.testing.assert_close(one[0], other[row])


@pytest.mark.parametrize("kind", KINDS)
def test_steps_made_again_for_the_gradient_are_the_same(
    kind: type[HistoryAttention], monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    attention, memory = kind(2, 3), memory_of(torch.randn(2, 4, 3), torch.ones(2, 4).bool())
    query = torch.randn(2, 5, 2, requires_grad=True)

    def run() -> list[Tensor]:
        found = attention(query, attention.prepare(memory), attention.start(memory))
        learnt = [query, *attention.parameters()]
        return [*found[:2], *torch.autograd.grad(found.context.square().sum(), learnt)]

    whole = run()
    monkeypatch.setattr(additive, "CHUNK_NUMBERS", 1)
    for one, other in zip(whole, run(), strict=True):
        torch.testing.assert_close(one, other)


def test_coverage_grows_by_one_a_step() -> None:
    memory = memory_of(STATES, MASK)
    attention = CoverageAttention(1, 1, normaliser="sparsemax")
    found = attention(torch.randn(1, 7, 1), attention.prepare(memory), attention.start(memory))
    assert found.state[0].sum().item() == pytest.approx(7.0, abs=1e-5)


# What is refused.


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_without_width_is_refused(kind: type[HistoryAttention]) -> None:
    with pytest.raises(ValueError, match=r"hidden_size \(0\) must be at least 1. Set it to 3"):
        kind(3, 4, hidden_size=0)


@pytest.mark.parametrize(("size", "other"), [(4, 5), (0, 1), (-3, 1)])
def test_an_even_kernel_is_refused(size: int, other: int) -> None:
    told = rf"kernel_size \({size}\) must be odd and at least 1. Set it to {other}\."
    with pytest.raises(ValueError, match=told):
        LocationAttention(3, 4, kernel_size=size)


def test_no_filters_are_refused() -> None:
    with pytest.raises(ValueError, match=r"filters \(0\) must be at least 1. Set it to 10"):
        LocationAttention(3, 4, filters=0)
