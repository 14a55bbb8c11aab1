"""Every recurrent encoder and decoder as a graph gives what torch gives, for any rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import chatseq_rnn
from chatseq.engines.contracts import Engine
from chatseq.engines.export import export_graphs
from chatseq.engines.onnx_engine import OnnxEngine
from chatseq.engines.torch_engine import TorchEngine
from chatseq.model.build import build_model
from chatseq.model.seq2seq import Seq2Seq
from chatseq.plugins import Registry
from chatseq.recipe import load_recipe

VOCABULARY = 40
SHAPES = [(1, 1, 5), (1, 1, 1), (1, 4, 9), (2, 5, 12), (7, 1, 3)]  # batch, beams, source
LAYERS = 2  # of encoder and decoder


def built(registry: Registry, encoder: str, decoder: str) -> Seq2Seq:
    attention = "none" if decoder.endswith("-context") else "general"
    recipe = load_recipe("tiny").apply(
        [
            "model.embedding_size=8",
            f"model.encoder.name={encoder}",
            "model.encoder.hidden_size=6",
            f"model.encoder.layers={LAYERS}",
            f"model.attention{'' if attention == 'none' else '.name'}={attention}",
            f"model.decoder.name={decoder}",
            "model.decoder.hidden_size=10",
            f"model.decoder.layers={LAYERS}",
            "question.features=0",
        ]
    )
    torch.manual_seed(0)
    return build_model(registry, recipe, VOCABULARY).eval()


def walked(engine: Engine, shape: tuple[int, int, int], steps: int = 4) -> list[Any]:
    """Ask something and return everything that came out of a few steps."""
    batch, beams, source = shape
    random = np.random.default_rng(source)
    mask = np.ones((batch, source), dtype=bool)
    mask[-1, max(1, source - 2) :] = False
    ids = random.integers(3, VOCABULARY, (batch, source)) * mask
    memory, state = engine.encode(engine.array(ids), engine.array(mask))
    state = tuple(part[engine.array(np.repeat(np.arange(batch), beams))] for part in state)
    found: list[Any] = [*memory, *state]
    for _ in range(steps):
        tokens = engine.array(random.integers(1, VOCABULARY, batch * beams))
        log_probs, state, weights = engine.step(tokens, state, memory)
        found += [log_probs, weights, *state]
    return [np.asarray(part) for part in found]


def assert_equal(one: Sequence[Any], other: Sequence[Any]) -> None:
    for a, b in zip(one, other, strict=True):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("decoder", chatseq_rnn.chatseq_decoders())
def test_a_decoder_exports_for_any_rows_and_lengths(
    registry: Registry, tmp_path: Path, decoder: str
) -> None:
    model = built(registry, "gru", decoder)
    export_graphs(model, tmp_path)
    exported, plain = OnnxEngine(tmp_path), TorchEngine(model)
    for shape in SHAPES:
        assert_equal(walked(exported, shape), walked(plain, shape))


@pytest.mark.parametrize("encoder", chatseq_rnn.chatseq_encoders())
def test_an_encoder_exports_for_any_rows_and_lengths(
    registry: Registry, tmp_path: Path, encoder: str
) -> None:
    model = built(registry, encoder, "gru")
    export_graphs(model, tmp_path)
    exported, plain = OnnxEngine(tmp_path), TorchEngine(model)
    for shape in SHAPES:
        assert_equal(walked(exported, shape), walked(plain, shape))


@pytest.mark.parametrize("decoder", chatseq_rnn.chatseq_decoders())
def test_every_matrix_of_a_step_can_become_int8(
    registry: Registry, tmp_path: Path, decoder: str
) -> None:
    import onnx

    export_graphs(built(registry, "gru", decoder), tmp_path, precision="int8")
    operators = [node.op_type for node in onnx.load(tmp_path / "step.onnx").graph.node]
    exact = [name for name in operators if name in {"MatMul", "Gemm", "RNN", "GRU", "LSTM"}]
    # What is left multiplies numbers with numbers: the scores and the context.
    assert exact == ["MatMul"] * (0 if decoder.endswith("-context") else 2)
    assert operators.count("MatMulInteger") >= LAYERS + 2  # the layers, the join, the output
