"""Every attention with every normaliser: options, unequal widths, precisions, exact gradients.

That all keep the contract is tested with the other parts, in test_parts_keep_their_contracts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import pytest
import torch
from selection import thinned
from torch import Tensor, nn

import chatseq_attention
from chatseq.core.describe import describe
from chatseq.core.options import options_of
from chatseq.core.plugins import discover
from chatseq.model.contracts import Attended, Memory, take
from chatseq.testing import broken, check_part
from chatseq_attention.normalise import Normaliser

PARTS = discover().parts("attention")
NAMES = [name for name, part in PARTS.items() if part.plugin.name == "chatseq_attention"]
PLAIN = {name for name in NAMES if "normaliser" not in options_of(PARTS[name].load())}
WITH = [
    (name, normaliser)
    for name in NAMES
    for normaliser in (["softmax"] if name in PLAIN else get_args(Normaliser))
]
LENGTHS = (5, 2, 3)
OPTIONS: list[tuple[str, Mapping[str, Any]]] = [
    ("additive", {"hidden_size": 3}),
    ("concat", {"hidden_size": 3}),
    ("coverage", {"hidden_size": 3}),
    ("location", {"hidden_size": 3, "filters": 2, "kernel_size": 1}),
    ("location", {"kernel_size": 15}),
    ("local-p", {"window": 1}),
    ("local-p", {"window": 3, "normaliser": "sparsemax"}),
    ("multi-head", {"heads": 1}),
    ("multi-head", {"heads": 3}),
    ("multi-head", {"heads": 2, "head_size": 5}),
    ("monotonic", {"hidden_size": 3, "offset": -2.0}),
]


def built(name: str, query: int, memory: int, normaliser: str = "softmax") -> Any:
    torch.manual_seed(0)
    options = {} if name in PLAIN else {"normaliser": normaliser}
    return PARTS[name].load()(query, memory, **options)


def some_memory(width: int, kind: torch.dtype = torch.float32) -> Memory:
    torch.manual_seed(1)
    mask = torch.arange(5) < torch.tensor(LENGTHS).unsqueeze(1)
    states = torch.randn(3, 5, width).to(kind) * mask.unsqueeze(2)
    return Memory(states, mask, states[:, 0])


def attend(attention: Any, query: Tensor, memory: Memory) -> Attended:
    found: Attended = attention(query, tuple(attention.prepare(memory)), attention.start(memory))
    return found


def needs_equal_widths(name: str) -> bool:
    """Tell whether it projects nothing, as the dot product, and says so when it is built."""
    try:
        built(name, 3, 7)
    except ValueError as refused:
        assert "needs equal widths" in str(refused)  # noqa: PT017  (any other is a fault)
        return True
    return False


def test_every_attention_of_the_plugin_is_tested_and_most_project_and_normalise() -> None:
    assert set(NAMES) == set(chatseq_attention.chatseq_attentions())
    assert {name for name in NAMES if needs_equal_widths(name)} >= {"dot", "scaled-dot"}
    assert not needs_equal_widths("general")
    assert "monotonic" in PLAIN  # its weights are probabilities by themselves
    assert "general" not in PLAIN


@pytest.mark.parametrize("name", sorted(set(NAMES) - PLAIN))
def test_the_normaliser_is_one_of_three_and_softmax_unless_told(name: str) -> None:
    option = options_of(PARTS[name].load())["normaliser"]
    assert option.type == Normaliser
    assert option.default == "softmax"


@pytest.mark.parametrize("name", NAMES)
def test_each_says_its_paper_and_its_options_without_being_imported(name: str) -> None:
    told = describe(PARTS[name])
    assert " et al. 20" in told.doc
    assert {option.name for option in told.options} == set(options_of(PARTS[name].load()))


@pytest.mark.slow("every check once more for eleven sets of options")
@pytest.mark.parametrize(("name", "options"), OPTIONS)
def test_each_keeps_the_contract_with_other_options(name: str, options: Mapping[str, Any]) -> None:
    given = {option: [value] for option, value in options.items()}
    assert broken(check_part("attention", PARTS[name].load(), options=given)) == []


@pytest.mark.parametrize(("name", "normaliser"), WITH)
def test_padding_and_batch_mates_change_nothing(name: str, normaliser: str) -> None:
    attention, memory = built(name, 6, 6, normaliser), some_memory(6)
    query = torch.randn(3, 4, 6)
    whole = attend(attention, query, memory)
    for row, length in enumerate(LENGTHS):
        short = Memory(*(part[row : row + 1, :length] for part in memory[:2]), memory.summary)
        alone = attend(attention, query[row : row + 1], short)
        for one, other in zip(alone[:2], whole[:2], strict=True):
            expected = other[row : row + 1, :, : one.shape[2]]
            torch.testing.assert_close(one, expected, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("name", [name for name in NAMES if not needs_equal_widths(name)])
@pytest.mark.parametrize(("query_size", "memory_size"), [(3, 7), (7, 3), (1, 1)])
def test_query_and_memory_may_differ_in_width(name: str, query_size: int, memory_size: int) -> None:
    attention = built(name, query_size, memory_size)
    found = attend(attention, torch.randn(6, 2, query_size), beams(some_memory(memory_size)))
    assert attention.output_size == memory_size
    assert found.context.shape == (6, 2, memory_size)
    torch.testing.assert_close(found.weights.sum(2), torch.ones(6, 2))


def beams(memory: Memory) -> Memory:
    """Return a memory of two rows a source."""
    return take(memory, torch.arange(3).repeat_interleave(2))


@pytest.mark.parametrize(("name", "normaliser"), WITH)
@pytest.mark.parametrize("size", [1.0, 1e4])
@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_half_precision_stays_finite(
    name: str, normaliser: str, kind: torch.dtype, size: float
) -> None:
    attention = built(name, 6, 6, normaliser).to(kind)
    query = (torch.randn(3, 4, 6) * size).to(kind).requires_grad_()
    found = attend(attention, query, some_memory(6, kind))
    found.context.float().square().sum().backward()
    gradients = [query.grad, *(parameter.grad for parameter in attention.parameters())]
    for tensor in (*found[:2], *found.state, *gradients):
        assert tensor is not None
        assert tensor.isfinite().all()
    assert found.context.dtype is kind
    torch.testing.assert_close(found.weights.sum(2), torch.ones(3, 4))  # in single precision


@pytest.mark.parametrize(("name", "normaliser"), WITH)
def test_autocast_keeps_the_weights_in_single_precision(name: str, normaliser: str) -> None:
    attention, query = built(name, 6, 6, normaliser), torch.randn(3, 9, 6, requires_grad=True)
    exact = attend(attention, query, some_memory(6))
    with torch.autocast("cpu", torch.bfloat16):
        found = attend(attention, query, some_memory(6))
    torch.testing.assert_close(found.weights.sum(2), torch.ones(3, 9))
    torch.testing.assert_close(found.weights, exact.weights, atol=0.05, rtol=0)
    found.context.float().square().sum().backward()
    assert query.grad is not None
    assert query.grad.isfinite().all()


@pytest.mark.parametrize("name", NAMES)
def test_half_precision_is_near_single(name: str) -> None:
    attention, memory, query = built(name, 6, 6), some_memory(6), torch.randn(3, 4, 6)
    exact = attend(attention, query, memory).weights
    rough = attend(attention.half(), query.half(), some_memory(6, torch.float16)).weights
    torch.testing.assert_close(rough, exact, atol=0.01, rtol=0)


@pytest.mark.parametrize(("name", "normaliser"), thinned(WITH))
def test_gradients_are_exact_in_double_precision(name: str, normaliser: str) -> None:
    whole = _Whole(built(name, 3, 3, normaliser)).double()
    memory, query = some_memory(3, torch.double), torch.randn(3, 3, 3, dtype=torch.double)
    names = [name for name, _ in whole.named_parameters()]

    def run(query: Tensor, states: Tensor, *values: Tensor) -> tuple[Tensor, ...]:
        given = dict(zip(names, values, strict=True))
        return torch.func.functional_call(whole, given, (query, memory._replace(states=states)))

    inputs = [query, memory.states, *(value.detach().clone() for value in whole.parameters())]
    assert torch.autograd.gradcheck(run, [given.requires_grad_() for given in inputs])


class _Whole(nn.Module):
    """Prepares and attends in one call."""

    def __init__(self, attention: Any) -> None:
        super().__init__()
        self.attention = attention

    def forward(self, query: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        found = attend(self.attention, query, memory)
        return found.context, found.weights
