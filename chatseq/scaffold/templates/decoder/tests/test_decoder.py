"""The decoder `your-part` keeps to what chatseq asks of decoders, and decodes as it should."""

from __future__ import annotations

from math import tanh

import pytest
import torch
from chatseq.model.contracts import Memory
from chatseq.testing import contract_tests

from your_package.decoder import YourPart

test_contract = contract_tests("decoder", YourPart, name="your-part")


def test_two_steps_of_a_unit_without_weights() -> None:
    decoder = YourPart(1, 1, None, hidden_size=1)
    with torch.no_grad():
        for parameter in decoder.parameters():
            parameter.fill_(0.0)
        decoder.begin.weight.fill_(1.0)
        decoder.join.weight.fill_(1.0)
    memory = Memory(torch.zeros(1, 3, 1), torch.ones(1, 3).bool(), torch.tensor([[0.8]]))
    tokens = torch.tensor([[[5.0], [7.0]]])
    found = decoder(tokens, decoder.start(memory), decoder.prepare(memory))
    # Gates without weights are half open, so that half of the state is forgotten in each step.
    begun = tanh(0.8)
    assert found.hidden.flatten().tolist() == pytest.approx([tanh(begun / 2), tanh(begun / 4)])
    assert found.state[0].item() == pytest.approx(begun / 4)
    assert found.weights.tolist() == [[[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]]
