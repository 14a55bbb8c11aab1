"""Recurrent encoders and decoders against examples of one unit, worked out with plain numbers."""

from __future__ import annotations

import math

import pytest
import torch
from recurrent_units import (
    BIAS,
    Same,
    Unit,
    W,
    fill,
    gru,
    lstm,
    memory_of,
    outputs,
    rnn,
    row,
)

from chatseq_rnn.context_vector import GruContextDecoder, RnnContextDecoder
from chatseq_rnn.encoder import (
    GruEncoder,
    LstmEncoder,
    RecurrentEncoder,
    RnnEncoder,
    mirrored_positions,
    reordered,
)
from chatseq_rnn.layers import GruLayer, LstmLayer, RnnLayer
from chatseq_rnn.luong import AfterDecoder, GruDecoder, LstmDecoder, RnnDecoder
from chatseq_rnn.ssru import SsruLayer

INPUTS = [0.5, -1.0]


@pytest.mark.parametrize(
    ("encoder", "unit"), [(RnnEncoder, rnn), (GruEncoder, gru), (LstmEncoder, lstm)]
)
def test_an_encoder_reads_forwards_and_backwards(
    encoder: type[RecurrentEncoder], unit: Unit
) -> None:
    made = encoder(1, hidden_size=1)
    fill(made)
    mask = torch.tensor([[True, True, False]])
    with torch.no_grad():
        memory = made(row([*INPUTS, 9.0]), mask, torch.zeros_like(mask))  # the third is padding
    forwards, backwards = outputs(unit, INPUTS), outputs(unit, INPUTS[::-1])[::-1]
    assert memory.states[0, :, 0].tolist() == pytest.approx([*forwards, 0.0], abs=1e-6)
    assert memory.states[0, :, 1].tolist() == pytest.approx([*backwards, 0.0], abs=1e-6)


def test_the_summary_is_made_of_both_ends_and_the_mean() -> None:
    made = GruEncoder(1, hidden_size=1)
    fill(made)
    with torch.no_grad():
        made.summarise.weight.copy_(torch.tensor([[1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 0.0, 0.0]]))
        mask = torch.tensor([[True, True]])
        memory = made(row(INPUTS), mask, torch.zeros_like(mask))
    forwards, backwards = outputs(gru, INPUTS), outputs(gru, INPUTS[::-1])
    total = forwards[-1] + 2 * backwards[-1] + 3 * sum(forwards) / 2 + 4 * sum(backwards) / 2
    assert memory.summary[0].tolist() == pytest.approx(
        [math.tanh(total + BIAS), math.tanh(BIAS)], abs=1e-6
    )


def test_the_summary_after_earlier_turns_is_that_of_the_question() -> None:
    """Only the forward direction has read what was said before."""
    made = GruEncoder(1, hidden_size=1)
    fill(made)
    earlier = [0.3, 0.7, -0.2]
    turns = torch.tensor([[2, 1, 1, 0, 0, 0]])
    with torch.no_grad():
        made.summarise.weight.copy_(torch.tensor([[1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 0.0, 0.0]]))
        mask = torch.tensor([[True] * 5 + [False]])
        memory = made(row([*earlier, *INPUTS, 9.0]), mask, turns)
    forwards, backwards = outputs(gru, [*earlier, *INPUTS])[3:], outputs(gru, INPUTS[::-1])
    total = forwards[-1] + 2 * backwards[-1] + 3 * sum(forwards) / 2 + 4 * sum(backwards) / 2
    assert float(memory.summary[0, 0]) == pytest.approx(math.tanh(total + BIAS), abs=1e-6)


def test_a_forward_encoder_sums_up_the_question_too() -> None:
    made = RnnEncoder(1, hidden_size=1, bidirectional=False)
    fill(made)
    with torch.no_grad():
        made.summarise.weight.copy_(torch.tensor([[1.0, 2.0]]))
        mask = torch.tensor([[True] * 3])
        memory = made(row([0.3, *INPUTS]), mask, torch.tensor([[1, 0, 0]]))
    states = outputs(rnn, [0.3, *INPUTS])[1:]
    wanted = math.tanh(states[-1] + 2 * sum(states) / 2 + BIAS)
    assert float(memory.summary) == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("layer", [RnnLayer, GruLayer, LstmLayer, SsruLayer])
def test_a_step_is_what_the_layer_does_over_a_whole_sequence(layer: type[GruLayer]) -> None:
    torch.manual_seed(0)
    made = layer(3, 4)
    inputs = torch.randn(2, 5, 3)
    state = tuple(torch.randn(2, 4) for _ in range(made.state_count))
    with torch.no_grad():
        whole, last = made(inputs, state)
        for step in range(5):
            gate_inputs = made.gate_inputs(inputs[:, step])
            assert gate_inputs.shape == (2, made.gate_inputs_size)
            output, state = made.advance(gate_inputs, state)
            torch.testing.assert_close(output, whole[:, step])
    for one, other in zip(state, last, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize(
    ("made", "unit"), [(RnnDecoder, rnn), (GruDecoder, gru), (LstmDecoder, lstm)]
)
@pytest.mark.parametrize("learning", [True, False])
def test_an_attending_decoder_joins_hidden_and_context_after_the_step(
    made: type[AfterDecoder], unit: Unit, learning: bool
) -> None:
    decoder = made(1, 1, lambda _: Same(), hidden_size=1).train(learning)
    fill(decoder)
    memory = memory_of(0.2, 0.3, 0.9)
    with torch.no_grad():
        found = decoder(row(INPUTS), decoder.start(memory), decoder.prepare(memory))
    hidden = outputs(unit, INPUTS, math.tanh(W * 0.9 + BIAS))
    wanted = [math.tanh(W * h + W * 0.5 + BIAS) for h in hidden]
    assert found.hidden[0, :, 0].tolist() == pytest.approx(wanted, abs=1e-6)
    assert found.state[0].shape == (1, 1, 1)
    assert float(found.state[0]) == pytest.approx(hidden[-1], abs=1e-6)


@pytest.mark.parametrize(("made", "unit"), [(RnnContextDecoder, rnn), (GruContextDecoder, gru)])
def test_a_context_decoder_gives_the_summary_to_every_step_and_to_the_output(
    made: type[GruContextDecoder], unit: Unit
) -> None:
    decoder = made(1, 1, None, hidden_size=1)
    fill(decoder)
    memory = memory_of(5.0, 5.0, 0.9)
    with torch.no_grad():
        found = decoder(row(INPUTS), decoder.start(memory), decoder.prepare(memory))
    # The summary and a token have the same weight, so that a unit reads their sum.
    hidden = outputs(unit, [x + 0.9 for x in INPUTS], math.tanh(W * 0.9 + BIAS))
    wanted = [math.tanh(W * (h + x + 0.9) + BIAS) for h, x in zip(hidden, INPUTS, strict=True)]
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
    question = torch.randn(2, 3, 3), mask, torch.zeros_like(mask)
    assert not torch.equal(encoder(*question).states, encoder(*question).states)
    encoder.eval()
    assert torch.equal(encoder(*question).states, encoder(*question).states)
