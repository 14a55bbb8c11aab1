"""Dropout: one choice a row, the mean kept, nothing where nothing is learnt."""

from __future__ import annotations

import pytest
import torch

from chatseq.model.dropout import variational_dropout


def test_a_column_is_left_out_of_all_steps_or_of_none() -> None:
    torch.manual_seed(0)
    found = variational_dropout(torch.ones(3, 5, 40), 0.5, training=True)
    assert torch.equal(found, found[:, :1].expand(-1, 5, -1))
    assert set(found.unique().tolist()) == {0.0, 2.0}
    assert not torch.equal(found[0], found[1])


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5])
def test_the_share_is_left_out_and_the_mean_is_kept(share: float) -> None:
    torch.manual_seed(0)
    found = variational_dropout(torch.ones(200, 500), share, training=True)
    assert float((found == 0).float().mean()) == pytest.approx(share, abs=0.01)
    assert float(found.mean()) == pytest.approx(1.0, abs=0.02)


def test_nothing_is_left_out_without_learning_or_share() -> None:
    numbers = torch.randn(2, 3, 4)
    assert variational_dropout(numbers, 0.5, training=False) is numbers
    assert variational_dropout(numbers, 0.0, training=True) is numbers


def test_equal_seeds_leave_out_the_same() -> None:
    numbers = torch.randn(2, 3, 4)
    torch.manual_seed(3)
    one = variational_dropout(numbers, 0.5, training=True)
    torch.manual_seed(3)
    assert torch.equal(one, variational_dropout(numbers, 0.5, training=True))
