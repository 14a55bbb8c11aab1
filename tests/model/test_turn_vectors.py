"""Vectors of how many turns back a token was said: what they change, in torch and as a graph."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from chatseq.core.errors import EngineError
from chatseq.core.plugins import Registry
from chatseq.core.recipe import Recipe, load_recipe, parse_recipe
from chatseq.engines.export import export_graphs
from chatseq.engines.onnx_engine import OnnxEngine
from chatseq.engines.torch_engine import WEIGHTS, TorchEngine, load_torch_engine
from chatseq.model.batch import Batch
from chatseq.model.build import build_model
from chatseq.model.embedding import TurnEmbedding
from chatseq.model.seq2seq import Seq2Seq
from chatseq.text.tokenizer import END_ID, PAD_ID

SMALL = (
    "model.embedding_size=16",
    "model.encoder.hidden_size=6",
    "model.decoder.hidden_size=12",
    "question.features=0",
)
TURNS = "question.context_turns=2"
VECTORS = "model.turn_vectors=true"
IDS = torch.tensor([[5, END_ID, 6, 7, END_ID, 8, END_ID], [9, END_ID, 0, 0, 0, 0, 0]])
ANSWERS = torch.tensor([[6, 7, END_ID], [9, END_ID, PAD_ID]])


def recipe_of(*settings: str) -> Recipe:
    return load_recipe("tiny").apply([*SMALL, *settings])


def model_of(registry: Registry, *settings: str) -> Seq2Seq:
    torch.manual_seed(0)
    return build_model(registry, recipe_of(*settings), 50).eval()


def read(model: Seq2Seq) -> list[Tensor]:
    """Return what comes of two questions."""
    with torch.no_grad():
        started = model.encode(IDS, IDS != PAD_ID)
    return [*started.memory, *started.state]


def test_there_are_vectors_for_the_question_and_each_turn_that_is_read(registry: Registry) -> None:
    turns = model_of(registry, TURNS, VECTORS).turns
    assert turns is not None
    assert turns.table.weight.shape == (3, 16)
    assert model_of(registry, TURNS).turns is None
    assert model_of(registry, VECTORS).turns is None
    plain, marked = (model_of(registry, TURNS, *more).state_dict() for more in ((), (VECTORS,)))
    assert set(marked) - set(plain) == {"turns.table.weight"}


def test_a_new_model_reads_as_one_without_them(registry: Registry) -> None:
    plain, marked = model_of(registry, TURNS), model_of(registry, TURNS, VECTORS)
    plain.load_state_dict(marked.state_dict(), strict=False)
    assert all(map(torch.equal, read(plain), read(marked)))


def test_the_vector_of_a_turn_is_added_to_each_of_its_tokens(registry: Registry) -> None:
    model = model_of(registry, TURNS, VECTORS)
    told: list[Tensor] = []
    model.encoder.register_forward_pre_hook(lambda _, given: told.append(given[0]))  # type: ignore[attr-defined]
    read(model)
    assert model.turns is not None
    with torch.no_grad():
        model.turns.table.weight.copy_(torch.tensor([[1.0], [10.0], [100.0]]).expand(3, 16))
    read(model)
    added = (told[1] - told[0])[:, :, 0]
    # As all vectors, these are multiplied by the fourth root of their width, here 2.
    torch.testing.assert_close(added[0], torch.tensor([200.0, 200, 20, 20, 20, 2, 2]))
    torch.testing.assert_close(added[1, :2], torch.tensor([2.0, 2]))


def test_the_vector_of_every_turn_learns(registry: Registry) -> None:
    model = model_of(registry, TURNS, VECTORS).train()
    batch = Batch(IDS, IDS != PAD_ID, None, ANSWERS, ANSWERS != PAD_ID)
    model.loss(batch).total.backward()  # type: ignore[no-untyped-call]
    assert model.turns is not None
    gradient = model.turns.table.weight.grad
    assert gradient is not None
    assert gradient.abs().sum(1).min() > 0


def test_turns_beyond_the_oldest_that_is_known_count_as_it() -> None:
    made = TurnEmbedding(1, 4)
    found = made(torch.tensor([[3, 1, 0]]))
    assert torch.equal(found[0, 0], made.table.weight[1])
    assert torch.equal(found[0], made.table.weight[[1, 1, 0]])


@pytest.mark.parametrize("encoder", ["gru", "hierarchical", "transformer"])
def test_graphs_know_the_turns_too(registry: Registry, encoder: str, tmp_path: Path) -> None:
    size = "model.encoder.hidden_size=8"
    model = model_of(registry, TURNS, VECTORS, f"model.encoder.name={encoder}", size)
    assert model.turns is not None
    torch.nn.init.normal_(model.turns.table.weight)
    export_graphs(model, tmp_path)
    graph, exact = OnnxEngine(tmp_path), TorchEngine(model)
    ids = IDS.numpy()
    for asked in ((ids, ids > 0), (ids[:1, 2:], ids[:1, 2:] > 0), (ids[1:, :2], ids[1:, :2] > 0)):
        found, wanted = graph.encode(*asked), exact.encode(*map(exact.array, asked))
        for one, other in zip(
            (*found.memory, *found.state), (*wanted.memory, *wanted.state), strict=True
        ):
            np.testing.assert_allclose(one, other, atol=1e-5)


def test_weights_from_before_there_were_any_still_load(registry: Registry, tmp_path: Path) -> None:
    """Their recipe does not name the setting, and so they are read without."""
    stored = recipe_of(TURNS).to_toml()
    assert "turn_vectors = false\n" in stored
    before = parse_recipe(stored.replace("turn_vectors = false\n", ""), "recipe.toml")
    model = model_of(registry, TURNS)
    save_file(model.state_dict(), tmp_path / WEIGHTS)
    engine = load_torch_engine(tmp_path, before, registry, 50)
    found = engine.encode(IDS, IDS != PAD_ID)
    assert all(map(torch.equal, read(model), (*found.memory, *found.state)))
    with pytest.raises(EngineError, match="do not fit the recipe"):
        load_torch_engine(tmp_path, before.apply([VECTORS]), registry, 50)
