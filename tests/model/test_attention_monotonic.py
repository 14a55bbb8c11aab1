"""Monotonic attention: by hand, against the sum over all paths, and where numbers are extreme."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from chatseq.model.contracts import Memory
from chatseq_attention import additive
from chatseq_attention.monotonic import MonotonicAttention, arriving


def memory_of(states: Tensor, mask: Tensor) -> Memory:
    return Memory(states, mask, states[:, 0])


def set_(parameter: Tensor, values: list[float]) -> None:
    with torch.no_grad():
        parameter.copy_(torch.tensor(values).view_as(parameter))


def sigmoid(number: float) -> float:
    return 1 / (1 + math.exp(-number))


def stepped(stops: list[list[float]]) -> list[list[float]]:
    """Return the weights of each step by the sum over all places of stopping (eq. 7 and 8)."""
    source = len(stops[0])
    held, found = [1.0] + [0.0] * (source - 1), []
    for step in stops:
        after = [0.0] * source
        for begin, share in enumerate(held):
            for end in range(begin, source):
                after[end] += share * step[end]
                share *= 1 - step[end]
        held = after
        found.append(after)
    return found


def test_two_steps_by_hand() -> None:
    # stops at 1/2 and 1/4; at the third, the last, always
    once, twice = stepped([[0.5, 0.25, 1.0]] * 2)
    assert once == pytest.approx([1 / 2, 1 / 8, 3 / 8])
    assert twice == pytest.approx([1 / 4, 1 / 16 + 1 / 32, 3 / 16 + 3 / 32 + 3 / 8])
    attention = MonotonicAttention(1, 1, hidden_size=1)
    set_(attention.project_query.weight, [0.0])
    set_(attention.project_memory.weight, [1.0])
    set_(attention.project_memory.bias, [0.0])
    set_(attention.score.weight, [7.0])  # only its sign counts
    set_(attention.gain, [2.0])
    set_(attention.offset, [-0.5])
    # gain · tanh(state) + offset is 0, of which the sigmoid is 1/2; and -ln 3, of which it is 1/4
    inputs = [math.atanh(0.25), math.atanh((0.5 - math.log(3)) / 2), 0.3, 9.0]
    states = torch.tensor(inputs).view(1, 4, 1)
    memory = memory_of(states, torch.tensor([[True, True, True, False]]))
    found = attention(torch.zeros(1, 2, 1), attention.prepare(memory), attention.start(memory))
    assert found.weights[0, 0].tolist() == pytest.approx([*once, 0.0], abs=1e-6)
    assert found.weights[0, 1].tolist() == pytest.approx([*twice, 0.0], abs=1e-6)
    assert found.state[0][0].tolist() == pytest.approx([*twice, 0.0], abs=1e-6)
    seen = sum(w * s for w, s in zip(twice, inputs[:3], strict=True))
    assert found.context[0, 1].item() == pytest.approx(seen, abs=1e-6)


def test_weights_are_the_sum_over_all_paths_for_every_row() -> None:
    torch.manual_seed(0)
    attention = MonotonicAttention(3, 4, offset=-0.7)
    mask = torch.arange(6) < torch.tensor([[6], [3], [1]])
    memory = memory_of(torch.randn(3, 6, 4), mask)
    query = torch.randn(3, 5, 3) * 3
    prepared = attention.prepare(memory)
    energies = attention.energies(query, prepared[2])
    found = attention(query, prepared, attention.start(memory)).weights
    for row, length in enumerate((6, 3, 1)):
        stops = [[sigmoid(e) for e in step[:length]] for step in energies[row].tolist()]
        for step in stops:
            step[-1] = 1.0
        wanted = torch.tensor(stepped(stops))
        torch.testing.assert_close(found[row, :, :length], wanted, atol=1e-6, rtol=1e-5)
        assert not found[row, :, length:].any()


def test_the_energy_uses_the_direction_of_v_only() -> None:
    torch.manual_seed(0)
    attention = MonotonicAttention(3, 4)
    set_(attention.gain, [1.5])
    set_(attention.offset, [0.25])
    query, states = torch.randn(1, 1, 3), torch.randn(1, 2, 4)
    mixed = torch.tanh(attention.project_query(query) + attention.project_memory(states))
    direction = attention.score.weight[0] / attention.score.weight[0].square().sum().sqrt()
    wanted = 1.5 * (mixed @ direction) + 0.25  # (1, 2)
    found = attention.energies(query, attention.project_memory(states))
    torch.testing.assert_close(found[0], wanted)


def test_the_mean_position_never_goes_back() -> None:
    torch.manual_seed(0)
    attention = MonotonicAttention(3, 4)
    memory = memory_of(torch.randn(2, 9, 4), torch.ones(2, 9).bool())
    found = attention(torch.randn(2, 12, 3) * 5, attention.prepare(memory), attention.start(memory))
    reached = found.weights.cumsum(2)  # the share that stopped up to each token only falls
    for before, after in pairwise(reached.unbind(1)):
        assert (after <= before + 1e-6).all()


def test_what_reaches_the_end_stays_there_and_weights_sum_to_1() -> None:
    torch.manual_seed(0)
    attention = MonotonicAttention(3, 4, offset=-4.0)
    memory = memory_of(torch.randn(1, 5, 4), torch.tensor([[True, True, True, True, False]]))
    query = torch.randn(1, 200, 3)
    weights = attention(query, attention.prepare(memory), attention.start(memory)).weights[0]
    torch.testing.assert_close(weights.sum(1), torch.ones(200), atol=1e-5, rtol=0)
    assert weights[-1].tolist() == pytest.approx([0, 0, 0, 1, 0], abs=1e-5)


def test_it_starts_at_the_first_token_and_nowhere_in_padding() -> None:
    mask = torch.tensor([[True, True, False], [False, False, False]])
    memory = memory_of(torch.zeros(2, 3, 4), mask)
    attention = MonotonicAttention(3, 4)
    (start,) = attention.start(memory)
    assert start.tolist() == [[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    assert attention.prepare(memory)[3].tolist() == [[False, True, False], [False] * 3]
    found = attention(torch.randn(2, 2, 3), attention.prepare(memory), (start,))
    assert not found.weights[1].any()


def test_the_offset_sets_how_far_a_step_goes_at_first() -> None:
    memory = memory_of(torch.zeros(1, 400, 4), torch.ones(1, 400).bool())
    for offset, tokens in ((0.0, 1.0), (-1.0, math.e), (-4.0, math.exp(4))):
        attention = MonotonicAttention(3, 4, offset=offset)
        set_(attention.project_memory.bias, [0.0] * 3)
        prepared, start = attention.prepare(memory), attention.start(memory)
        weights = attention(torch.zeros(1, 1, 3), prepared, start).weights[0, 0]
        assert float(weights.detach() @ torch.arange(400.0)) == pytest.approx(tokens, rel=0.02)


# Numbers.


def test_arriving_stays_exact_where_hardly_anything_passes() -> None:
    """Products of many tiny and near-one factors, as dividing by them could not give."""
    stays = [1e-4, 1 - 1e-6, 0.3, 1e-12, 0.9, 0.5] * 10
    passes = [math.log1p(-stay) if stay < 0.5 else math.log(1 - stay) for stay in stays]
    passes[7] = -1e4  # nothing passes
    held = [1 / 60] * 60
    wanted = []
    for end in range(60):
        ways = [math.exp(sum(passes[begin:end])) for begin in range(end + 1)]
        wanted.append(sum(ways) / 60)
    found = arriving(torch.tensor([held]), torch.tensor([passes]))[0]
    assert found.tolist() == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("size", [1e3, 1e6])
def test_extreme_energies_give_finite_weights_and_gradients(size: float) -> None:
    torch.manual_seed(0)
    attention = MonotonicAttention(3, 4)
    set_(attention.gain, [size])
    memory = memory_of(torch.randn(2, 30, 4), torch.ones(2, 30).bool())
    query = torch.randn(2, 6, 3, requires_grad=True)
    found = attention(query, attention.prepare(memory), attention.start(memory))
    found.context.square().sum().backward()
    torch.testing.assert_close(found.weights.sum(2), torch.ones(2, 6))
    assert all(p.grad is not None and p.grad.isfinite().all() for p in attention.parameters())


def test_steps_made_again_for_the_gradient_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    attention = MonotonicAttention(2, 3)
    memory = memory_of(torch.randn(2, 4, 3), torch.ones(2, 4).bool())
    query = torch.randn(2, 5, 2, requires_grad=True)

    def run() -> list[Tensor]:
        found = attention(query, attention.prepare(memory), attention.start(memory))
        learnt = [query, *attention.parameters()]
        return [*found[:2], *torch.autograd.grad(found.context.square().sum(), learnt)]

    whole = run()
    monkeypatch.setattr(additive, "CHUNK_NUMBERS", 1)
    for one, other in zip(whole, run(), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("offset", [math.nan, math.inf])
def test_an_offset_that_is_no_number_is_refused(offset: float) -> None:
    with pytest.raises(ValueError, match=rf"offset \({offset}\) must be a number. Set it to 0"):
        MonotonicAttention(3, 4, offset=offset)


def test_no_width_is_refused() -> None:
    with pytest.raises(ValueError, match=r"hidden_size \(-1\) must be at least 1. Set it to 3"):
        MonotonicAttention(3, 4, hidden_size=-1)
