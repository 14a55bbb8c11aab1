"""Both perplexities on real networks: equal to the model's loss, equal on both engines."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from chatseq.core.plugins import Registry
from chatseq.core.recipe import load_recipe
from chatseq.engines.contracts import Engine
from chatseq.engines.export import export_graphs
from chatseq.engines.onnx_engine import OnnxEngine
from chatseq.engines.torch_engine import TorchEngine
from chatseq.evaluation.perplexity import Pair, Perplexity, score
from chatseq.model.batch import Batch
from chatseq.model.build import build_model
from chatseq.model.seq2seq import Seq2Seq
from chatseq.text.question_encoder import Question, pad_questions
from chatseq.text.tokenizer import END_ID, FIRST_FREE_ID, PAD_ID, START_ID

VOCABULARY = 70
FEATURES = 3

MakeModel = Callable[..., Seq2Seq]


@pytest.fixture(scope="module")
def make_model(registry: Registry) -> MakeModel:
    """Build a small network whose probabilities are far from even."""

    def make(*settings: str) -> Seq2Seq:
        sizes = [
            "model.embedding_size=8",
            "model.encoder.hidden_size=6",
            "model.decoder.hidden_size=12",
            f"question.features={FEATURES}",
            "question.feature_buckets=16",
        ]
        torch.manual_seed(3)
        recipe = load_recipe("tiny").apply([*sizes, *settings])
        model = build_model(registry, recipe, VOCABULARY)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(2.0)
        return model

    return make


def some_pairs(count: int = 40) -> list[Pair]:
    drawn = random.Random(8)  # noqa: S311  (no secret)

    def ids(most: int) -> tuple[int, ...]:
        chosen = (drawn.randrange(FIRST_FREE_ID, VOCABULARY) for _ in range(drawn.randrange(most)))
        return (*chosen, END_ID)

    def question() -> Question:
        asked = ids(9)
        features = tuple(tuple(drawn.randrange(1, 16) for _ in range(FEATURES)) for _ in asked)
        return Question(asked, features)

    return [Pair(question(), ids(12)) for _ in range(count)]


def summed(engine: Engine, pairs: list[Pair], batch: int = 16) -> Perplexity:
    total = Perplexity()
    for part in score(engine, pairs, features=FEATURES, batch=batch):
        total.add(part)
    return total


def batch_of(pairs: list[Pair]) -> Batch:
    asked = pad_questions([pair.question for pair in pairs], FEATURES)
    longest = max(len(pair.answer) for pair in pairs)
    answers = [[*pair.answer, *[PAD_ID] * (longest - len(pair.answer))] for pair in pairs]
    ids = torch.tensor(answers)
    return Batch(
        torch.from_numpy(asked.ids),
        torch.from_numpy(asked.mask),
        torch.from_numpy(asked.features),
        ids,
        ids != PAD_ID,
    )


ATTENTIONS = ("general", "additive", "dot")


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_teacher_forced_is_the_models_own_loss(make_model: MakeModel, attention: str) -> None:
    model = make_model(f"model.attention.name={attention}").eval()
    pairs = some_pairs()
    with torch.no_grad():
        loss = model.loss(batch_of(pairs))
    found = summed(TorchEngine(model), pairs)
    assert found.tokens == loss.tokens
    assert found.teacher_forced == pytest.approx(
        math.exp(float(loss.total) / loss.tokens), rel=1e-4
    )


def test_free_running_is_a_plain_loop_that_is_fed_its_own_tokens(make_model: MakeModel) -> None:
    model = make_model().eval()
    pairs = some_pairs(12)
    with torch.no_grad():
        nats = [-number for pair in pairs for number in alone(model, pair)]
    found = summed(TorchEngine(model), pairs)
    assert found.free_running == pytest.approx(math.exp(sum(nats) / len(nats)), rel=1e-4)
    assert found.free_running != pytest.approx(found.teacher_forced, rel=0.01)


def alone(model: Seq2Seq, pair: Pair) -> Iterator[float]:
    """Yield the log-probability of each wanted token, one question at a time."""
    asked = pad_questions([pair.question], FEATURES)
    memory, state = model.encode(*map(torch.from_numpy, asked))
    token = torch.tensor([START_ID])
    for wanted in pair.answer:
        stepped = model.step(token, state, memory)
        yield float(stepped.log_probs[0, wanted])
        token, state = stepped.log_probs.argmax(-1), stepped.state


def test_both_engines_give_the_same_figures(make_model: MakeModel, tmp_path: Path) -> None:
    model = make_model().eval()
    export_graphs(model, tmp_path)
    pairs = some_pairs()
    by_torch, by_onnx = summed(TorchEngine(model), pairs), summed(OnnxEngine(tmp_path), pairs)
    assert by_onnx.tokens == by_torch.tokens
    assert by_onnx.teacher_forced == pytest.approx(by_torch.teacher_forced, rel=1e-3)
    assert by_onnx.free_running == pytest.approx(by_torch.free_running, rel=1e-3)


def test_the_size_of_a_batch_does_not_matter(make_model: MakeModel) -> None:
    engine = TorchEngine(make_model().eval())
    one, many = summed(engine, some_pairs(), batch=1), summed(engine, some_pairs(), batch=40)
    assert one.teacher_forced == pytest.approx(many.teacher_forced, rel=1e-4)
    assert one.free_running == pytest.approx(many.free_running, rel=1e-4)


def test_a_model_in_training_is_scored_without_dropout_and_goes_on_training(
    make_model: MakeModel,
) -> None:
    model = make_model("model.dropout=0.9").train()
    first, second = (summed(TorchEngine(model), some_pairs()) for _ in range(2))
    assert first.teacher_forced == second.teacher_forced
    assert model.training
