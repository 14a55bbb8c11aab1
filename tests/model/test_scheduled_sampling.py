"""Scheduled sampling: which tokens change, into what, and that the loss stays that of the truth."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from chatseq.core.plugins import Registry
from chatseq.core.recipe import load_recipe
from chatseq.model.batch import Batch
from chatseq.model.build import build_model
from chatseq.model.scheduled_sampling import Places, ScheduledSampling, with_own_tokens
from chatseq.model.seq2seq import Seq2Seq
from chatseq.text.tokenizer import END_ID, PAD_ID, START_ID

VOCABULARY = 20
ANSWERS = torch.tensor([[5, 6, 7, END_ID], [8, END_ID, PAD_ID, PAD_ID]])
SMALL = (
    "model.embedding_size=8",
    "model.encoder.hidden_size=6",
    "model.decoder.hidden_size=12",
    "model.dropout=0.0",
    "question.features=0",
)


def certain(token: int) -> Tensor:
    """Log-probabilities of a model that says this token alone."""
    return torch.full((VOCABULARY,), -1e9).index_fill(0, torch.tensor(token), 0.0)


def mixed(own: ScheduledSampling, *, says: int = 9) -> list[list[int]]:
    def predict(places: Places) -> Tensor:
        return certain(says).expand(len(places[0]), -1)

    return with_own_tokens(ANSWERS, ANSWERS != PAD_ID, own, predict).tolist()


@pytest.fixture
def model(registry: Registry) -> Seq2Seq:
    torch.manual_seed(0)
    return build_model(registry, load_recipe("tiny").apply(SMALL), VOCABULARY)


def batch(answers: Tensor = ANSWERS) -> Batch:
    questions = torch.tensor([[4, 5, END_ID], [6, END_ID, PAD_ID]])
    return Batch(questions, questions != PAD_ID, None, answers, answers != PAD_ID)


@pytest.mark.parametrize("argmax", [True, False])
def test_a_share_of_one_replaces_all_tokens_but_end_marks_and_padding(argmax: bool) -> None:
    found = mixed(ScheduledSampling(1.0, argmax))
    assert found == [[9, 9, 9, END_ID], [9, END_ID, PAD_ID, PAD_ID]]


def test_a_share_of_nothing_replaces_nothing() -> None:
    assert mixed(ScheduledSampling(0.0)) == ANSWERS.tolist()


def test_where_the_model_would_end_the_true_token_stays() -> None:
    assert mixed(ScheduledSampling(1.0), says=END_ID) == ANSWERS.tolist()


def test_a_share_between_replaces_about_so_many() -> None:
    torch.manual_seed(3)
    answers = torch.full((50, 101), 5)
    answers[:, -1] = END_ID

    def predict(places: Places) -> Tensor:
        return certain(9).expand(len(places[0]), -1)

    found = with_own_tokens(answers, answers != PAD_ID, ScheduledSampling(0.3), predict)
    assert float((found[:, :-1] == 9).float().mean()) == pytest.approx(0.3, abs=0.02)


def test_drawn_tokens_follow_the_probabilities_and_the_likeliest_does_not_vary() -> None:
    torch.manual_seed(3)
    answers = torch.full((40, 50), 5)
    log_probs = torch.full((VOCABULARY,), -1e9)
    log_probs[7], log_probs[8] = torch.log(torch.tensor([0.25, 0.75]))

    def predict(places: Places) -> Tensor:
        return log_probs.expand(len(places[0]), -1)

    drawn = with_own_tokens(answers, answers != PAD_ID, ScheduledSampling(1.0), predict)
    assert float((drawn == 7).float().mean()) == pytest.approx(0.25, abs=0.03)
    assert set(drawn.flatten().tolist()) == {7, 8}
    likeliest = with_own_tokens(
        answers, answers != PAD_ID, ScheduledSampling(1.0, argmax=True), predict
    )
    assert set(likeliest.flatten().tolist()) == {8}


def test_the_same_seed_chooses_the_same(model: Seq2Seq) -> None:
    def loss(seed: int) -> float:
        torch.manual_seed(seed)
        return float(model.loss(batch(), own=ScheduledSampling(0.5)).total.detach())

    assert loss(1) == loss(1)
    assert len({loss(seed) for seed in range(8)}) > 1


def test_predictions_are_those_of_the_steps(model: Seq2Seq) -> None:
    """What the first pass says of a place is what decoding would say after the true tokens."""
    model.eval()
    ids, mask, _, answers, _ = batch()
    memory, state = model.encode(ids, mask)
    token, wanted = torch.tensor([START_ID] * 2), []
    for column in answers.unbind(1):
        log_probs, state, _ = model.step(token, state, memory)
        wanted.append(log_probs.argmax(1))
        token = column
    said = torch.stack(wanted, 1)
    kept = (answers == END_ID) | (answers == PAD_ID) | (said == END_ID)
    mixed_answers = torch.where(kept, answers, said)
    assert not torch.equal(mixed_answers, answers)
    fed = model._with_own_tokens(
        model.encode(ids, mask), batch(), ScheduledSampling(1.0, argmax=True)
    )
    assert fed.tolist() == mixed_answers.tolist()


def test_the_loss_is_of_the_true_tokens_after_those_fed_in(
    model: Seq2Seq, monkeypatch: pytest.MonkeyPatch
) -> None:
    fed = [[9, 10, 11, END_ID], [12, END_ID, PAD_ID, PAD_ID]]
    monkeypatch.setattr(Seq2Seq, "_with_own_tokens", lambda *given: torch.tensor(fed))
    found = model.loss(batch(), own=ScheduledSampling(0.5))
    wanted = 0.0
    ids, mask, *_ = batch()
    for row, (before, after) in enumerate(zip(fed, ANSWERS.tolist(), strict=True)):
        memory, state = model.encode(ids[row : row + 1], mask[row : row + 1])
        for token, true in zip([START_ID, *before], after, strict=False):
            if true == PAD_ID:
                break
            log_probs, state, _ = model.step(torch.tensor([token]), state, memory)
            wanted -= float(log_probs[0, true].detach())
    assert float(found.total.detach()) == pytest.approx(wanted, rel=1e-5)
    assert found.tokens == 6


def test_no_gradient_goes_through_the_first_pass(
    model: Seq2Seq, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gradient is that of a model which was simply given the mixed tokens."""

    def gradient() -> Tensor:
        model.zero_grad()
        torch.manual_seed(5)
        model.loss(batch(), own=ScheduledSampling(1.0, argmax=True)).total.backward()
        return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])

    found = gradient()
    started = model.encode(*batch()[:2])
    fed = model._with_own_tokens(started, batch(), ScheduledSampling(1.0, argmax=True))
    monkeypatch.setattr(Seq2Seq, "_with_own_tokens", lambda *given: fed)
    torch.testing.assert_close(gradient(), found)


@pytest.mark.parametrize("own", [None, ScheduledSampling(0.0)])
def test_without_a_share_there_is_no_first_pass_and_no_chance_is_used(
    model: Seq2Seq, monkeypatch: pytest.MonkeyPatch, own: ScheduledSampling | None
) -> None:
    monkeypatch.setattr(Seq2Seq, "_with_own_tokens", None)
    before = torch.get_rng_state()
    model.loss(batch(), own=own)
    assert torch.equal(torch.get_rng_state(), before)


def test_numbers_that_are_not_finite_reach_the_loss_instead_of_an_error(model: Seq2Seq) -> None:
    with torch.no_grad():
        model.bias.fill_(float("nan"))
    assert not model.loss(batch(), own=ScheduledSampling(1.0)).total.isfinite()
