"""Each check of output layers finds the one that breaks just this, and no other check does."""

from __future__ import annotations

import pytest
import torch
from mutants import assert_found, assert_proved, found_by, mutant
from torch import Tensor, nn

from chatseq.model.contracts import Readout, Vocabulary
from chatseq.testing.networks import IMPOSSIBLE, PlainOutput


class Spoilt(PlainOutput):
    """An output layer whose logits or loss are spoilt."""

    def logits(self, readout: Readout, vocabulary: Vocabulary) -> Tensor:
        found: Tensor = self.project(readout.hidden) @ vocabulary.vectors.t() + vocabulary.bias
        return found

    def forward(self, readout: Readout, vocabulary: Vocabulary) -> Tensor:
        logits = self.logits(readout, vocabulary)
        chances = logits.masked_fill(~vocabulary.allowed, float("-inf")).log_softmax(-1)
        return chances.masked_fill(~vocabulary.allowed, IMPOSSIBLE)


class FewPositions(Spoilt):
    def forward(self, readout: Readout, vocabulary: Vocabulary) -> Tensor:
        return super().forward(readout, vocabulary).squeeze(0)


class SharesWithForbiddenTokens(Spoilt):
    def forward(self, readout: Readout, vocabulary: Vocabulary) -> Tensor:
        chances = self.logits(readout, vocabulary).log_softmax(-1)
        return chances.masked_fill(~vocabulary.allowed, IMPOSSIBLE)


class AveragesItsLoss(PlainOutput):
    def loss(
        self, readout: Readout, targets: Tensor, vocabulary: Vocabulary, *, label_smoothing: float
    ) -> Tensor:
        total = super().loss(readout, targets, vocabulary, label_smoothing=label_smoothing)
        return total / len(targets)


class LooksAtOtherPositions(Spoilt):
    def logits(self, readout: Readout, vocabulary: Vocabulary) -> Tensor:
        found = super().logits(readout, vocabulary)
        return found - 0.5 * found.mean(0)


class ForgetsAParameter(PlainOutput):
    def __init__(self, hidden_size: int, embedding_size: int, attends: bool) -> None:
        super().__init__(hidden_size, embedding_size, attends)
        self.unused = nn.Parameter(torch.ones(2))


class LearnsTheOtherWay(PlainOutput):
    def loss(
        self, readout: Readout, targets: Tensor, vocabulary: Vocabulary, *, label_smoothing: float
    ) -> Tensor:
        total = super().loss(readout, targets, vocabulary, label_smoothing=label_smoothing)
        return 2 * total.detach() - total


class WritesIntoTheHidden(PlainOutput):
    def forward(self, readout: Readout, vocabulary: Vocabulary) -> Tensor:
        readout.embedded.detach().clamp_(-0.5, 0.5)
        return super().forward(readout, vocabulary)


class KeepsAWeightToItself(Spoilt):
    def __init__(self, hidden_size: int, embedding_size: int, attends: bool) -> None:
        super().__init__(hidden_size, embedding_size, attends)
        self.register_buffer("secret", torch.randn(()), persistent=False)

    def logits(self, readout: Readout, vocabulary: Vocabulary) -> Tensor:
        return super().logits(readout, vocabulary) * self.secret


class CountsWhileItIsTraced(Spoilt):
    def logits(self, readout: Readout, vocabulary: Vocabulary) -> Tensor:
        found = super().logits(readout, vocabulary)
        return found + torch.zeros(int(found.shape[0]), 1).to(found)


class MasksWithABillion(Spoilt):
    def forward(self, readout: Readout, vocabulary: Vocabulary) -> Tensor:
        products = self.project(readout.hidden) @ vocabulary.vectors.t()
        masked = products.masked_fill(~vocabulary.allowed, IMPOSSIBLE)
        chances = (masked + vocabulary.bias).log_softmax(-1)
        return chances.masked_fill(~vocabulary.allowed, IMPOSSIBLE)


class NeedsToLook(Spoilt):
    def logits(self, readout: Readout, vocabulary: Vocabulary) -> Tensor:
        return super().logits(readout, vocabulary) + readout.weights.sum(1, keepdim=True).log()


class ForgetsTheDevice(Spoilt):
    def logits(self, readout: Readout, vocabulary: Vocabulary) -> Tensor:
        found = super().logits(readout, vocabulary)
        return found[torch.arange(found.shape[0])]


MUTANTS = {
    "its shapes are those of the contract": mutant(
        FewPositions, "log-probabilities is of shape", "positions change nothing for each other"
    ),
    "probabilities sum to 1 over allowed tokens": mutant(
        SharesWithForbiddenTokens, "the probabilities do not sum to 1"
    ),
    "its loss is that of its probabilities": mutant(AveragesItsLoss, "the loss is not the sum"),
    "positions change nothing for each other": mutant(LooksAtOtherPositions, "beside others"),
    "gradients reach every parameter": mutant(ForgetsAParameter, "no gradient reaches unused"),
    "it learns what it is told": mutant(LearnsTheOtherWay, "a step makes the loss"),
    "the same readout gives the same": mutant(WritesIntoTheHidden, "it writes into a tensor"),
    "weights survive saving": mutant(KeepsAWeightToItself, "weights that were stored"),
    "its graph equals torch": mutant(CountsWhileItIsTraced, ""),
    "tensors are made where its inputs are": mutant(ForgetsTheDevice, "beside one on meta"),
    "half precision stays finite": mutant(MasksWithABillion, "without overflow"),
    "extremes stay finite": mutant(NeedsToLook, "the loss without attention gives NaN"),
}


def test_every_check_has_its_mutant() -> None:
    assert_proved("output", MUTANTS)


def test_an_honest_output_layer_breaks_nothing() -> None:
    assert found_by("output", PlainOutput) == {}


@pytest.mark.slow("every check on every mutant; they change only with the kit")
@pytest.mark.parametrize("check", MUTANTS)
def test_a_check_finds_its_mutant_and_is_alone(check: str) -> None:
    assert_found("output", check, MUTANTS[check])


# Further ways to be wrong, of which several checks may tell.


class AllowsEverything(Spoilt):
    """Does not look at what is allowed."""

    def forward(self, readout: Readout, vocabulary: Vocabulary) -> Tensor:
        return self.logits(readout, vocabulary).log_softmax(-1)


class ForbidsTooMuch(PlainOutput):
    """Makes sums of what it forbids infinite."""

    def forward(self, readout: Readout, vocabulary: Vocabulary) -> Tensor:
        found = super().forward(readout, vocabulary)
        return found.masked_fill(~vocabulary.allowed, float("-inf"))


class IgnoresSmoothing(PlainOutput):
    """Takes no notice of an argument."""

    def loss(
        self, readout: Readout, targets: Tensor, vocabulary: Vocabulary, *, label_smoothing: float
    ) -> Tensor:
        return super().loss(readout, targets, vocabulary, label_smoothing=0.0)


class HoldsTheEmbeddingStill(Spoilt):
    """Does not let the embedding learn."""

    def logits(self, readout: Readout, vocabulary: Vocabulary) -> Tensor:
        still = vocabulary._replace(vectors=vocabulary.vectors.detach())
        return super().logits(readout, still)


class NeedsAttention(PlainOutput):
    """Needs weights, and is silent about it."""

    def __init__(self, hidden_size: int, embedding_size: int, attends: bool) -> None:
        if not attends:
            raise ValueError
        super().__init__(hidden_size, embedding_size, attends)


@pytest.mark.parametrize(
    ("wrong", "check", "told"),
    [
        (AllowsEverything, "probabilities sum to 1 over allowed tokens", "a forbidden token has"),
        (ForbidsTooMuch, "probabilities sum to 1 over allowed tokens", "a forbidden token has"),
        (IgnoresSmoothing, "its loss is that of its probabilities", "label smoothing makes"),
        (HoldsTheEmbeddingStill, "gradients reach every parameter", "reaches the embedding"),
        (NeedsAttention, "its shapes are those of the contract", "refused without a word"),
    ],
)
def test_another_fault_is_found(wrong: type, check: str, told: str) -> None:
    assert told in found_by("output", wrong)[check]
