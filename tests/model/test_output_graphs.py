"""Every output layer as a graph gives what torch gives, also where its numbers end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from graph_walks import assert_a_graph_gives_the_same, walked

import chatseq_output
from chatseq.core.errors import PartError
from chatseq.core.plugins import Registry
from chatseq.core.recipe import load_recipe
from chatseq.engines.export import export_graphs
from chatseq.engines.onnx_engine import OnnxEngine
from chatseq.engines.torch_engine import TorchEngine
from chatseq.model.build import build_model
from chatseq.model.seq2seq import Seq2Seq


def built(registry: Registry, *overrides: str) -> Seq2Seq:
    small = ["model.encoder.hidden_size=6", "model.decoder.hidden_size=10", "question.features=0"]
    recipe = load_recipe("tiny").apply([*overrides, "model.embedding_size=8", *small])
    torch.manual_seed(0)
    return build_model(registry, recipe, 40).eval()


@pytest.mark.slow("graphs of two layers; test_mixes makes graphs of every part, too")
@pytest.mark.parametrize("output", chatseq_output.chatseq_outputs())
@pytest.mark.parametrize("decoder", ["gru", "gru-bahdanau", "lstm-input-feeding", "ssru"])
def test_an_output_layer_exports_for_any_rows_and_lengths(
    registry: Registry, tmp_path: Path, output: str, decoder: str
) -> None:
    model = built(registry, f"model.decoder.name={decoder}", f"model.output.name={output}")
    assert_a_graph_gives_the_same(model, tmp_path)


@pytest.mark.parametrize("gate", [-200.0, 200.0])
def test_a_pointer_whose_gate_is_shut_is_finite_in_a_graph_too(
    registry: Registry, tmp_path: Path, gate: float
) -> None:
    model = built(registry, "model.output.name=pointer")
    with torch.no_grad():
        model.output.gate.bias.fill_(gate)  # type: ignore[attr-defined]
    assert_a_graph_gives_the_same(model, tmp_path)


def test_a_pointer_in_int8_keeps_its_probabilities(registry: Registry, tmp_path: Path) -> None:
    model = built(registry, "model.output.name=pointer")
    export_graphs(model, tmp_path, precision="int8")
    rough, exact = (
        walked(engine, (2, 3, 6), 40) for engine in (OnnxEngine(tmp_path), TorchEngine(model))
    )
    rows = [at for at, part in enumerate(exact) if part.shape == (6, 40)]
    assert len(rows) == 4
    for at in rows:
        assert np.abs(np.exp(rough[at]) - np.exp(exact[at])).max() < 0.05
        np.testing.assert_allclose(np.exp(rough[at]).sum(1), 1.0, atol=1e-4)


def test_a_pointer_without_an_attention_is_told(registry: Registry) -> None:
    with pytest.raises(PartError, match=r"'pointer' cannot be built .*attention.name=general"):
        built(
            registry,
            "model.attention=none",
            "model.decoder.name=gru-context",
            "model.output.name=pointer",
        )
