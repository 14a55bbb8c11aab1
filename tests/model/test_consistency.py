"""The loss for answering a question differently when other numbers are dropped out."""

from __future__ import annotations

import math

import pytest
import torch

from chatseq.core.plugins import Registry
from chatseq.core.recipe import load_recipe
from chatseq.model.batch import Batch
from chatseq.model.build import build_model
from chatseq.model.loss import consistency_loss
from chatseq.model.seq2seq import Seq2Seq
from chatseq.text.tokenizer import END_ID, PAD_ID

QUESTIONS = torch.tensor([[3, 4, 5, END_ID], [8, END_ID, PAD_ID, PAD_ID]])
ANSWERS = torch.tensor([[6, 7, END_ID], [9, END_ID, PAD_ID]])
BATCH = Batch(QUESTIONS, QUESTIONS != PAD_ID, None, ANSWERS, ANSWERS != PAD_ID)
SMALL = [
    "model.embedding_size=8",
    "model.encoder.hidden_size=6",
    "model.decoder.hidden_size=12",
    "model.dropout=0.3",
    "question.features=0",
]


def logs(*shares: float) -> list[float]:
    return [math.log(share) for share in shares]


def test_it_is_the_mean_of_both_divergences() -> None:
    one_to_other = 0.5 * math.log(0.5 / 0.25) + 0.5 * math.log(0.5 / 0.75)
    other_to_one = 0.25 * math.log(0.25 / 0.5) + 0.75 * math.log(0.75 / 0.5)
    found = consistency_loss(torch.tensor([logs(0.5, 0.5), logs(0.25, 0.75)]))
    assert float(found) == pytest.approx((one_to_other + other_to_one) / 2, abs=1e-6)


def test_it_adds_up_over_tokens_each_beside_its_second_reading() -> None:
    pair = torch.tensor([logs(0.5, 0.5), logs(0.25, 0.75)])
    alike = torch.tensor([logs(0.9, 0.1)])
    both = torch.cat([pair[:1], alike, pair[1:], alike])
    assert float(consistency_loss(both)) == pytest.approx(float(consistency_loss(pair)), abs=1e-6)


def test_what_is_impossible_in_both_readings_makes_no_difference() -> None:
    rows = torch.tensor([[0.0, -1e9], [0.0, -1e9]])
    assert float(consistency_loss(rows)) == 0.0


@pytest.fixture
def learning(registry: Registry) -> Seq2Seq:
    torch.manual_seed(0)
    return build_model(registry, load_recipe("tiny").apply(SMALL), 70)


def test_without_dropout_a_model_agrees_with_itself(learning: Seq2Seq) -> None:
    learning.eval()
    plain, consistent = learning.loss(BATCH), learning.loss(BATCH, consistency=5.0)
    assert float(consistent.total.detach()) == pytest.approx(float(plain.total.detach()), rel=1e-5)
    assert consistent.tokens == plain.tokens


def test_with_dropout_its_disagreement_counts_by_its_weight(learning: Seq2Seq) -> None:
    def total(weight: float) -> float:
        torch.manual_seed(1)
        return float(learning.loss(BATCH, consistency=weight).total.detach())

    apart = total(2.0) - total(1.0)
    assert apart > 1e-3
    assert total(4.0) - total(2.0) == pytest.approx(2 * apart, rel=1e-3)


def test_learning_from_it_makes_a_model_agree_with_itself(learning: Seq2Seq) -> None:
    def disagreement() -> float:
        torch.manual_seed(2)
        much = float(learning.loss(BATCH, consistency=2.0).total.detach())
        torch.manual_seed(2)
        return much - float(learning.loss(BATCH, consistency=1.0).total.detach())

    before = disagreement()
    optimiser = torch.optim.SGD(learning.parameters(), lr=0.05)
    for step in range(60):
        torch.manual_seed(step)
        optimiser.zero_grad()
        learning.loss(BATCH, consistency=20.0).total.backward()
        optimiser.step()
    assert disagreement() < 0.8 * before
