"""Each check of attentions finds the attention that breaks just this, and no other check does."""

from __future__ import annotations

import pytest
import torch
from mutants import assert_found, assert_proved, found_by, mutant
from torch import Tensor, nn

from chatseq.model.contracts import Attended, Memory
from chatseq.testing.networks import PlainAttention, RememberingAttention, weighed

State = tuple[Tensor, ...]


class FewPositions(PlainAttention):
    def forward(self, query: Tensor, prepared: State, state: State) -> Attended:
        if prepared[0].shape[1] > 64:
            raise IndexError("there are 64 positions")
        return super().forward(query, prepared, state)


class PreparesTheMaskFirst(PlainAttention):
    def prepare(self, memory: Memory) -> State:
        return memory.mask, memory.states

    def forward(self, query: Tensor, prepared: State, state: State) -> Attended:
        return super().forward(query, prepared[::-1], state)


class TellsHalfOfItsWeights(PlainAttention):
    def forward(self, query: Tensor, prepared: State, state: State) -> Attended:
        found = super().forward(query, prepared, state)
        return found._replace(weights=found.weights * 0.5)


class AttendsToPadding(PlainAttention):
    def forward(self, query: Tensor, prepared: State, state: State) -> Attended:
        found = super().forward(query, prepared, state)
        everywhere = torch.ones_like(prepared[1])
        _, context = weighed(self.scores(query, prepared[0]), prepared[0], everywhere)
        return found._replace(context=context)


class LooksAtBatchMates(PlainAttention):
    def prepare(self, memory: Memory) -> State:
        real = memory.states * memory.mask.unsqueeze(2)
        mean = real.sum(1).mean(0, keepdim=True)
        return memory.states, memory.mask, mean.expand(real.shape[0], -1)

    def forward(self, query: Tensor, prepared: State, state: State) -> Attended:
        found = super().forward(query, prepared[:2], state)
        return found._replace(context=found.context + prepared[2][:1].unsqueeze(1))


class CountsItsQueries(PlainAttention):
    def forward(self, query: Tensor, prepared: State, state: State) -> Attended:
        found = super().forward(query, prepared, state)
        return found._replace(context=found.context + float(query.shape[1]))


class WantsARepeatedMemory(PlainAttention):
    """Takes row n for source n modulo the batch."""

    def scores(self, query: Tensor, states: Tensor) -> Tensor:
        batch, rows = states.shape[0], query.shape[0]
        order = torch.arange(rows, device=query.device).view(-1, batch).t().flatten()
        return super().scores(query[order], states)


class IndexesByPlace(RememberingAttention):
    """Keeps row numbers in its state, which are wrong as soon as rows change their places."""

    def start(self, memory: Memory) -> State:
        return (
            *super().start(memory),
            torch.arange(memory.mask.shape[0], device=memory.mask.device),
        )

    def forward(self, query: Tensor, prepared: State, state: State) -> Attended:
        found = super().forward(query, prepared, (state[0][state[1]],))
        return found._replace(state=(*found.state, state[1]))


class NeedsEqualWidths(PlainAttention):
    def __init__(self, query_size: int, memory_size: int) -> None:
        super().__init__(memory_size, memory_size)


class ForgetsAParameter(PlainAttention):
    def __init__(self, query_size: int, memory_size: int) -> None:
        super().__init__(query_size, memory_size)
        self.unused = nn.Parameter(torch.ones(2))


class WritesIntoTheQuery(PlainAttention):
    def forward(self, query: Tensor, prepared: State, state: State) -> Attended:
        query.detach().clamp_(-1.0, 1.0)
        return super().forward(query, prepared, state)


class KeepsAWeightToItself(PlainAttention):
    def __init__(self, query_size: int, memory_size: int) -> None:
        super().__init__(query_size, memory_size)
        self.register_buffer("secret", torch.randn(memory_size), persistent=False)

    def forward(self, query: Tensor, prepared: State, state: State) -> Attended:
        found = super().forward(query, prepared, state)
        return found._replace(context=found.context * self.secret)


class CountsWhileItIsTraced(PlainAttention):
    def scores(self, query: Tensor, states: Tensor) -> Tensor:
        places = torch.sin(torch.arange(int(states.shape[1])).to(states))
        return super().scores(query, states) + places


class MasksWithABillion(PlainAttention):
    def forward(self, query: Tensor, prepared: State, state: State) -> Attended:
        states, mask = prepared
        padding = torch.zeros_like(mask, dtype=states.dtype).masked_fill(~mask, -1e9)
        k = query.shape[0] // states.shape[0]
        scores = self.scores(query, states) + padding.repeat_interleave(k, 0).unsqueeze(1)
        return Attended(*weighed(scores, states, mask)[::-1], state)


class MasksWithInfinity(PlainAttention):
    def forward(self, query: Tensor, prepared: State, state: State) -> Attended:
        states, mask = prepared
        k = query.shape[0] // states.shape[0]
        padding = ~mask.repeat_interleave(k, 0).unsqueeze(1)
        weights = self.scores(query, states).masked_fill(padding, float("-inf")).softmax(-1)
        return Attended(weights @ states.repeat_interleave(k, 0), weights, state)


class ForgetsTheDevice(PlainAttention):
    def scores(self, query: Tensor, states: Tensor) -> Tensor:
        found = super().scores(query, states)
        return found.index_select(1, torch.arange(found.shape[1]))


MUTANTS = {
    "its shapes are those of the contract": mutant(FewPositions, "there are 64 positions"),
    "what it prepares begins with states and mask": mutant(
        PreparesTheMaskFirst, "first tensor prepared is not the states"
    ),
    "its weights sum to 1": mutant(TellsHalfOfItsWeights, "do not sum to 1"),
    "padding changes nothing": mutant(AttendsToPadding, "more padding changes the context"),
    "batch mates change nothing": mutant(LooksAtBatchMates, "otherwise beside others"),
    "whole target equals step by step": mutant(CountsItsQueries, "step 1 alone gives otherwise"),
    "beams share a memory": mutant(WantsARepeatedMemory, "than a repeated memory"),
    "taken states go on as they were": mutant(IndexesByPlace, "taken elsewhere go on otherwise"),
    "other widths fit or are refused": mutant(NeedsEqualWidths, "RuntimeError"),
    "gradients reach every parameter": mutant(ForgetsAParameter, "no gradient reaches unused"),
    "the same query finds the same": mutant(
        WritesIntoTheQuery, "it writes into a tensor", "its graph equals torch"
    ),
    "weights survive saving": mutant(KeepsAWeightToItself, "weights that were stored"),
    "its graph equals torch": mutant(CountsWhileItIsTraced, ""),
    "tensors are made where its inputs are": mutant(ForgetsTheDevice, "beside one on meta"),
    "half precision stays finite": mutant(MasksWithABillion, "without overflow"),
    "extremes stay finite": mutant(MasksWithInfinity, "all padding gives NaN"),
}


def test_every_check_has_its_mutant() -> None:
    assert_proved("attention", MUTANTS)


@pytest.mark.parametrize("honest", [PlainAttention, RememberingAttention])
def test_an_honest_attention_breaks_nothing(honest: type) -> None:
    assert found_by("attention", honest) == {}


@pytest.mark.slow("every check on every mutant; they change only with the kit")
@pytest.mark.parametrize("check", MUTANTS)
def test_a_check_finds_its_mutant_and_is_alone(check: str) -> None:
    assert_found("attention", check, MUTANTS[check])


# Further ways to be wrong, of which several checks may tell.


class KeepsItsStateToItself(RememberingAttention):
    """Stores the state on the module, where no search can reorder it."""

    seen: Tensor | None = None

    def start(self, memory: Memory) -> State:
        self.seen = None
        return ()

    def forward(self, query: Tensor, prepared: State, state: State) -> Attended:
        if self.seen is None:
            self.seen = query.new_zeros(query.shape[0], prepared[0].shape[1])
        found = super().forward(query, prepared, (self.seen,))
        self.seen = found.state[0].detach()
        return found._replace(state=())


class IgnoresPaddingOnlyInSums(PlainAttention):
    """Gives padding weight."""

    def forward(self, query: Tensor, prepared: State, state: State) -> Attended:
        everywhere = torch.ones_like(prepared[1])
        return super().forward(query, (prepared[0], everywhere), state)


class AttendsBackwards(PlainAttention):
    """Has weights below zero."""

    def forward(self, query: Tensor, prepared: State, state: State) -> Attended:
        found = super().forward(query, prepared, state)
        return found._replace(weights=2 * found.weights - found.weights.mean(2, keepdim=True))


class BlocksGradients(PlainAttention):
    """Does not let the query learn."""

    def scores(self, query: Tensor, states: Tensor) -> Tensor:
        return super().scores(query.detach(), states)


class RefusesWithoutAWord(PlainAttention):
    """Says nothing about widths."""

    def __init__(self, query_size: int, memory_size: int) -> None:
        if query_size != memory_size:
            raise ValueError
        super().__init__(query_size, memory_size)


@pytest.mark.parametrize(
    ("wrong", "check", "told"),
    [
        (KeepsItsStateToItself, "taken states go on as they were", "go on otherwise"),
        (IgnoresPaddingOnlyInSums, "padding changes nothing", "padding has weight"),
        (AttendsBackwards, "its weights sum to 1", "a weight is negative"),
        (BlocksGradients, "gradients reach every parameter", "no gradient reaches the query"),
        (RefusesWithoutAWord, "other widths fit or are refused", "refused without a word"),
    ],
)
def test_another_fault_is_found(wrong: type, check: str, told: str) -> None:
    assert told in found_by("attention", wrong)[check]


def test_a_reason_against_a_graph_is_told_instead() -> None:
    from chatseq.testing import check_part

    class Untraceable(CountsWhileItIsTraced):
        """Says why there is no graph."""

        no_graph = "it counts"

    [outcome] = [o for o in check_part("attention", Untraceable) if "graph" in o.check.name]
    assert (outcome.result, outcome.reason) == ("not applicable", "it has no graph: it counts")
