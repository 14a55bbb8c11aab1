"""The attention `your-part` keeps to what chatseq asks of attentions, and weighs as it should."""

from __future__ import annotations

from math import exp, sqrt

import pytest
import torch
from chatseq.model.contracts import Memory
from chatseq.testing import contract_tests

from your_package.attention import YourPart

test_contract = contract_tests("attention", YourPart, name="your-part")


@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_two_tokens_are_weighed_by_their_products(temperature: float) -> None:
    attention = YourPart(2, 2, temperature=temperature)
    with torch.no_grad():
        attention.project.weight.copy_(torch.eye(2))
    states = torch.tensor([[[1.0, 0.0], [0.0, 3.0]]])
    memory = Memory(states, torch.ones(1, 2).bool(), torch.zeros(1, 2))
    query = torch.tensor([[[2.0, 1.0]]])
    found = attention(query, attention.prepare(memory), attention.start(memory))
    # query · memory is 2 · 1 = 2 for the first token and 1 · 3 = 3 for the second.
    one, other = (exp(product / sqrt(2) / temperature) for product in (2.0, 3.0))
    shares = one / (one + other), other / (one + other)
    assert found.weights.flatten().tolist() == pytest.approx(shares)
    assert found.context.flatten().tolist() == pytest.approx((shares[0], 3 * shares[1]))
