"""A beam search moves states that grow, and leaves questions behind, without mixing them up."""

from __future__ import annotations

import pytest
import torch
from walking import VOCABULARY

from chatseq.core.plugins import Registry
from chatseq.core.recipe import Recipe
from chatseq.decoding.contracts import Hypothesis
from chatseq.decoding.search import decode
from chatseq.engines.contracts import Engine
from chatseq.engines.export import export_graphs
from chatseq.engines.onnx_engine import OnnxEngine
from chatseq.engines.torch_engine import TorchEngine
from chatseq.model.batch import Batch
from chatseq.model.build import build_model
from chatseq.model.seq2seq import Seq2Seq
from chatseq.testing import questions_of
from chatseq.text.tokenizer import END_ID
from chatseq_strategies.beam import Beam

QUESTIONS = [(5,), (6, 7), (8, 9, 10, 11, 12), (5, 6), (7,)]
LENGTH = 14


@pytest.fixture(scope="module")
def transformer(registry: Registry, recipe: Recipe) -> Seq2Seq:
    """A model that is sure of what it says, and ends its replies at different times."""
    sizes = [
        f"model.{part}.{option}"
        for part in ("encoder", "decoder")
        for option in ("name=transformer", "hidden_size=8", "heads=2", "layers=2")
    ]
    torch.manual_seed(4)
    changed = recipe.apply([*sizes, "model.attention.name=additive", "question.features=0"])
    model = build_model(registry, changed, VOCABULARY).eval()
    torch.nn.init.normal_(model.embedding.weight, std=1.5)
    torch.nn.init.constant_(model.bias[END_ID : END_ID + 1].detach(), 8.0)
    return model


@pytest.fixture(scope="module", params=["onnx", "torch"])
def engine(
    request: pytest.FixtureRequest, transformer: Seq2Seq, tmp_path_factory: pytest.TempPathFactory
) -> Engine:
    if request.param == "torch":
        return TorchEngine(transformer)
    folder = tmp_path_factory.mktemp("transformer")
    export_graphs(transformer, folder)
    return OnnxEngine(folder)


def searched(engine: Engine, *questions: tuple[int, ...]) -> list[list[Hypothesis]]:
    return decode(engine, questions_of(*questions), Beam(size=4, n_best=4), max_length=LENGTH)


def taught(model: Seq2Seq, question: tuple[int, ...], reply: Hypothesis) -> float:
    """Return the log-probability of a reply, the whole of it fed in at once."""
    ids = torch.tensor([[*question, END_ID]])
    answer = torch.tensor([[*reply.tokens, *([END_ID] if reply.ended else [])]])
    batch = Batch(ids, ids > 0, None, answer, answer > 0)
    with torch.no_grad():
        return -float(model.loss(batch).total)


def test_a_reply_is_as_likely_as_its_tokens_at_once(engine: Engine, transformer: Seq2Seq) -> None:
    lengths = set()
    for question, replies in zip(QUESTIONS, searched(engine, *QUESTIONS), strict=True):
        assert len({reply.tokens for reply in replies}) == 4
        for reply in replies:
            wanted = pytest.approx(taught(transformer, question, reply), abs=1e-3)
            assert sum(reply.log_probs) == wanted
            lengths.add(len(reply.tokens))
    assert len(lengths) > 3  # questions end at other times, and are left behind


def test_a_batch_gives_the_same_replies_as_one_by_one(engine: Engine) -> None:
    for question, replies in zip(QUESTIONS, searched(engine, *QUESTIONS), strict=True):
        (alone,) = searched(engine, question)
        assert [reply.tokens for reply in alone] == [reply.tokens for reply in replies]
