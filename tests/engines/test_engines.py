"""The two engines agree, for any batch, rows and lengths; faults are told in a line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from walking import VOCABULARY, assert_equal, question, walked

from chatseq.core.errors import EngineError
from chatseq.core.plugins import Registry
from chatseq.core.recipe import Recipe
from chatseq.engines import graphs
from chatseq.engines.contracts import Engine, StepOutput
from chatseq.engines.export import export_graphs
from chatseq.engines.load import load_engine
from chatseq.engines.onnx_engine import OnnxEngine
from chatseq.engines.torch_engine import TorchEngine
from chatseq.model.build import build_model
from chatseq.model.seq2seq import Seq2Seq
from chatseq.model.seq2seq import StepOutput as ModelStep


@pytest.fixture(scope="module")
def folder(model: Seq2Seq, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("graphs")
    export_graphs(model, place)
    return place


@pytest.mark.parametrize(
    ("batch", "k", "source"), [(1, 1, 5), (1, 1, 1), (1, 4, 9), (2, 5, 12), (7, 1, 3), (2, 2, 30)]
)
def test_onnx_equals_torch(model: Seq2Seq, folder: Path, batch: int, k: int, source: int) -> None:
    asked = question(batch, source, seed=source)
    assert_equal(walked(OnnxEngine(folder), asked, k), walked(TorchEngine(model), asked, k))


@pytest.mark.parametrize("features", [1, 8])
def test_any_number_of_features_fits_the_graph(model: Seq2Seq, folder: Path, features: int) -> None:
    asked = question(2, 4, features=features)
    assert_equal(walked(OnnxEngine(folder), asked, 1), walked(TorchEngine(model), asked, 1))


SIZES = ["model.decoder.hidden_size=48"]
TRANSFORMER = [
    f"model.{part}.{option}"
    for part in ("encoder", "decoder")
    for option in ("name=transformer", "hidden_size=32", "layers=2")
]


@pytest.mark.slow("trains two networks")
@pytest.mark.parametrize("parts", [SIZES, TRANSFORMER])
def test_int8_is_close_and_chooses_the_same_tokens_once_trained(
    registry: Registry, recipe: Recipe, tmp_path: Path, parts: list[str]
) -> None:
    model, asked, wanted = trained(registry, recipe, parts)
    export_graphs(model, tmp_path, precision="int8")
    exact = forced(TorchEngine(model), asked, wanted)
    rough = forced(OnnxEngine(tmp_path), asked, wanted)
    agree = [(a.argmax(1) == b.argmax(1)).mean() for a, b in zip(exact, rough, strict=True)]
    assert np.mean(agree) == 1.0
    for a, b in zip(exact, rough, strict=True):
        assert np.abs(np.exp(a) - np.exp(b)).max() < 0.05
    assert any(np.abs(a - b)[:, 2:].max() > 1e-4 for a, b in zip(exact, rough, strict=True))


def trained(registry: Registry, recipe: Recipe, parts: list[str]) -> tuple[Seq2Seq, list[Any], Any]:
    """Return a model that knows 8 answers of 4 tokens by heart."""
    from chatseq.model.batch import Batch

    torch.manual_seed(0)
    changed = recipe.apply(["model.dropout=0.0", "model.embedding_size=32", *parts])
    model = build_model(registry, changed, VOCABULARY)
    asked = question(8, 5)
    wanted = np.random.default_rng(1).integers(3, VOCABULARY, (8, 4))
    answers = torch.from_numpy(wanted)
    batch = Batch(*map(torch.from_numpy, asked), answers, torch.ones_like(answers).bool())
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    for _ in range(60):
        optimizer.zero_grad()
        total, tokens = model.loss(batch)
        (total / tokens).backward()
        optimizer.step()
    return model.eval(), asked, wanted


def forced(engine: Engine, asked: Sequence[Any], answers: Any) -> list[Any]:
    """Return the log-probabilities of each step while the answers are fed in."""
    memory, state = engine.encode(*(engine.array(part) for part in asked))
    found, tokens = [], np.ones(len(answers), dtype=np.int64)
    for column in answers.T:
        stepped: StepOutput = engine.step(engine.array(tokens), state, memory)
        found.append(np.asarray(stepped.log_probs))
        state, tokens = stepped.state, np.ascontiguousarray(column)
    return found


def test_export_leaves_the_model_as_it_was(model: Seq2Seq, tmp_path: Path) -> None:
    model.train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    export_graphs(model, tmp_path)
    assert model.training
    assert all(torch.equal(before[name], now) for name, now in model.state_dict().items())
    model.eval()


def test_the_torch_engine_leaves_the_mode_as_it_was(model: Seq2Seq) -> None:
    model.train()
    engine = TorchEngine(model)
    one, other = (walked(engine, question(1, 4), 1) for _ in range(2))
    assert model.training
    assert_equal(one, other)  # no dropout
    model.eval()


def test_the_torch_engine_keeps_no_gradients(model: Seq2Seq) -> None:
    engine = TorchEngine(model)
    memory, state = engine.encode(*(engine.array(part) for part in question(1, 4)))
    assert not any(part.requires_grad for part in (*memory, *state))


def test_a_graph_needs_neither_torch_nor_the_parts(folder: Path) -> None:
    code = (
        "import sys, pathlib, numpy as np\n"
        "from chatseq.engines.onnx_engine import OnnxEngine\n"
        "e = OnnxEngine(pathlib.Path(sys.argv[1]))\n"
        "m, s = e.encode(np.array([[3, 4]]), np.array([[True, True]]), np.ones((1, 2, 3), int))\n"
        "assert e.step(np.array([1]), s, m).log_probs.shape == (1, 70)\n"
        "heavy = {'torch', 'onnx', 'chatseq_rnn', 'sqlalchemy'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True)


# What can be wrong with a folder.


@pytest.fixture
def copied(folder: Path, tmp_path: Path) -> Path:
    for name in (graphs.ENCODER, graphs.STEP):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    return tmp_path


@pytest.mark.parametrize("name", [graphs.ENCODER, graphs.STEP])
def test_a_missing_graph_is_told(copied: Path, name: str) -> None:
    (copied / name).unlink()
    with pytest.raises(EngineError, match=f"Cannot read the graph .*{name}: No such file"):
        OnnxEngine(copied)


@pytest.mark.parametrize("content", [b"", b"not a graph", None])
def test_a_damaged_graph_is_told(copied: Path, content: bytes | None) -> None:
    file = copied / graphs.STEP
    file.write_bytes(file.read_bytes()[:1000] if content is None else content)
    with pytest.raises(EngineError, match=r"step.onnx is damaged .* Train the bot again") as told:
        OnnxEngine(copied)
    assert "\n" not in str(told.value)


def test_a_graph_cannot_read_files_outside_of_its_bot(copied: Path) -> None:
    import onnx

    graph = onnx.load(copied / graphs.STEP)
    weights = graph.graph.initializer[0]
    size = len(weights.raw_data)
    (copied.parent / "secret").write_bytes(bytes(size))
    weights.ClearField("raw_data")
    weights.data_location = onnx.TensorProto.EXTERNAL
    weights.external_data.add(key="location", value="../secret")
    (copied / graphs.STEP).write_bytes(graph.SerializeToString())
    with pytest.raises(EngineError, match=r"step.onnx is damaged"):
        OnnxEngine(copied)


def test_graphs_of_two_bots_are_told(
    registry: Registry, recipe: Recipe, copied: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other")
    wider = recipe.apply(["model.decoder.hidden_size=20"])
    export_graphs(build_model(registry, wider, VOCABULARY), other)
    (copied / graphs.STEP).write_bytes((other / graphs.STEP).read_bytes())
    with pytest.raises(EngineError, match="The graph cannot run"):
        walked(OnnxEngine(copied), question(1, 4), 1)


def test_missing_features_are_told(folder: Path) -> None:
    with pytest.raises(ValueError, match="with features; none were given"):
        OnnxEngine(folder).encode(*question(1, 4)[:2])


# What a part may do that no graph can.

Spoil = Callable[[ModelStep, Tensor], ModelStep]


def spoilt(model: Seq2Seq, monkeypatch: pytest.MonkeyPatch, spoil: Spoil) -> Seq2Seq:
    """Return the model with its steps changed, given also the tokens."""
    step = model.step
    monkeypatch.setattr(model, "step", lambda tokens, *rest: spoil(step(tokens, *rest), tokens))
    return model


def scaled_by_rows(found: ModelStep, tokens: Tensor) -> ModelStep:
    return found._replace(log_probs=found.log_probs * int(tokens.shape[0]))


def cut_to_the_examples_source(found: ModelStep, tokens: Tensor) -> ModelStep:
    return found._replace(weights=found.weights[:, : int(found.weights.shape[1])])


def with_an_operator_that_no_graph_has(found: ModelStep, tokens: Tensor) -> ModelStep:
    return found._replace(log_probs=torch.linalg.eigvals(found.log_probs[:2, :2]).real)


def with_an_operator_that_the_engine_lacks(found: ModelStep, tokens: Tensor) -> ModelStep:
    return found._replace(log_probs=torch.tan(found.log_probs.double()).float())


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (with_an_operator_that_no_graph_has, r".*eigvals.*, in step.onnx"),
        (with_an_operator_that_the_engine_lacks, ".*Tan.*"),
        (scaled_by_rows, r"for sizes unlike .*, step 1 gives other numbers \(by .*\)"),
        (cut_to_the_examples_source, r"for sizes .*, step 1 gives \(12, 5\) in place of \(12, 9\)"),
    ],
)
def test_a_model_that_no_graph_can_hold_is_told_before_it_is_stored(
    registry: Registry,
    recipe: Recipe,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Spoil,
    told: str,
) -> None:
    model = spoilt(build_model(registry, recipe, VOCABULARY), monkeypatch, spoil)
    whole = rf"cannot be written as an ONNX graph: {told}\. Set engine.name=torch"
    with pytest.raises(EngineError, match=whole) as fault:
        export_graphs(model, tmp_path)
    assert "\n" not in str(fault.value)
    assert list(tmp_path.iterdir()) == []


# Choosing the engine of a bot.


def test_the_recipe_chooses_the_engine(
    model: Seq2Seq, registry: Registry, recipe: Recipe, copied: Path
) -> None:
    save_file(model.state_dict(), copied / "weights.safetensors")
    onnx = load_engine(copied, recipe, registry, VOCABULARY)
    torch_engine = load_engine(copied, recipe.apply(["engine.name=torch"]), registry, VOCABULARY)
    assert isinstance(onnx, OnnxEngine)
    assert isinstance(torch_engine, TorchEngine)
    assert_equal(walked(onnx, question(2, 5), 2), walked(torch_engine, question(2, 5), 2))


def test_weights_of_another_recipe_are_told(
    model: Seq2Seq, registry: Registry, recipe: Recipe, tmp_path: Path
) -> None:
    save_file(model.state_dict(), tmp_path / "weights.safetensors")
    other = recipe.apply(["engine.name=torch", "model.decoder.hidden_size=20"])
    with pytest.raises(EngineError, match="do not fit the recipe"):
        load_engine(tmp_path, other, registry, VOCABULARY)


def test_missing_weights_are_told(registry: Registry, recipe: Recipe, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"weights.safetensors .*Train the bot again"):
        load_engine(tmp_path, recipe.apply(["engine.name=torch"]), registry, VOCABULARY)
