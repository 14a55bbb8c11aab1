"""Every recurrent encoder and decoder as a graph gives what torch gives, for any rows."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from graph_walks import assert_a_graph_gives_the_same

import chatseq_rnn
from chatseq.core.plugins import Registry
from chatseq.core.recipe import load_recipe
from chatseq.engines.export import export_graphs
from chatseq.model.build import build_model
from chatseq.model.seq2seq import Seq2Seq

LAYERS = 2  # of encoder and decoder


def built(registry: Registry, encoder: str, decoder: str) -> Seq2Seq:
    alone = decoder.endswith("-context")
    recipe = load_recipe("tiny").apply(
        [
            "model.embedding_size=8",
            f"model.encoder.name={encoder}",
            "model.encoder.hidden_size=6",
            f"model.encoder.layers={LAYERS}",
            "model.attention=none" if alone else "model.attention.name=general",
            f"model.decoder.name={decoder}",
            "model.decoder.hidden_size=10",
            f"model.decoder.layers={LAYERS}",
            "question.features=0",
        ]
    )
    torch.manual_seed(0)
    return build_model(registry, recipe, 40).eval()


@pytest.mark.slow("graphs of two layers; test_mixes makes graphs of every part, too")
@pytest.mark.parametrize("decoder", chatseq_rnn.chatseq_decoders())
def test_a_decoder_exports_for_any_rows_and_lengths(
    registry: Registry, tmp_path: Path, decoder: str
) -> None:
    assert_a_graph_gives_the_same(built(registry, "gru", decoder), tmp_path)


@pytest.mark.slow("graphs of two layers; test_mixes makes graphs of every part, too")
@pytest.mark.parametrize("encoder", chatseq_rnn.chatseq_encoders())
def test_an_encoder_exports_for_any_rows_and_lengths(
    registry: Registry, tmp_path: Path, encoder: str
) -> None:
    assert_a_graph_gives_the_same(built(registry, encoder, "gru"), tmp_path)


@pytest.mark.slow("a graph of every decoder in int8")
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
