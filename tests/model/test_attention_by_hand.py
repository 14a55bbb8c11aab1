"""The attentions that score all steps at once against examples worked out by hand."""

from __future__ import annotations

import ast
import math
import re
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from chatseq.model.contracts import Attended, Attention, Memory
from chatseq_attention import additive
from chatseq_attention.additive import AdditiveAttention, ConcatAttention, recomputed
from chatseq_attention.base import fold, unfold
from chatseq_attention.multiplicative import DotAttention, GeneralAttention, ScaledDotAttention

STATES = torch.tensor([[[1.0, 0.0], [0.0, 1.0], [9.0, 9.0]]])  # the third is padding
MASK = torch.tensor([[True, True, False]])
QUERY = torch.tensor([[[1.0, 2.0]]])
Network = type[AdditiveAttention] | type[ConcatAttention]


def attend(attention: Attention) -> Attended:
    memory = Memory(STATES, MASK, torch.zeros(1, 2))
    with torch.no_grad():
        return attention(QUERY, tuple(attention.prepare(memory)), attention.start(memory))


def set_(parameter: Tensor, values: list[list[float]] | list[float]) -> None:
    with torch.no_grad():
        parameter.copy_(torch.tensor(values))


def softmax(one: float, other: float) -> tuple[float, float]:
    total = math.exp(one) + math.exp(other)
    return math.exp(one) / total, math.exp(other) / total


def assert_found(found: Attended, first: float, second: float) -> None:
    assert found.weights[0, 0].tolist() == pytest.approx([first, second, 0.0], abs=1e-6)
    assert found.context[0, 0].tolist() == pytest.approx([first, second], abs=1e-6)


def test_dot_scores_are_products_of_query_and_state() -> None:
    assert_found(attend(DotAttention(2, 2)), *softmax(1.0, 2.0))


def test_scaled_dot_scores_are_products_by_the_root_of_the_width() -> None:
    assert_found(attend(ScaledDotAttention(2, 2)), *softmax(1 / math.sqrt(2), 2 / math.sqrt(2)))


def test_a_normaliser_is_chosen_beside_the_score() -> None:
    # scores 1 and 2: sparsemax leaves the first out; halved and scaled they stay within 1
    assert_found(attend(DotAttention(2, 2, normaliser="sparsemax")), 0.0, 1.0)
    step = 1 / math.sqrt(2)  # between the scaled scores
    low, high = (1 - step) / 2, (1 + step) / 2
    assert_found(attend(ScaledDotAttention(2, 2, normaliser="sparsemax")), low, high)
    root = math.sqrt(1 / 2 - step**2 / 16)  # (root - step / 4)² + (root + step / 4)² = 1
    squares = (root - step / 4) ** 2, (root + step / 4) ** 2
    assert_found(attend(ScaledDotAttention(2, 2, normaliser="entmax15")), *squares)


def test_general_scores_put_a_matrix_between_query_and_state() -> None:
    attention = GeneralAttention(2, 2)
    set_(attention.project.weight, [[3.0, 1.0], [0.5, -1.0]])
    # q·W·h: W h1 = (3, 0.5), W h2 = (1, -1); with q = (1, 2) that is 4 and -1
    assert_found(attend(attention), *softmax(4.0, -1.0))


def test_general_attention_takes_a_query_of_another_width() -> None:
    attention = GeneralAttention(1, 2)
    set_(attention.project.weight, [[3.0, 1.0]])
    memory = Memory(STATES, MASK, torch.zeros(1, 2))
    found = attention(torch.tensor([[[0.5]]]), attention.prepare(memory), ())
    assert found.weights[0, 0, :2].tolist() == pytest.approx(softmax(1.5, 0.5), abs=1e-6)


def test_additive_scores_are_a_small_network() -> None:
    attention = AdditiveAttention(2, 2, hidden_size=1)
    set_(attention.project_query.weight, [[0.5, 0.25]])  # of the query: 1
    set_(attention.project_memory.weight, [[-1.0, 1.0]])
    set_(attention.project_memory.bias, [0.5])
    set_(attention.score.weight, [[2.0]])
    one, other = 2 * math.tanh(1 - 1 + 0.5), 2 * math.tanh(1 + 1 + 0.5)
    assert_found(attend(attention), *softmax(one, other))


def test_concat_scores_are_a_network_of_query_and_memory_joined() -> None:
    attention = ConcatAttention(2, 2, hidden_size=1)
    set_(attention.project.weight, [[0.5, 0.25, -1.0, 1.0]])  # of the query (1, 2): 1
    set_(attention.score.weight, [[2.0]])
    assert_found(attend(attention), *softmax(2 * math.tanh(1 - 1), 2 * math.tanh(1 + 1)))


def test_concat_equals_one_product_with_both_joined() -> None:
    torch.manual_seed(0)
    attention = ConcatAttention(3, 4)
    states, query = torch.randn(2, 5, 4), torch.randn(2, 1, 3)
    memory = Memory(states, torch.ones(2, 5, dtype=torch.bool), states[:, 0])
    both = torch.cat([query.expand(2, 5, 3), states], dim=2)
    scores = attention.score(torch.tanh(attention.project(both))).squeeze(2)  # (batch, source)
    found = attention(query, tuple(attention.prepare(memory)), ())
    torch.testing.assert_close(found.weights[:, 0], scores.softmax(1))


@pytest.mark.parametrize("kind", [AdditiveAttention, ConcatAttention])
def test_the_small_network_is_as_wide_as_the_query_if_not_told(kind: Network) -> None:
    assert kind(5, 3).score.in_features == 5


@pytest.mark.parametrize("kind", [AdditiveAttention, ConcatAttention])
def test_a_small_network_without_width_is_refused(kind: Network) -> None:
    with pytest.raises(ValueError, match=r"hidden_size \(0\) must be at least 1. Set it to 5"):
        kind(5, 3, hidden_size=0)


@pytest.mark.parametrize("kind", [DotAttention, ScaledDotAttention])
def test_dot_refuses_other_widths_and_names_the_size_to_set(
    kind: type[DotAttention],
) -> None:
    with pytest.raises(ValueError, match=r"Set model\.decoder\.hidden_size=6"):
        kind(4, 6)


@pytest.mark.parametrize("learning", [True, False])
@pytest.mark.parametrize("kind", [AdditiveAttention, ConcatAttention])
def test_scores_in_chunks_are_the_same_scores(
    kind: Network, learning: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    attention = kind(4, 6).train(learning)
    states = torch.randn(3, 5, 6)
    memory = Memory(states, torch.ones(3, 5, dtype=torch.bool), states[:, 0])
    query = torch.randn(3, 7, 4, requires_grad=True)

    def run() -> list[Tensor]:
        found = attention(query, attention.prepare(memory), ())
        learnt = [query, *attention.parameters()]
        return [*found[:2], *torch.autograd.grad(found.context.square().sum(), learnt)]

    whole = run()
    monkeypatch.setattr(additive, "CHUNK_NUMBERS", 3 * 5 * 4 * 2)  # two queries at a time
    for one, other in zip(whole, run(), strict=True):
        torch.testing.assert_close(one, other)


def test_additive_attention_holds_only_a_chunk_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[int] = []

    class Watched(nn.Linear):
        def forward(self, given: Tensor) -> Tensor:
            held.append(given.numel())
            return super().forward(given)

    monkeypatch.setattr(additive, "CHUNK_NUMBERS", 1000)
    attention = AdditiveAttention(4, 6)
    attention.score = Watched(4, 1, bias=False)
    states = torch.randn(2, 10, 6)
    memory = Memory(states, torch.ones(2, 10, dtype=torch.bool), states[:, 0])
    attention(torch.randn(2, 50, 4), attention.prepare(memory), ())
    assert max(held) <= 1000
    assert sum(held) == 2 * 50 * 10 * 4


def test_what_would_hold_much_is_made_again_for_the_gradient(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[Tensor] = []

    def square(given: Tensor) -> Tensor:
        made.append(given)
        return given.square()

    monkeypatch.setattr(additive, "CHUNK_NUMBERS", 10)
    for numbers, times in ((10, 1), (11, 2)):
        made.clear()
        given = torch.tensor([3.0], requires_grad=True)
        recomputed(square, given, numbers=numbers).backward()
        assert given.grad is not None
        assert given.grad.tolist() == [6.0]
        assert len(made) == times


# What they share.


def test_states_that_are_their_own_keys_are_kept_once() -> None:
    memory = Memory(STATES, MASK, torch.zeros(1, 2))
    assert len(DotAttention(2, 2).prepare(memory)) == 2
    assert len(GeneralAttention(2, 2).prepare(memory)) == 3


def test_folding_puts_the_rows_of_a_source_side_by_side() -> None:
    query = torch.arange(24.0).view(4, 3, 2)  # two sources of two rows, three steps
    folded = fold(query, torch.zeros(2, 5))
    assert folded.shape == (2, 6, 2)
    assert torch.equal(folded[0], query[:2].reshape(6, 2))
    context, weights = unfold(folded, folded, query)
    assert torch.equal(context, query)
    assert torch.equal(weights, query)


def test_each_forward_scores_masks_normalises_and_sums_in_this_order() -> None:
    steps = (r"\bscores = ", r"\b(real|near) = ", r"self\.normalise\(", r"\bcontext = ")
    read = 0
    for file in sorted(Path(additive.__file__).parent.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name == "forward":
                body = ast.unparse(node)
                found = [match.start() for step in steps if (match := re.search(step, body))]
                if len(found) == len(steps) and "for " not in body:
                    assert found == sorted(found), f"{file.name}: {body}"
                    read += 1
    assert read == 7  # the others go step by step, or only raise
