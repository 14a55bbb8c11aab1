"""The joined network: loss, padding, batches, steps, and what may never be generated."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from chatseq.core.errors import PartError
from chatseq.core.plugins import Registry
from chatseq.core.recipe import Recipe, load_recipe
from chatseq.model.batch import Batch
from chatseq.model.build import build_model
from chatseq.model.seq2seq import Seq2Seq, turns_back
from chatseq.text.tokenizer import END_ID, PAD_ID, START_ID

VOCABULARY = 70  # not a multiple of 64
SMALL = [
    "model.embedding_size=8",
    "model.encoder.hidden_size=6",
    "model.decoder.hidden_size=12",
    "question.features=3",
    "question.feature_buckets=16",
]


def recipe(*overrides: str) -> Recipe:
    return load_recipe("tiny").apply([*SMALL, *overrides])


@pytest.fixture
def model(registry: Registry) -> Seq2Seq:
    torch.manual_seed(0)
    return build_model(registry, recipe(), VOCABULARY).eval()


def padded(rows: list[list[int]]) -> Tensor:
    longest = max(map(len, rows))
    return torch.tensor([row + [PAD_ID] * (longest - len(row)) for row in rows])


def batch(*pairs: tuple[list[int], list[int]]) -> Batch:
    questions, answers = padded([q for q, _ in pairs]), padded([a for _, a in pairs])
    features = questions.unsqueeze(2) % 16 * torch.tensor([1, 1, 0])
    return Batch(questions, questions != PAD_ID, features, answers, answers != PAD_ID)


ONE = ([3, 4, 5, END_ID], [6, 7, END_ID])
TWO = ([8, END_ID], [9, 10, 11, 12, END_ID])


def test_the_loss_of_a_batch_is_the_sum_of_its_rows(model: Seq2Seq) -> None:
    together = model.loss(batch(ONE, TWO), label_smoothing=0.1)
    apart = [model.loss(batch(pair), label_smoothing=0.1) for pair in (ONE, TWO)]
    assert together.tokens == 8
    torch.testing.assert_close(together.total, apart[0].total + apart[1].total)


def test_the_loss_is_the_sum_of_the_steps_log_probabilities(model: Seq2Seq) -> None:
    found = model.loss(batch(ONE))
    ids, mask, features, answers, _ = batch(ONE)
    with torch.no_grad():
        memory, state = model.encode(ids, mask, features)
        token, total = torch.tensor([START_ID]), 0.0
        for wanted in answers[0]:
            log_probs, state, _ = model.step(token, state, memory)
            total -= float(log_probs[0, wanted])
            token = wanted.view(1)
    assert float(found.total.detach()) == pytest.approx(total, rel=1e-5)


def test_a_new_model_knows_nothing(model: Seq2Seq) -> None:
    total, tokens = model.loss(batch(ONE, TWO))
    assert float(total.detach()) / tokens == pytest.approx(math.log(VOCABULARY - 2), rel=0.3)


def test_every_parameter_learns(model: Seq2Seq) -> None:
    model.train()
    model.loss(batch(ONE, TWO), label_smoothing=0.1).total.backward()
    assert [n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_a_pair_is_learnt_by_heart(registry: Registry) -> None:
    torch.manual_seed(1)
    model = build_model(registry, recipe("model.dropout=0.0"), VOCABULARY)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.02)
    for _ in range(200):
        optimizer.zero_grad()
        total, tokens = model.loss(batch(ONE, TWO))
        (total / tokens).backward()
        optimizer.step()
    assert float(total.detach()) / tokens < 0.1


def test_padding_and_the_start_mark_are_never_probable(model: Seq2Seq) -> None:
    ids, mask, features, _, _ = batch(ONE)
    with torch.no_grad():
        memory, state = model.encode(ids, mask, features)
        log_probs = model.step(torch.tensor([START_ID]), state, memory).log_probs
    assert log_probs.shape == (1, VOCABULARY)
    assert log_probs[0, [PAD_ID, START_ID]].max() < -1e8
    assert float(log_probs.exp().sum()) == pytest.approx(1.0, abs=1e-5)
    assert log_probs.isfinite().all()


def test_rows_that_fill_up_the_vocabulary_never_learn(model: Seq2Seq) -> None:
    model.loss(batch(ONE, TWO), label_smoothing=0.1).total.backward()
    gradient = model.embedding.weight.grad
    assert gradient is not None
    assert gradient.shape[0] == 128
    assert not gradient[VOCABULARY:].any()


def test_weights_of_attention_come_back_with_every_step(model: Seq2Seq) -> None:
    ids, mask, features, _, _ = batch(ONE, TWO)
    with torch.no_grad():
        memory, state = model.encode(ids, mask, features)
        weights = model.step(torch.tensor([START_ID] * 2), state, memory).weights
    torch.testing.assert_close(weights.sum(1), torch.ones(2))
    assert not weights[~mask].any()


def test_features_change_what_is_read(model: Seq2Seq) -> None:
    ids, mask, features, _, _ = batch(ONE)
    assert features is not None
    one = model.encode(ids, mask, features).memory[0]
    other = model.encode(ids, mask, torch.zeros_like(features)).memory[0]
    assert not torch.allclose(one, other)


def test_features_are_summed_and_divided_by_the_root_of_their_number(model: Seq2Seq) -> None:
    assert model.features is not None
    table = model.features.table.weight
    found = model.features(torch.tensor([[[3, 5, 0], [7, 0, 0], [0, 0, 0]]]))[0]
    torch.testing.assert_close(found[0], (table[3] + table[5]) / math.sqrt(2))
    torch.testing.assert_close(found[1], table[7])
    assert not found[2].any()


def test_missing_features_are_told(model: Seq2Seq) -> None:
    ids, mask, *_ = batch(ONE)
    with pytest.raises(ValueError, match="with features; none were given"):
        model.encode(ids, mask)


def test_without_features_none_are_needed(registry: Registry) -> None:
    model = build_model(registry, recipe("question.features=0"), VOCABULARY)
    assert model.features is None
    assert model.loss(batch(ONE)._replace(question_features=None)).tokens == 3


def test_dropout_acts_only_while_learning(model: Seq2Seq) -> None:
    still = [float(model.loss(batch(ONE)).total.detach()) for _ in range(2)]
    model.train()
    moving = [float(model.loss(batch(ONE)).total.detach()) for _ in range(2)]
    assert still[0] == still[1]
    assert moving[0] != moving[1]


def test_the_output_layer_is_the_embedding(registry: Registry) -> None:
    tied = build_model(registry, recipe(), VOCABULARY)
    wider = build_model(registry, recipe("model.decoder.output_size=10"), VOCABULARY)
    assert not any(name.startswith("output.") for name, _ in tied.named_parameters())
    assert dict(wider.named_parameters())["output.to_embedding.weight"].shape == (8, 10)
    assert wider.loss(batch(ONE)).total.isfinite()


def test_equal_seeds_give_equal_weights(registry: Registry) -> None:
    models = []
    for _ in range(2):
        torch.manual_seed(5)
        models.append(build_model(registry, recipe(), VOCABULARY).state_dict())
    assert all(torch.equal(models[0][name], models[1][name]) for name in models[0])


def test_weights_saved_and_loaded_give_the_same(model: Seq2Seq, registry: Registry) -> None:
    other = build_model(registry, recipe(), VOCABULARY).eval()
    other.load_state_dict(model.state_dict())
    torch.testing.assert_close(other.loss(batch(TWO)).total, model.loss(batch(TWO)).total)


# What fits and what does not.


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["model.attention=none"], "no attention is named. Set model.attention.name=general"),
        (["model.decoder.name=gru-context"], "cannot use an attention. Set model.attention=none"),
        (["model.attention.name=dot", "model.decoder.hidden_size=10"], "hidden_size=12"),
        (["model.encoder.layers=0"], "layers .0. must be at least 1"),
        (["model.encoder.hidden_size=0"], "hidden_size .0. must be at least 1"),
        (["model.decoder.dropout=1.0"], "dropout .1.0. must be from 0 to below 1"),
        (["model.encoder.name=gruu"], "No encoder named 'gruu' in .model.encoder.. Did you mean"),
    ],
)
def test_parts_that_do_not_fit_are_told(
    registry: Registry, overrides: list[str], told: str
) -> None:
    with pytest.raises(PartError, match=told):
        build_model(registry, recipe(*overrides), VOCABULARY)


def test_dot_attention_on_other_widths_names_the_size(registry: Registry) -> None:
    with pytest.raises(PartError, match=r"model\.decoder\.hidden_size=(\d+)") as told:
        build_model(registry, load_recipe("faq").apply(["model.attention.name=dot"]), 100)
    size = str(told.value).partition("model.decoder.hidden_size=")[2].partition(",")[0]
    mended = ["model.attention.name=dot", f"model.decoder.hidden_size={size}"]
    build_model(registry, load_recipe("faq").apply(mended), 100)


def test_a_plain_encoder_decoder_learns_too(registry: Registry) -> None:
    changed = recipe("model.attention=none", "model.decoder.name=lstm-context")
    model = build_model(registry, changed, VOCABULARY)
    model.loss(batch(ONE, TWO)).total.backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_the_loss_equals_cross_entropy_of_the_log_probabilities(model: Seq2Seq) -> None:
    ids, mask, features, answers, _ = batch(ONE)
    with torch.no_grad():
        memory, state = model.encode(ids, mask, features)
        found = model.step(torch.tensor([START_ID]), state, memory).log_probs
        first = model.loss(Batch(ids, mask, features, answers[:, :1], answers[:, :1] != PAD_ID))
    wanted = F.nll_loss(found, answers[:, 0])
    torch.testing.assert_close(first.total, wanted)


def test_each_token_knows_how_many_turns_back_it_was_said() -> None:
    ids = torch.tensor([[5, END_ID, 6, 7, END_ID, 8, END_ID], [5, 6, END_ID, 0, 0, 0, 0]])
    found = turns_back(ids, ids != PAD_ID)
    assert found.tolist() == [[2, 2, 1, 1, 1, 0, 0], [0] * 7]
