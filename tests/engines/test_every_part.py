"""Every part becomes a graph that does what torch does: each kind against one of the others.

All mixes are tried by the mix table.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from selection import thinned
from walking import VOCABULARY, assert_equal, question, walked

from chatseq.core.options import options_of
from chatseq.core.plugins import Registry, discover
from chatseq.core.recipe import Recipe
from chatseq.engines.export import export_graphs
from chatseq.engines.onnx_engine import OnnxEngine
from chatseq.engines.torch_engine import TorchEngine
from chatseq.model.build import build_model
from chatseq.model.seq2seq import Seq2Seq

PARTS = discover()
WIDTH = 8  # of every memory and of every query: a dot product needs equal ones
ATTENDING = [name for name in PARTS.parts("decoder") if not name.endswith("-context")]


def small(registry: Registry, kind: str, name: str, layers: int) -> list[str]:
    """Return the overrides that choose a part and make it small."""
    options = options_of(registry.find(kind, name).load())
    width = WIDTH // 2 if "bidirectional" in options else WIDTH
    wanted = {"hidden_size": width, "layers": layers, "heads": 2}
    path = f"model.{kind}"
    sizes = [f"{path}.{option}={wanted[option]}" for option in options if option in wanted]
    return [f"{path}.name={name}", *sizes]


def model_of(
    registry: Registry, recipe: Recipe, encoder: str, attention: str, decoder: str, *more: str
) -> Seq2Seq:
    """Return a model of these parts, two layers each, with random weights everywhere."""
    attending = (
        small(registry, "attention", attention, 2) if attention else ["model.attention=none"]
    )
    parts = [*small(registry, "encoder", encoder, 2), *small(registry, "decoder", decoder, 2)]
    torch.manual_seed(0)
    model = build_model(registry, recipe.apply([*parts, *attending, *more]), VOCABULARY).eval()
    for parameter in model.parameters():
        if parameter.dim() == 1:
            torch.nn.init.normal_(parameter, std=0.3)  # biases begin with zeros, which hide much
    return model


def check(model: Seq2Seq, folder: Path) -> None:
    export_graphs(model, folder)
    for batch, k, source in ((1, 1, 5), (2, 3, 6)):
        asked = question(batch, source)
        assert_equal(walked(OnnxEngine(folder), asked, k), walked(TorchEngine(model), asked, k))


@pytest.mark.slow("two layers each; test_mixes makes graphs of every part, too")
@pytest.mark.parametrize("encoder", PARTS.parts("encoder"))
def test_every_encoder_becomes_a_graph(
    registry: Registry, recipe: Recipe, encoder: str, tmp_path: Path
) -> None:
    check(model_of(registry, recipe, encoder, "general", "gru"), tmp_path)


@pytest.mark.slow("two layers each; test_mixes makes graphs of every part, too")
@pytest.mark.parametrize("decoder", PARTS.parts("decoder"))
def test_every_decoder_becomes_a_graph(
    registry: Registry, recipe: Recipe, decoder: str, tmp_path: Path
) -> None:
    attention = "general" if decoder in ATTENDING else ""
    check(model_of(registry, recipe, "gru", attention, decoder), tmp_path)


@pytest.mark.slow("two layers each; test_mixes makes graphs of every part, too")
@pytest.mark.parametrize("attention", PARTS.parts("attention"))
def test_every_attention_becomes_a_graph_in_each_layer_of_a_decoder(
    registry: Registry, recipe: Recipe, attention: str, tmp_path: Path
) -> None:
    check(model_of(registry, recipe, "gru", attention, "transformer"), tmp_path)


@pytest.mark.parametrize("output", PARTS.parts("output"))
def test_every_output_layer_becomes_a_graph(
    registry: Registry, recipe: Recipe, output: str, tmp_path: Path
) -> None:
    model = model_of(registry, recipe, "gru", "general", "gru", f"model.output.name={output}")
    check(model, tmp_path)


@pytest.mark.parametrize(
    ("positions", "norm"),
    thinned(product(("sinusoidal", "learned", "rotary"), ("pre", "post"))),
)
def test_every_kind_of_transformer_becomes_a_graph(
    registry: Registry, recipe: Recipe, positions: str, norm: str, tmp_path: Path
) -> None:
    options = [
        f"model.{part}.{option}"
        for part in ("encoder", "decoder")
        for option in (f"positions={positions}", f"norm={norm}", "max_positions=4")
    ]
    check(model_of(registry, recipe, "transformer", "general", "transformer", *options), tmp_path)


def test_a_long_reply_of_a_transformer_is_the_same_in_both_engines(
    registry: Registry, recipe: Recipe, tmp_path: Path
) -> None:
    model = model_of(registry, recipe, "transformer", "additive", "transformer")
    export_graphs(model, tmp_path)
    asked = question(2, 6)
    one, other = (walked(e, asked, 4, steps=40) for e in (OnnxEngine(tmp_path), TorchEngine(model)))
    assert_equal(one, other)
    assert one[-1].shape == (8, 4, 40, 4)  # keys and values of two heads for 40 steps
    assert not np.allclose(one[-1][:, :, 0], one[-1][:, :, -1])
