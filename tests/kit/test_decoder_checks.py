"""Each check of decoders finds the decoder that breaks just this, and no other check does."""

from __future__ import annotations

import pytest
import torch
from mutants import assert_found, assert_proved, found_by, mutant
from torch import Tensor, nn

from chatseq.model.contracts import Decoded, MakeAttention, Memory
from chatseq.testing.networks import PlainDecoder

State = tuple[Tensor, ...]
Way = MakeAttention | None


def for_rows(vectors: Tensor, rows: int) -> Tensor:
    """Repeat the vector of each source for its adjacent rows, (rows, 1, width)."""
    return vectors.repeat_interleave(rows // vectors.shape[0], 0).unsqueeze(1)


class RefusesWithoutAWord(PlainDecoder):
    def __init__(self, input_size: int, memory_size: int, make_attention: Way) -> None:
        if make_attention is None:
            raise ValueError
        super().__init__(input_size, memory_size, make_attention)


class FewPositions(PlainDecoder):
    def forward(self, embedded: Tensor, state: State, prepared: State) -> Decoded:
        if embedded.shape[1] > 16:
            raise IndexError("there are 16 positions")
        return super().forward(embedded, state, prepared)


class TellsHalfOfItsWeights(PlainDecoder):
    def forward(self, embedded: Tensor, state: State, prepared: State) -> Decoded:
        found = super().forward(embedded, state, prepared)
        return found._replace(weights=found.weights * 0.5)


class CountsItsSteps(PlainDecoder):
    def forward(self, embedded: Tensor, state: State, prepared: State) -> Decoded:
        found = super().forward(embedded, state, prepared)
        return found._replace(hidden=found.hidden + float(embedded.shape[1]))


class AveragesPadding(PlainDecoder):
    def prepare(self, memory: Memory) -> State:
        return (*super().prepare(memory), memory.states.mean(1))

    def forward(self, embedded: Tensor, state: State, prepared: State) -> Decoded:
        found = super().forward(embedded, state, prepared[:-1])
        mean = for_rows(prepared[-1], embedded.shape[0])
        return found._replace(hidden=found.hidden + mean[:, :, : self.output_size])


class LooksAtBatchMates(PlainDecoder):
    def prepare(self, memory: Memory) -> State:
        return (*super().prepare(memory), memory.summary)

    def forward(self, embedded: Tensor, state: State, prepared: State) -> Decoded:
        found = super().forward(embedded, state, prepared[:-1])
        mean = prepared[-1].mean(0)[: self.output_size]
        return found._replace(hidden=found.hidden + mean)


class WantsARepeatedMemory(PlainDecoder):
    """Takes row n for source n modulo the batch."""

    def prepare(self, memory: Memory) -> State:
        return (*super().prepare(memory), memory.summary)

    def forward(self, embedded: Tensor, state: State, prepared: State) -> Decoded:
        found = super().forward(embedded, state, prepared[:-1])
        times = embedded.shape[0] // prepared[-1].shape[0]
        summaries = prepared[-1].repeat(times, 1).unsqueeze(1)
        return found._replace(hidden=found.hidden + summaries[:, :, : self.output_size])


class IndexesByPlace(PlainDecoder):
    """Keeps row numbers in its state, which are wrong as soon as rows change their places."""

    def start(self, memory: Memory) -> State:
        return (
            torch.arange(memory.mask.shape[0], device=memory.mask.device),
            *super().start(memory),
        )

    def forward(self, embedded: Tensor, state: State, prepared: State) -> Decoded:
        places, total, *history = state
        found = super().forward(embedded, (total[places], *history), prepared)
        return found._replace(state=(places, *found.state))


class ForgetsAParameter(PlainDecoder):
    def __init__(self, input_size: int, memory_size: int, make_attention: Way) -> None:
        super().__init__(input_size, memory_size, make_attention)
        self.unused = nn.Parameter(torch.ones(2))


class WritesIntoItsInput(PlainDecoder):
    def forward(self, embedded: Tensor, state: State, prepared: State) -> Decoded:
        embedded.detach().clamp_(-0.5, 0.5)
        return super().forward(embedded, state, prepared)


class KeepsAWeightToItself(PlainDecoder):
    def __init__(self, input_size: int, memory_size: int, make_attention: Way) -> None:
        super().__init__(input_size, memory_size, make_attention)
        self.register_buffer("secret", torch.randn(self.output_size), persistent=False)

    def forward(self, embedded: Tensor, state: State, prepared: State) -> Decoded:
        found = super().forward(embedded, state, prepared)
        return found._replace(hidden=found.hidden * self.secret)


class CountsWhileItIsTraced(PlainDecoder):
    def prepare(self, memory: Memory) -> State:
        prepared = super().prepare(memory)
        batch = int(memory.mask.shape[0])
        return (
            *prepared,
            torch.sin(torch.arange(batch, device=memory.mask.device) * 0.0).unsqueeze(1),
        )

    def forward(self, embedded: Tensor, state: State, prepared: State) -> Decoded:
        found = super().forward(embedded, state, prepared[:-1])
        return found._replace(hidden=found.hidden + for_rows(prepared[-1], embedded.shape[0]))


class CutsAtAMillion(PlainDecoder):
    def forward(self, embedded: Tensor, state: State, prepared: State) -> Decoded:
        return super().forward(embedded.masked_fill(embedded != embedded, 1e6), state, prepared)


class DividesByNoTokens(PlainDecoder):
    def start(self, memory: Memory) -> State:
        first, *history = super().start(memory)
        return (first / memory.mask.sum(1, keepdim=True), *history)


class ForgetsTheDevice(PlainDecoder):
    def forward(self, embedded: Tensor, state: State, prepared: State) -> Decoded:
        found = super().forward(embedded, state, prepared)
        return found._replace(hidden=found.hidden[:, torch.arange(found.hidden.shape[1])])


MUTANTS = {
    "attention is used or refused": mutant(RefusesWithoutAWord, "refused without a word"),
    "its shapes are those of the contract": mutant(FewPositions, "there are 16 positions"),
    "its weights are shares or zeros": mutant(TellsHalfOfItsWeights, "do not sum to 1"),
    "whole target equals step by step": mutant(CountsItsSteps, "step 1 alone"),
    "padding changes nothing": mutant(AveragesPadding, "more padding of the question"),
    "batch mates change nothing": mutant(LooksAtBatchMates, "a row differs beside others"),
    "beams share a memory": mutant(WantsARepeatedMemory, "than a repeated memory"),
    "taken states go on as they were": mutant(IndexesByPlace, "taken elsewhere go on otherwise"),
    "gradients reach every parameter": mutant(ForgetsAParameter, "no gradient reaches unused"),
    "the same tokens give the same": mutant(
        WritesIntoItsInput, "it writes into a tensor", "its graph equals torch"
    ),
    "weights survive saving": mutant(KeepsAWeightToItself, "weights that were stored"),
    "its graph equals torch": mutant(CountsWhileItIsTraced, ""),
    "tensors are made where its inputs are": mutant(ForgetsTheDevice, "beside one on meta"),
    "half precision stays finite": mutant(CutsAtAMillion, "without overflow"),
    "extremes stay finite": mutant(DividesByNoTokens, "all padding with an attention gives NaN"),
}


def test_every_check_has_its_mutant() -> None:
    assert_proved("decoder", MUTANTS)


class GivesNoSummaryAChance(PlainDecoder):
    """Needs an attention, and says so."""

    def __init__(self, input_size: int, memory_size: int, make_attention: Way) -> None:
        if make_attention is None:
            raise ValueError("it needs an attention. Name one.")
        super().__init__(input_size, memory_size, make_attention)


class Plain(PlainDecoder):
    """Works with an attention and without."""


class Growing(PlainDecoder):
    """Keeps all tokens so far in its state, which grows with every step."""

    def start(self, memory: Memory) -> State:
        first, *history = super().start(memory)
        return (first.unsqueeze(1), *history)

    def forward(self, embedded: Tensor, state: State, prepared: State) -> Decoded:
        total = state[0].sum(1)
        found = super().forward(embedded, (total, *state[1:]), prepared)
        return found._replace(state=(torch.cat([state[0], embedded], 1), *found.state[1:]))


@pytest.mark.parametrize("honest", [Plain, GivesNoSummaryAChance, Growing])
def test_an_honest_decoder_breaks_nothing(honest: type) -> None:
    assert found_by("decoder", honest) == {}


@pytest.mark.slow("every check on every mutant; they change only with the kit")
@pytest.mark.parametrize("check", MUTANTS)
def test_a_check_finds_its_mutant_and_is_alone(check: str) -> None:
    assert_found("decoder", check, MUTANTS[check])


# Further ways to be wrong, of which several checks may tell.


class DropsTheStateOfItsAttention(Plain):
    """Begins the attention's history anew at every step."""

    def forward(self, embedded: Tensor, state: State, prepared: State) -> Decoded:
        blank = tuple(torch.zeros_like(part) for part in state[1:])
        return super().forward(embedded, (state[0], *blank), prepared)


class RefusesEverything(PlainDecoder):
    """Cannot be built."""

    def __init__(self, input_size: int, memory_size: int, make_attention: Way) -> None:
        raise ValueError("it is not finished")


class SeesTheFuture(Plain):
    """Looks at all tokens of the target at once."""

    def forward(self, embedded: Tensor, state: State, prepared: State) -> Decoded:
        found = super().forward(embedded, state, prepared)
        return found._replace(hidden=found.hidden + embedded.mean(1, keepdim=True))


class CrashesWithoutAttention(PlainDecoder):
    """Does not think of those who name none."""

    def __init__(self, input_size: int, memory_size: int, make_attention: Way) -> None:
        super().__init__(input_size, memory_size, make_attention)
        assert make_attention is not None
        make_attention(1)


@pytest.mark.parametrize(
    ("wrong", "check", "told"),
    [
        (DropsTheStateOfItsAttention, "whole target equals step by step", "with an attention"),
        (SeesTheFuture, "whole target equals step by step", "gives otherwise"),
        (RefusesEverything, "attention is used or refused", "with an attention and without"),
        (RefusesEverything, "every value of every option is taken", "it is not finished"),
        (CrashesWithoutAttention, "attention is used or refused", "assert None is not None"),
    ],
)
def test_another_fault_is_found(wrong: type, check: str, told: str) -> None:
    assert told in found_by("decoder", wrong)[check]
