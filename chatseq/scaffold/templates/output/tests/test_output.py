"""The output layer `your-part` keeps to what chatseq asks of them, and scores as it should."""

from __future__ import annotations

from math import exp, log

import pytest
import torch
from chatseq.model.contracts import Readout, Vocabulary
from chatseq.testing import contract_tests

from your_package.output import YourPart

test_contract = contract_tests("output", YourPart, name="your-part")


def example() -> tuple[YourPart, Readout, Vocabulary]:
    output = YourPart(2, 2, False, scale=10.0)
    with torch.no_grad():
        output.to_embedding.weight.copy_(torch.eye(2))
    hidden = torch.tensor([[3.0, 4.0]])  # 5 long
    vectors = torch.tensor([[7.0, 0.0], [0.0, 0.1], [1.0, 1.0]])
    allowed = torch.tensor([True, True, False])
    readout = Readout(hidden, torch.zeros(1, 2), torch.zeros(1, 1), None)
    return output, readout, Vocabulary(vectors, torch.tensor([0.0, 0.5, 9.0]), allowed)


def test_tokens_are_scored_by_direction_alone() -> None:
    output, readout, vocabulary = example()
    # The cosines are 3/5 and 4/5, however long the vectors are; the third token is not allowed.
    first, second = exp(10 * 0.6), exp(10 * 0.8 + 0.5)
    wanted = [log(first / (first + second)), log(second / (first + second))]
    assert output(readout, vocabulary)[0, :2].tolist() == pytest.approx(wanted, abs=1e-5)
    assert output(readout, vocabulary)[0, 2] < -1e8


def test_the_loss_is_shared_by_label_smoothing() -> None:
    output, readout, vocabulary = example()
    one, other = output(readout, vocabulary)[0, :2].tolist()
    loss = output.loss(readout, torch.tensor([1]), vocabulary, label_smoothing=0.2)
    assert loss.item() == pytest.approx(-0.8 * other - 0.2 * (one + other) / 2)
