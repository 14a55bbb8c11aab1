"""First weights: what each kind of module begins with, and a part's own wish."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from chatseq.model.embedding import FeatureEmbedding
from chatseq.model.initialise import initialise


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM])
def test_recurrent_matrices_keep_the_length_of_a_state(kind: type[nn.RNNBase]) -> None:
    layer = kind(5, 6)  # type: ignore[call-arg]
    initialise(layer)
    for gate in layer.weight_hh_l0.split(6):
        torch.testing.assert_close(gate @ gate.t(), torch.eye(6), atol=1e-5, rtol=0)
    assert not layer.bias_hh_l0.any()


def test_an_lstm_begins_by_remembering() -> None:
    layer = nn.LSTM(5, 6)
    initialise(layer)
    assert layer.bias_ih_l0.tolist() == [0.0] * 6 + [1.0] * 6 + [0.0] * 12
    assert not layer.bias_hh_l0.any()


def test_embeddings_are_short_enough_for_the_output_layer() -> None:
    table = nn.Embedding(500, 64)
    initialise(table)
    assert float(table.weight.detach().norm(dim=1).mean()) == pytest.approx(1.0, abs=0.05)


def test_linear_layers_have_no_bias_at_first() -> None:
    layer = nn.Linear(30, 20)
    initialise(layer)
    assert not layer.bias.any()
    assert float(layer.weight.detach().std()) == pytest.approx((2 / 50) ** 0.5, rel=0.1)


def test_the_row_for_no_feature_is_zero() -> None:
    module = nn.Sequential(FeatureEmbedding(10, 4))
    initialise(module)
    table = next(module.parameters())
    assert not table[0].any()
    assert table[1:].all()


def test_the_row_for_no_feature_never_learns() -> None:
    module = FeatureEmbedding(10, 4)
    module(torch.tensor([[[3, 0, 0]]])).sum().backward()
    gradient = module.table.weight.grad
    assert gradient is not None
    assert gradient[3].any()
    assert not gradient[0].any()


def test_a_part_may_set_its_own_first_weights_last() -> None:
    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(2, 2)

        def initialise(self) -> None:
            with torch.no_grad():
                self.linear.weight.fill_(7.0)

    module = nn.Sequential(Own())
    initialise(module)
    assert set(next(module.parameters()).flatten().tolist()) == {7.0}
