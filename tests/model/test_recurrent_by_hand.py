"""Recurrent encoders and decoders against examples of one unit, worked out with plain numbers."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import nn

from chatseq.model.contracts import Attended, Memory
from chatseq_rnn.attending import GruDecoder, RnnDecoder
from chatseq_rnn.context import GruContextDecoder
from chatseq_rnn.encoder import (
    GruEncoder,
    LstmEncoder,
    RnnEncoder,
    mirrored_positions,
    reordered,
)
from chatseq_rnn.layers import GruLayer, LstmLayer, RnnLayer

INPUTS = [0.5, -1.0]
Unit = Callable[..., list[float]]


def fill(module: nn.Module, value: float) -> None:
    """Set every weight to one value and every bias to a tenth of it."""
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            parameter.fill_(value / 10 if "bias" in name else value)


def sigmoid(number: float) -> float:
    return 1 / (1 + math.exp(-number))


def rnn(inputs: list[float], w: float, hidden: float = 0.0) -> list[float]:
    """One unit whose weights are all w and whose biases are all w / 10."""
    found = []
    for x in inputs:
        hidden = math.tanh(w * x + w * hidden + 2 * w / 10)
        found.append(hidden)
    return found


def gru(inputs: list[float], w: float, hidden: float = 0.0) -> list[float]:
    found = []
    for x in inputs:
        gate = sigmoid(w * x + w * hidden + 2 * w / 10)
        new = math.tanh(w * x + w / 10 + gate * (w * hidden + w / 10))
        hidden = (1 - gate) * new + gate * hidden
        found.append(hidden)
    return found


def lstm(inputs: list[float], w: float) -> list[float]:
    hidden, cell, found = 0.0, 0.0, []
    for x in inputs:
        total = w * x + w * hidden + 2 * w / 10
        cell = sigmoid(total) * cell + sigmoid(total) * math.tanh(total)
        hidden = sigmoid(total) * math.tanh(cell)
        found.append(hidden)
    return found


@pytest.mark.parametrize(
    ("encoder", "unit"), [(RnnEncoder, rnn), (GruEncoder, gru), (LstmEncoder, lstm)]
)
def test_an_encoder_reads_forwards_and_backwards(encoder: type[GruEncoder], unit: Unit) -> None:
    made = encoder(1, hidden_size=1)
    fill(made, 0.7)
    embedded = torch.tensor([[[x] for x in (*INPUTS, 9.0)]])  # the third is padding
    mask = torch.tensor([[True, True, False]])
    with torch.no_grad():
        memory = made(embedded, mask, torch.zeros_like(mask))
    forwards = unit(INPUTS, 0.7)
    backwards = unit(INPUTS[::-1], 0.7)[::-1]
    assert memory.states[0, :, 0].tolist() == pytest.approx([*forwards, 0.0], abs=1e-6)
    assert memory.states[0, :, 1].tolist() == pytest.approx([*backwards, 0.0], abs=1e-6)


def test_the_summary_is_made_of_both_ends_and_the_mean() -> None:
    made = GruEncoder(1, hidden_size=1)
    fill(made, 0.7)
    with torch.no_grad():
        made.summarise.weight.copy_(torch.tensor([[1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 0.0, 0.0]]))
        mask = torch.tensor([[True, True]])
        memory = made(torch.tensor([[[x] for x in INPUTS]]), mask, mask.long())
    forwards, backwards = gru(INPUTS, 0.7), gru(INPUTS[::-1], 0.7)
    joined = forwards[-1] + 2 * backwards[-1] + 3 * sum(forwards) / 2 + 4 * sum(backwards) / 2
    assert memory.summary[0].tolist() == pytest.approx(
        [math.tanh(joined + 0.07), math.tanh(0.07)], abs=1e-6
    )


@pytest.mark.parametrize("layer", [RnnLayer, GruLayer, LstmLayer])
def test_a_step_is_what_the_fused_layer_does(layer: type[GruLayer]) -> None:
    torch.manual_seed(0)
    made = layer(3, 4)
    inputs = torch.randn(2, 5, 3)
    state = tuple(torch.randn(2, 4) for _ in range(made.state_count))
    with torch.no_grad():
        outputs, last = made(inputs, state)
        for step in range(5):
            output, state = made.advance(made.products(inputs[:, step]), state)
            torch.testing.assert_close(output, outputs[:, step])
    for one, other in zip(state, last, strict=True):
        torch.testing.assert_close(one, other)


class Same(nn.Module):
    """An attention that gives the summed memory to every query."""

    output_size = 1

    def prepare(self, memory: Memory) -> tuple[torch.Tensor, ...]:
        return (memory.states,)

    def start(self, memory: Memory) -> tuple[torch.Tensor, ...]:
        return ()

    def forward(self, query: torch.Tensor, prepared: tuple, state: tuple) -> Attended:  # type: ignore[type-arg]
        context = prepared[0].sum(1, keepdim=True).expand(-1, query.shape[1], -1)
        return Attended(context, context.new_ones(*query.shape[:2], 2), state)


def memory_of(first: float, second: float, summary: float) -> Memory:
    states = torch.tensor([[[first], [second]]])
    return Memory(states, torch.tensor([[True, True]]), torch.tensor([[summary]]))


@pytest.mark.parametrize(("made", "unit"), [(RnnDecoder, rnn), (GruDecoder, gru)])
@pytest.mark.parametrize("learning", [True, False])
def test_an_attending_decoder_joins_hidden_and_context_after_the_step(
    made: type[GruDecoder], unit: Unit, learning: bool
) -> None:
    decoder = made(1, 1, lambda _: Same(), hidden_size=1).train(learning)
    fill(decoder, 0.7)
    memory = memory_of(0.2, 0.3, 0.9)
    with torch.no_grad():
        embedded = torch.tensor([[[x] for x in INPUTS]])
        found = decoder(embedded, decoder.start(memory), decoder.prepare(memory))
    start = math.tanh(0.7 * 0.9 + 0.07)
    hidden = unit(INPUTS, 0.7, start)
    wanted = [math.tanh(0.7 * h + 0.7 * 0.5 + 0.07) for h in hidden]
    assert found.hidden[0, :, 0].tolist() == pytest.approx(wanted, abs=1e-6)
    assert found.state[0].shape == (1, 1, 1)
    assert float(found.state[0]) == pytest.approx(hidden[-1], abs=1e-6)


def test_a_context_decoder_gives_the_summary_to_every_step_and_to_the_output() -> None:
    decoder = GruContextDecoder(1, 1, None, hidden_size=1)
    fill(decoder, 0.7)
    memory = memory_of(5.0, 5.0, 0.9)
    with torch.no_grad():
        embedded = torch.tensor([[[x] for x in INPUTS]])
        found = decoder(embedded, decoder.start(memory), decoder.prepare(memory))
    start = math.tanh(0.7 * 0.9 + 0.07)
    hidden = gru([x + 0.9 for x in INPUTS], 0.7, start)  # both have the weight 0.7
    wanted = [math.tanh(0.7 * (h + x + 0.9) + 0.07) for h, x in zip(hidden, INPUTS, strict=True)]
    assert found.hidden[0, :, 0].tolist() == pytest.approx(wanted, abs=1e-6)
    assert not found.weights.any()


def test_reversing_within_lengths_leaves_padding_and_is_its_own_inverse() -> None:
    mask = torch.tensor([[True] * 4, [True, True, False, False], [False] * 4])
    rows = torch.tensor([[1.0, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]]).unsqueeze(2)
    turned = reordered(rows, mirrored_positions(mask))
    assert turned[:, :, 0].tolist() == [[4, 3, 2, 1], [6, 5, 7, 8], [9, 10, 11, 12]]
    assert torch.equal(reordered(turned, mirrored_positions(mask)), rows)


def test_dropout_acts_between_layers_only_while_learning() -> None:
    torch.manual_seed(0)
    encoder = GruEncoder(3, hidden_size=4, layers=2, dropout=0.5)
    mask = torch.ones(2, 3, dtype=torch.bool)
    question = torch.randn(2, 3, 3), mask, mask.long()
    assert not torch.equal(encoder(*question).states, encoder(*question).states)
    encoder.eval()
    assert torch.equal(encoder(*question).states, encoder(*question).states)


def test_a_decoder_drops_out_what_each_layer_gives() -> None:
    torch.manual_seed(0)
    decoder = GruDecoder(1, 1, lambda _: Same(), hidden_size=8, dropout=0.5)
    memory = memory_of(0.2, 0.3, 0.9)
    given = torch.zeros(1, 3, 1), decoder.start(memory), decoder.prepare(memory)
    assert not torch.equal(decoder(*given).hidden, decoder(*given).hidden)
