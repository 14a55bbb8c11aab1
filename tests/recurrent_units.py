"""Recurrent units in plain numbers, and what tests of recurrent parts share.

A unit is one number wide; all its weights are w and all its biases w / 10. A state is its output,
then what else it remembers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from chatseq.model.contracts import Attended, Memory

CorrectionMatch = tuple[float, ...]
Unit = Callable[[float, float, CorrectionMatch], CorrectionMatch]

W = 0.7  # what `fill` gives to every weight
BIAS = W / 10


def fill(module: nn.Module, value: float = W) -> None:
    """Set every weight to one value and every bias to a tenth of it."""
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            parameter.fill_(value / 10 if "bias" in name else value)


def sigmoid(number: float) -> float:
    return 1 / (1 + math.exp(-number))


def rnn(x: float, w: float, state: CorrectionMatch) -> CorrectionMatch:
    return (math.tanh(w * x + w * state[0] + 2 * w / 10),)


def gru(x: float, w: float, state: CorrectionMatch) -> CorrectionMatch:
    (hidden,) = state
    gate = sigmoid(w * x + w * hidden + 2 * w / 10)
    new = math.tanh(w * x + w / 10 + gate * (w * hidden + w / 10))
    return ((1 - gate) * new + gate * hidden,)


def lstm(x: float, w: float, state: CorrectionMatch) -> CorrectionMatch:
    hidden, cell = state
    total = w * x + w * hidden + 2 * w / 10
    cell = sigmoid(total) * cell + sigmoid(total) * math.tanh(total)
    return sigmoid(total) * math.tanh(cell), cell


def outputs(unit: Unit, inputs: Iterable[float], start: float = 0.0, w: float = W) -> list[float]:
    """Return what a unit gives for each input; all that it remembers is `start` at first."""
    state: CorrectionMatch = (start, start) if unit is lstm else (start,)
    found = []
    for x in inputs:
        state = unit(x, w, state)
        found.append(state[0])
    return found


def memory_of(first: float, second: float, summary: float) -> Memory:
    """Return a question of two tokens, one number wide."""
    states = torch.tensor([[[first], [second]]])
    return Memory(states, torch.tensor([[True, True]]), torch.tensor([[summary]]))


def row(numbers: Iterable[float]) -> Tensor:
    """Return one row of tokens, one number wide: (1, target, 1)."""
    return torch.tensor([[[number] for number in numbers]])


class Same(nn.Module):
    """An attention that gives the summed memory to every query."""

    output_size = 1

    def prepare(self, memory: Memory) -> tuple[Tensor, ...]:
        return (memory.states,)

    def start(self, memory: Memory) -> tuple[Tensor, ...]:
        return ()

    def forward(
        self, query: Tensor, prepared: tuple[Tensor, ...], state: tuple[Tensor, ...]
    ) -> Attended:
        context = self.found(query, prepared[0].sum(1, keepdim=True))
        return Attended(context, context.new_ones(*query.shape[:2], 2), state)

    def found(self, query: Tensor, total: Tensor) -> Tensor:
        return total.expand(-1, query.shape[1], -1)


class Scaled(Same):
    """An attention that gives the summed memory times the query, which tells when it was asked."""

    def found(self, query: Tensor, total: Tensor) -> Tensor:
        return total * query
