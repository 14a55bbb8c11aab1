"""Multi-head and local attention against examples worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from chatseq.model.contracts import Attended, Attention, Memory
from chatseq_attention.local import LocalPredictiveAttention
from chatseq_attention.multi_head import MultiHeadAttention


def set_(parameter: Tensor, values: list[list[float]]) -> None:
    with torch.no_grad():
        parameter.copy_(torch.tensor(values))


def attend(attention: Attention, states: Tensor, mask: Tensor, query: Tensor) -> Attended:
    memory = Memory(states, mask, states[:, 0])
    with torch.no_grad():
        return attention(query, tuple(attention.prepare(memory)), attention.start(memory))


def softmax(scores: list[float]) -> list[float]:
    total = sum(math.exp(score) for score in scores)
    return [math.exp(score) / total for score in scores]


# Several heads.


def two_heads() -> MultiHeadAttention:
    """Return two heads, each two wide, of a query one wide and a memory two wide."""
    attention = MultiHeadAttention(1, 2, heads=2, head_size=2)
    set_(attention.project_query.weight, [[1.0], [0.0], [0.0], [-2.0]])
    set_(attention.project_keys.weight, [[1.0, 0.0], [5.0, 5.0], [7.0, 7.0], [0.0, 1.0]])
    set_(attention.project_values.weight, [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.0, 0.0]])
    set_(attention.join.weight, [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 10.0, 0.0]])
    return attention


def test_each_head_attends_by_itself_and_the_join_mixes_them() -> None:
    states = torch.tensor([[[1.0, 0.5], [3.0, -1.0], [9.0, 9.0]]])  # the third is padding
    mask = torch.tensor([[True, True, False]])
    found = attend(two_heads(), states, mask, torch.tensor([[[0.5]]]))
    root = math.sqrt(2)
    # the first head asks for 0.5 times the first number, the second for -1 times the second
    one = softmax([0.5 * 1.0 / root, 0.5 * 3.0 / root])
    two = softmax([-1.0 * 0.5 / root, -1.0 * -1.0 / root])
    mean = [(a + b) / 2 for a, b in zip(one, two, strict=True)]
    assert found.weights[0, 0].tolist() == pytest.approx([*mean, 0.0], abs=1e-6)
    first = one[0] * 1.0 + one[1] * 3.0
    second = one[0] * 0.5 + one[1] * -1.0
    sums = two[0] * 1.5 + two[1] * 2.0  # the second head's value is the sum of both numbers
    assert found.context[0, 0].tolist() == pytest.approx([first, second + 10 * sums], abs=1e-5)


def test_the_normaliser_is_applied_to_every_head() -> None:
    attention = two_heads()
    states = torch.tensor([[[0.0, 4.0], [4.0, 0.0]]])
    mask = torch.ones(1, 2).bool()
    softly = attend(attention, states, mask, torch.tensor([[[1.0]]])).weights[0, 0].tolist()
    assert min(softly) > 0.02  # 4 / √2 for the second token, or -8 / √2 for the first
    sparse = MultiHeadAttention(1, 2, heads=2, head_size=2, normaliser="sparsemax")
    sparse.load_state_dict(attention.state_dict())
    assert attend(sparse, states, mask, torch.tensor([[[1.0]]])).weights.tolist() == [[[0.0, 1.0]]]
    set_(sparse.project_query.weight, [[1.0], [0.0], [0.0], [2.0]])  # now they differ wholly
    assert attend(sparse, states, mask, torch.tensor([[[1.0]]])).weights.tolist() == [[[0.5, 0.5]]]


def test_a_query_that_overflows_half_precision_asks_for_no_nan() -> None:
    attention = two_heads()
    set_(attention.project_query.weight, [[50.0], [-50.0], [50.0], [50.0]])
    set_(attention.project_keys.weight, [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    states, query = torch.tensor([[[1.0, 0.5], [3.0, -1.0]]]), torch.tensor([[[6e4]]])
    found = attend(attention.half(), states.half(), torch.ones(1, 2).bool(), query.half())
    assert found.weights.isfinite().all()  # infinity less infinity would be none


@pytest.mark.parametrize(
    ("memory", "heads", "width"), [(256, 4, 64), (6, 4, 2), (3, 8, 1), (5, 1, 5)]
)
def test_all_heads_together_are_about_as_wide_as_the_memory(
    memory: int, heads: int, width: int
) -> None:
    attention = MultiHeadAttention(7, memory, heads=heads)
    assert attention.project_query.weight.shape == (heads * width, 7)
    assert attention.output_size == memory


def test_no_heads_are_refused() -> None:
    with pytest.raises(ValueError, match=r"heads \(0\) must be at least 1. Set it to 4"):
        MultiHeadAttention(4, 6, heads=0)


def test_heads_without_width_are_refused() -> None:
    with pytest.raises(ValueError, match=r"head_size \(0\) must be at least 1. Set it to 32"):
        MultiHeadAttention(4, 6, head_size=0)


# A window around a predicted position.


def looking(window: int, factor: float, normaliser: str = "softmax") -> LocalPredictiveAttention:
    """Return a local attention of scores query · state and position length · sigmoid(factor)."""
    attention = LocalPredictiveAttention(1, 1, window=window, normaliser=normaliser)  # type: ignore[arg-type]
    set_(attention.project.weight, [[1.0]])
    set_(attention.project_query.weight, [[1.0]])
    set_(attention.position.weight, [[factor / math.tanh(1.0)]])
    return attention


def shares(numbers: list[float]) -> list[float]:
    return [number / sum(numbers) for number in numbers]


ONE = torch.tensor([[[1.0]]])


def test_weights_fall_off_from_the_position_and_end_at_the_window() -> None:
    states = torch.tensor([[[0.3], [0.0], [1.0], [-1.0], [0.5], [2.0], [9.0]]])
    mask = torch.tensor([[True] * 6 + [False]])
    found = attend(looking(2, 0.0), states, mask, ONE)  # at 6 · sigmoid(0) = 3, width 1
    aligned = softmax([0.0, 1.0, -1.0, 0.5, 2.0])  # of the tokens 1 to 5
    near = [math.exp(-(distance**2) / 2) for distance in (2, 1, 0, 1, 2)]
    wanted = shares([a * g for a, g in zip(aligned, near, strict=True)])
    assert found.weights[0, 0].tolist() == pytest.approx([0.0, *wanted, 0.0], abs=1e-6)
    seen = sum(w * s for w, s in zip(wanted, (0.0, 1.0, -1.0, 0.5, 2.0), strict=True))
    assert found.context.item() == pytest.approx(seen, abs=1e-5)


def test_a_position_may_lie_between_tokens() -> None:
    position = 4 / (1 + math.exp(-0.3))  # 2.2978 of 4
    found = attend(looking(1, 0.3), torch.zeros(1, 4, 1), torch.ones(1, 4).bool(), ONE)
    near = [math.exp(-2 * (token - position) ** 2) for token in (2, 3)]  # width 1/2
    assert found.weights[0, 0].tolist() == pytest.approx([0.0, 0.0, *shares(near)], abs=1e-6)


def test_what_the_normaliser_leaves_out_of_the_window_stays_out() -> None:
    states = torch.tensor([[[0.0], [0.0], [5.0], [4.5], [0.0]]])
    mask = torch.ones(1, 5).bool()
    found = attend(looking(10, 0.0, "sparsemax"), states, mask, ONE)  # at 2.5, width 5
    near = math.exp(-0.25 / 50)  # the same for both
    wanted = shares([0.75 * near, 0.25 * near])
    assert found.weights[0, 0].tolist() == pytest.approx([0.0, 0.0, *wanted, 0.0], abs=1e-6)


@pytest.mark.parametrize("factor", [-1e4, 1e4])
@pytest.mark.parametrize("length", [1, 2, 5])
def test_there_is_always_a_token_in_the_window(factor: float, length: int) -> None:
    found = attend(looking(1, factor), torch.zeros(1, length, 1), torch.ones(1, length).bool(), ONE)
    wanted = 0 if factor < 0 else length - 1
    assert found.weights[0, 0, wanted] >= 0.5
    assert found.weights.sum().item() == pytest.approx(1.0)


def test_the_position_is_learnt_through_the_gaussian() -> None:
    attention = looking(2, 0.0)
    memory = Memory(torch.arange(6.0).view(1, 6, 1), torch.ones(1, 6).bool(), torch.zeros(1, 1))
    attention(ONE, attention.prepare(memory), ()).context.sum().backward()
    assert attention.position.weight.grad is not None
    assert attention.position.weight.grad.item() > 0.1  # further on stand larger numbers


def test_half_precision_counts_the_tokens_of_a_long_source_exactly() -> None:
    mask, kind = torch.ones(1, 900).bool(), torch.bfloat16  # whole numbers up to 256 only
    states, attention = torch.zeros(1, 900, 1), looking(10, 0.0)
    exact = attend(attention, states, mask, ONE).weights
    rough = attend(attention.to(kind), states.to(kind), mask, ONE.to(kind)).weights
    assert exact[0, 0, 450] > 0.07
    torch.testing.assert_close(rough, exact, atol=1e-6, rtol=0)


def test_no_window_is_refused() -> None:
    with pytest.raises(ValueError, match=r"window \(0\) must be at least 1. Set it to 10"):
        LocalPredictiveAttention(4, 6, window=0)
