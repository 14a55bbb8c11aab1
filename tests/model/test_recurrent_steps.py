"""Decoders that go step by step, and the SSRU: by hand, dropout, gradients and what is refused."""

from __future__ import annotations

import math

import pytest
import torch
from recurrent_units import (
    BIAS,
    CorrectionMatch,
    Same,
    Scaled,
    Unit,
    W,
    fill,
    gru,
    lstm,
    memory_of,
    row,
    sigmoid,
)
from torch import Tensor

from chatseq.model.contracts import Decoded
from chatseq_rnn.bahdanau import BeforeDecoder, GruBahdanauDecoder, LstmBahdanauDecoder
from chatseq_rnn.context_vector import GruContextDecoder
from chatseq_rnn.decoder import AttendingDecoder
from chatseq_rnn.input_feeding import (
    FeedingDecoder,
    GruInputFeedingDecoder,
    LstmInputFeedingDecoder,
)
from chatseq_rnn.luong import GruDecoder
from chatseq_rnn.ssru import SsruDecoder, SsruLayer

INPUTS = [0.5, -1.0, 0.25]
TOTAL = 0.2 + 0.3  # of the memory
START = math.tanh(W * 0.9 + BIAS)  # what the bridge makes of the summary

EVERY = [
    GruDecoder,
    SsruDecoder,
    GruBahdanauDecoder,
    LstmBahdanauDecoder,
    GruInputFeedingDecoder,
    LstmInputFeedingDecoder,
]


def answered(decoder: AttendingDecoder, inputs: list[float] = INPUTS) -> Decoded:
    memory = memory_of(0.2, 0.3, 0.9)
    with torch.no_grad():
        found: Decoded = decoder(row(inputs), decoder.start(memory), decoder.prepare(memory))
    return found


def first(unit: Unit) -> CorrectionMatch:
    return (START, START) if unit is lstm else (START,)


@pytest.mark.parametrize("learning", [True, False])
@pytest.mark.parametrize(("made", "unit"), [(GruBahdanauDecoder, gru), (LstmBahdanauDecoder, lstm)])
def test_attending_before_the_step_asks_with_the_state_before(
    made: type[BeforeDecoder], unit: Unit, learning: bool
) -> None:
    decoder = made(1, 1, lambda _: Scaled(), hidden_size=1).train(learning)
    fill(decoder)
    with torch.no_grad():  # the larger of s and -s: hidden counts once, context twice, token thrice
        decoder.join.weight.copy_(torch.tensor([[1.0, 2.0, 3.0], [-1.0, -2.0, -3.0]]))
    state, wanted = first(unit), []
    for x in INPUTS:
        context = TOTAL * state[0]
        state = unit(x + context, W, state)
        wanted.append(abs(state[0] + 2 * context + 3 * x) + BIAS)
    found = answered(decoder)
    assert found.hidden[0, :, 0].tolist() == pytest.approx(wanted, abs=1e-6)
    assert [float(tensor) for tensor in found.state] == pytest.approx(state, abs=1e-6)


@pytest.mark.parametrize("learning", [True, False])
@pytest.mark.parametrize(
    ("made", "unit"), [(GruInputFeedingDecoder, gru), (LstmInputFeedingDecoder, lstm)]
)
def test_input_feeding_gives_each_step_the_vector_before(
    made: type[FeedingDecoder], unit: Unit, learning: bool
) -> None:
    decoder = made(1, 1, lambda _: Scaled(), hidden_size=1).train(learning)
    fill(decoder)
    state, vector, wanted = first(unit), 0.0, []
    for x in INPUTS:
        state = unit(x + vector, W, state)
        vector = math.tanh(W * state[0] + W * TOTAL * state[0] + BIAS)
        wanted.append(vector)
    found = answered(decoder)
    assert found.hidden[0, :, 0].tolist() == pytest.approx(wanted, abs=1e-6)
    assert [float(tensor) for tensor in found.state] == pytest.approx([*state, vector], abs=1e-6)


@pytest.mark.parametrize("learning", [True, False])
def test_an_ssru_forgets_and_takes_in_by_one_gate(learning: bool) -> None:
    decoder = SsruDecoder(1, 1, lambda _: Same(), hidden_size=1).train(learning)
    fill(decoder)
    cell, wanted = START, []
    for x in INPUTS:
        forget = sigmoid(W * x + BIAS)
        cell = forget * cell + (1 - forget) * W * x
        wanted.append(math.tanh(W * max(cell, 0.0) + W * TOTAL + BIAS))
    found = answered(decoder)
    assert found.hidden[0, :, 0].tolist() == pytest.approx(wanted, abs=1e-6)
    assert cell < 0  # so that the relu and the state differ
    assert float(found.state[0]) == pytest.approx(cell, abs=1e-6)


def test_an_upper_ssru_layer_reads_what_the_lower_one_gives() -> None:
    decoder = SsruDecoder(1, 1, lambda _: Same(), hidden_size=1, layers=2).eval()
    fill(decoder)
    cells = [START, START]
    for x in INPUTS:
        given = x
        for number in range(2):
            forget = sigmoid(W * given + BIAS)
            cells[number] = forget * cells[number] + (1 - forget) * W * given
            given = max(cells[number], 0.0)
    assert answered(decoder).state[0].flatten().tolist() == pytest.approx(cells, abs=1e-6)


def test_one_step_of_an_ssru_has_one_product_a_layer() -> None:
    layer = SsruLayer(3, 4)
    assert [tuple(p.shape) for p in layer.parameters() if p.dim() > 1] == [(8, 3)]


def test_an_ssru_whose_gate_is_shut_or_open_stays_exact() -> None:
    layer = SsruLayer(1, 2)
    with torch.no_grad():
        layer.project.weight.copy_(torch.tensor([[0.0], [0.0], [1.0], [1.0]]))
        layer.bias.copy_(torch.tensor([200.0, -200.0]))  # keeps all; keeps nothing
        outputs, _ = layer(row([3.0, 1e30, 5.0]), (torch.tensor([[7.0, 7.0]]),))
    assert outputs[0].tolist() == [[7.0, 3.0], [7.0, pytest.approx(1e30)], [7.0, 5.0]]


# What every decoder does.


def wide(made: type[AttendingDecoder], **options: float) -> AttendingDecoder:
    torch.manual_seed(0)
    return made(1, 1, lambda _: Same(), hidden_size=8, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("made", EVERY)
def test_dropout_leaves_out_the_same_columns_in_every_step(
    made: type[AttendingDecoder], layers: int
) -> None:
    decoder = wide(made, dropout=0.5, layers=layers)
    assert not torch.equal(answered(decoder).hidden, answered(decoder).hidden)
    decoder.eval()
    assert torch.equal(answered(decoder).hidden, answered(decoder).hidden)


def test_what_a_layer_keeps_is_drawn_once_a_target() -> None:
    stack = wide(GruBahdanauDecoder, dropout=0.25, layers=2).stack
    masks = stack.dropout_masks(torch.zeros(50, 3, 1))
    assert [tuple(mask.shape) for mask in masks] == [(50, 8), (50, 8)]
    shares = torch.stack(masks)
    torch.testing.assert_close(shares.unique(), torch.tensor([0.0, 1 / 0.75]))
    assert 0.65 < float((shares > 0).float().mean()) < 0.85
    assert stack.eval().dropout_masks(torch.zeros(50, 3, 1)) == []


@pytest.mark.parametrize("made", EVERY)
def test_the_last_output_teaches_the_first_token(made: type[AttendingDecoder]) -> None:
    decoder, memory = wide(made), memory_of(0.2, 0.3, 0.9)
    embedded = row(INPUTS).requires_grad_()
    found = decoder(embedded, decoder.start(memory), decoder.prepare(memory))
    found.hidden[0, -1].sum().backward()
    gradient: Tensor | None = embedded.grad
    assert gradient is not None
    assert gradient[0, 0].any()


@pytest.mark.parametrize("made", EVERY)
def test_the_vector_for_the_output_layer_can_have_its_own_width(
    made: type[AttendingDecoder],
) -> None:
    decoder = wide(made, output_size=5)
    assert decoder.output_size == 5
    assert answered(decoder).hidden.shape == (1, 3, 5)


@pytest.mark.parametrize("made", EVERY)
def test_a_decoder_without_an_attention_is_told_what_to_name(made: type[AttendingDecoder]) -> None:
    with pytest.raises(ValueError, match=r"no attention is named. Set model.attention.name=gen"):
        made(1, 1, None)


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ({"hidden_size": 0}, r"hidden_size \(0\) must be at least 1. Set it to 128"),
        ({"layers": 0}, r"layers \(0\) must be at least 1. Set it to 1 or 2"),
        ({"dropout": 1.0}, r"dropout \(1.0\) must be from 0 to below 1. Set it to 0.3"),
        ({"output_size": 0}, r"output_size \(0\) must be at least 1. Leave it out"),
    ],
)
@pytest.mark.parametrize("made", [*EVERY, GruContextDecoder])
def test_sizes_that_no_decoder_can_have_are_told(
    made: type[AttendingDecoder], option: dict[str, float], told: str
) -> None:
    attention = None if made is GruContextDecoder else lambda _: Same()
    with pytest.raises(ValueError, match=told):
        made(1, 1, attention, **option)  # type: ignore[arg-type]
