"""The encoder `your-part` keeps to what chatseq asks of encoders, and reads as it should."""

from __future__ import annotations

from math import tanh

import pytest
import torch
from chatseq.testing import contract_tests

from your_package.encoder import YourPart

test_contract = contract_tests("encoder", YourPart, name="your-part")


def test_three_tokens_are_read_with_their_neighbours() -> None:
    encoder = YourPart(1, hidden_size=1, width=3)
    with torch.no_grad():
        encoder.window.weight.fill_(1.0)
        encoder.window.bias.fill_(0.0)
    tokens = torch.tensor([[[0.1], [0.2], [0.3], [9.9]]])  # the last one is padding
    mask = torch.tensor([[True, True, True, False]])
    memory = encoder(tokens, mask, torch.zeros(1, 4).long())
    wanted = [tanh(0.1 + 0.2), tanh(0.1 + 0.2 + 0.3), tanh(0.2 + 0.3), 0.0]
    assert memory.states.flatten().tolist() == pytest.approx(wanted)
    assert memory.summary.item() == pytest.approx(sum(wanted) / 3)


def test_an_even_width_is_refused() -> None:
    with pytest.raises(ValueError, match=r"width \(4\) must be odd"):
        YourPart(6, width=4)
