"""Each check of encoders finds the encoder that breaks just this, and no other check does."""

from __future__ import annotations

import pytest
import torch
from mutants import assert_found, assert_proved, found_by, mutant
from torch import Tensor, nn

from chatseq.model.contracts import Memory
from chatseq.testing.networks import PlainEncoder


class Spoilt(PlainEncoder):
    """An encoder without options, to be spoilt."""

    def __init__(self, input_size: int) -> None:
        super().__init__(input_size)


class FewPositions(Spoilt):
    def forward(self, embedded: Tensor, mask: Tensor, turns: Tensor) -> Memory:
        if embedded.shape[1] > 64:
            raise IndexError("there are 64 positions")
        return super().forward(embedded, mask, turns)


class AveragesPadding(Spoilt):
    def forward(self, embedded: Tensor, mask: Tensor, turns: Tensor) -> Memory:
        memory = super().forward(embedded, mask, turns)
        return memory._replace(summary=memory.states.mean(1))


class LeavesPadding(Spoilt):
    def forward(self, embedded: Tensor, mask: Tensor, turns: Tensor) -> Memory:
        memory = super().forward(embedded, mask, turns)
        return memory._replace(states=torch.tanh(self.project(embedded)))


class LooksAtBatchMates(Spoilt):
    def forward(self, embedded: Tensor, mask: Tensor, turns: Tensor) -> Memory:
        memory = super().forward(embedded, mask, turns)
        return memory._replace(summary=memory.summary - 0.1 * memory.summary.mean(0))


class CountsTheTurnsOfTheBatch(Spoilt):
    def forward(self, embedded: Tensor, mask: Tensor, turns: Tensor) -> Memory:
        memory = super().forward(embedded, mask, turns)
        return memory._replace(summary=memory.summary * (1 + turns.max()))


class ForgetsAParameter(Spoilt):
    def __init__(self, input_size: int) -> None:
        super().__init__(input_size)
        self.unused = nn.Parameter(torch.ones(2))


class WritesIntoItsInput(Spoilt):
    def forward(self, embedded: Tensor, mask: Tensor, turns: Tensor) -> Memory:
        embedded.detach().masked_fill_(~mask.unsqueeze(2), 0.0)
        return super().forward(embedded, mask, turns)


class KeepsAWeightToItself(Spoilt):
    def __init__(self, input_size: int) -> None:
        super().__init__(input_size)
        self.register_buffer("secret", torch.randn(self.output_size), persistent=False)

    def forward(self, embedded: Tensor, mask: Tensor, turns: Tensor) -> Memory:
        memory = super().forward(embedded, mask, turns)
        return memory._replace(summary=memory.summary * self.secret)


class CountsWhileItIsTraced(Spoilt):
    def forward(self, embedded: Tensor, mask: Tensor, turns: Tensor) -> Memory:
        places = torch.sin(torch.arange(int(embedded.shape[1])).to(embedded))
        return super().forward(embedded + places.unsqueeze(1), mask, turns)


class MasksWithABillion(Spoilt):
    def forward(self, embedded: Tensor, mask: Tensor, turns: Tensor) -> Memory:
        memory = super().forward(embedded, mask, turns)
        highest = memory.states.masked_fill(~mask.unsqueeze(2), -1e9).amax(1)
        return memory._replace(summary=highest)


class DividesByNoTokens(Spoilt):
    def forward(self, embedded: Tensor, mask: Tensor, turns: Tensor) -> Memory:
        memory = super().forward(embedded, mask, turns)
        return memory._replace(summary=memory.states.sum(1) / mask.sum(1, keepdim=True))


class ForgetsTheDevice(Spoilt):
    def forward(self, embedded: Tensor, mask: Tensor, turns: Tensor) -> Memory:
        memory = super().forward(embedded, mask, turns)
        order = torch.arange(memory.states.shape[0])
        return memory._replace(summary=memory.summary.index_select(0, order))


MUTANTS = {
    "its shapes are those of the contract": mutant(FewPositions, "there are 64 positions"),
    "padding changes nothing": mutant(AveragesPadding, "more padding changes the summary"),
    "the memory is zero at padding": mutant(LeavesPadding, "are not zero at padding"),
    "batch mates change nothing": mutant(
        LooksAtBatchMates, "otherwise beside other rows", "earlier turns are read in any batch"
    ),
    "earlier turns are read in any batch": mutant(CountsTheTurnsOfTheBatch, "with 1 earlier turns"),
    "gradients reach every parameter": mutant(ForgetsAParameter, "no gradient reaches unused"),
    "the same question gives the same memory": mutant(
        WritesIntoItsInput, "it writes into a tensor"
    ),
    "weights survive saving": mutant(KeepsAWeightToItself, "weights that were stored"),
    "its graph equals torch": mutant(CountsWhileItIsTraced, ""),
    "tensors are made where its inputs are": mutant(ForgetsTheDevice, "beside one on meta"),
    "half precision stays finite": mutant(MasksWithABillion, "without overflow"),
    "extremes stay finite": mutant(DividesByNoTokens, "all padding gives NaN"),
}


def test_every_check_has_its_mutant() -> None:
    assert_proved("encoder", MUTANTS)


def test_an_honest_encoder_breaks_nothing() -> None:
    assert found_by("encoder", PlainEncoder) == {}


@pytest.mark.slow("every check on every mutant; they change only with the kit")
@pytest.mark.parametrize("check", MUTANTS)
def test_a_check_finds_its_mutant_and_is_alone(check: str) -> None:
    assert_found("encoder", check, MUTANTS[check])


# Further ways to be wrong, of which several checks may tell.


class RollsDice(Spoilt):
    """Leaves numbers out also when it answers."""

    def forward(self, embedded: Tensor, mask: Tensor, turns: Tensor) -> Memory:
        return super().forward(nn.functional.dropout(embedded, 0.3, training=True), mask, turns)


class StopsGradients(Spoilt):
    """Does not let the embedding learn."""

    def forward(self, embedded: Tensor, mask: Tensor, turns: Tensor) -> Memory:
        return super().forward(embedded.detach(), mask, turns)


class GivesATuple(Spoilt):
    """Forgets the names."""

    def forward(self, embedded: Tensor, mask: Tensor, turns: Tensor) -> Memory:
        return tuple(super().forward(embedded, mask, turns))  # type: ignore[return-value]


class NoModule:
    """Has no weights that anybody could find."""

    def __init__(self, input_size: int) -> None:
        self.output_size = input_size


@pytest.mark.parametrize(
    ("wrong", "check", "told"),
    [
        (RollsDice, "the same question gives the same memory", "made again"),
        (StopsGradients, "gradients reach every parameter", "no gradient reaches the input"),
        (GivesATuple, "its shapes are those of the contract", "it gives a tuple, no Memory"),
        (NoModule, "its shapes are those of the contract", "no torch.nn.Module"),
    ],
)
def test_another_fault_is_found(wrong: type, check: str, told: str) -> None:
    assert told in found_by("encoder", wrong)[check]
