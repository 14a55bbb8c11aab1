"""The convolutional encoder against an example of one unit, and what its layers may not see."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from chatseq.model.initialise import initialise
from chatseq.testing import broken, check_part
from chatseq_convolution.encoder import ConvolutionalEncoder, GatedConvolution

HALF = math.sqrt(0.5)
TOKENS = [0.5, -1.0, 2.0]
VALUE, GATE = [1.0, 2.0, -0.5], [0.25, -1.0, 0.75]  # weights of left, own and right neighbour
BIASES = [0.1, -0.2]  # of value and gate


def set_(parameter: Tensor, values: object) -> None:
    with torch.no_grad():
        parameter.copy_(torch.tensor(values))


def gated(tokens: list[float]) -> list[float]:
    """One layer of one unit, its neighbours taken one by one."""
    row = [0.0, *tokens, 0.0]
    found = []
    for place, token in enumerate(tokens):
        window = row[place : place + 3]
        value = sum(w * x for w, x in zip(VALUE, window, strict=True)) + BIASES[0]
        gate = sum(w * x for w, x in zip(GATE, window, strict=True)) + BIASES[1]
        found.append((value / (1 + math.exp(-gate)) + token) * HALF)
    return found


def encoder_of(layers: int) -> ConvolutionalEncoder:
    """Return an encoder of one unit whose tokens enter as they are."""
    encoder = ConvolutionalEncoder(1, hidden_size=1, layers=layers)
    set_(encoder.enter.weight, [[1.0]])
    set_(encoder.enter.bias, [0.0])
    nn.init.zeros_(encoder.positions.weight)
    for layer in encoder.layers:
        set_(layer.convolve.weight, [[VALUE], [GATE]])
        set_(layer.convolve.bias, BIASES)
    return encoder


def read(encoder: ConvolutionalEncoder, row: list[float], length: int) -> Any:
    mask = torch.arange(len(row)).unsqueeze(0) < length
    with torch.no_grad():
        return encoder(torch.tensor(row).view(1, -1, 1), mask, mask.long())


@pytest.mark.parametrize("layers", [1, 2])
def test_a_state_is_made_of_gated_neighbours_and_the_token(layers: int) -> None:
    wanted = TOKENS
    for _ in range(layers):
        wanted = gated(wanted)
    wanted = [(state + token) * HALF for state, token in zip(wanted, TOKENS, strict=True)]
    memory = read(encoder_of(layers), [*TOKENS, 9.0, 9.0], 3)  # the last two are padding
    assert memory.states.flatten().tolist() == pytest.approx([*wanted, 0.0, 0.0], abs=1e-6)
    assert float(memory.summary) == pytest.approx(sum(wanted) / 3, abs=1e-6)


def test_positions_are_added_to_tokens_and_the_last_serves_all_beyond() -> None:
    encoder = ConvolutionalEncoder(1, hidden_size=1, layers=1, max_positions=2)
    set_(encoder.enter.weight, [[1.0]])
    set_(encoder.enter.bias, [0.0])
    set_(encoder.positions.weight, [[10.0], [20.0]])
    for parameter in encoder.layers.parameters():
        nn.init.zeros_(parameter)
    found = read(encoder, [1.0, 2.0, 3.0], 3).states.flatten().tolist()
    placed = [11.0, 22.0, 23.0]  # value and gate are 0: what is left is the shortcut
    assert found == pytest.approx([(x * HALF + x) * HALF for x in placed], abs=1e-5)


@pytest.mark.parametrize(("layers", "kernel_size", "reach"), [(1, 3, 1), (2, 3, 2), (2, 5, 4)])
def test_a_state_sees_as_far_as_its_layers_reach(layers: int, kernel_size: int, reach: int) -> None:
    torch.manual_seed(0)
    encoder = ConvolutionalEncoder(1, hidden_size=4, layers=layers, kernel_size=kernel_size)
    one, other = (read(encoder, [0.0] * 6 + [x] + [0.0] * 6, 13).states[0] for x in (0.0, 1.0))
    changed = (one != other).any(1)
    assert changed.nonzero().flatten().tolist() == list(range(6 - reach, 7 + reach))


@pytest.mark.slow("every check once more for other options")
@pytest.mark.parametrize("options", [{"layers": 1}, {"layers": 3}, {"kernel_size": 1}], ids=str)
def test_it_keeps_the_contract(options: dict[str, Any]) -> None:
    given = {option: [value] for option, value in options.items()}
    assert broken(check_part("encoder", ConvolutionalEncoder, options=given)) == []


def test_a_new_layer_keeps_the_variance_of_its_input() -> None:
    torch.manual_seed(0)
    layer = nn.Sequential(GatedConvolution(128, 3, 0.0))[0]
    initialise(layer)
    states = torch.randn(8, 50, 128)
    with torch.no_grad():
        found = layer(states, torch.zeros(8, 50, 1, dtype=torch.bool))
    assert float(found[:, 1:-1].std()) == pytest.approx(1.0, abs=0.1)


def test_dropout_acts_only_while_learning() -> None:
    torch.manual_seed(0)
    encoder = ConvolutionalEncoder(1, hidden_size=8, dropout=0.5)
    one, other = (read(encoder, TOKENS, 3).states for _ in range(2))
    assert not torch.equal(one, other)
    encoder.eval()
    one, other = (read(encoder, TOKENS, 3).states for _ in range(2))
    assert torch.equal(one, other)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"hidden_size": 0}, r"hidden_size \(0\) must be at least 1. Set it to 128 or more"),
        ({"layers": 0}, r"layers \(0\) must be at least 1. Set it to 4"),
        ({"kernel_size": 4}, r"kernel_size \(4\) must be an odd number. Set it to 3 or 5"),
        ({"kernel_size": -1}, r"kernel_size \(-1\) must be an odd number"),
        ({"dropout": 1.0}, r"dropout \(1.0\) must be from 0 to below 1"),
        ({"max_positions": 0}, r"max_positions \(0\) must be at least 1. Set it to 512"),
    ],
)
def test_values_that_do_not_fit_are_refused(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        ConvolutionalEncoder(4, **options)
