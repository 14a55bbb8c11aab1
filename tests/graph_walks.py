"""Steps through a model by torch and by its graphs, to be compared number by number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import walking

from chatseq.engines.contracts import Engine
from chatseq.engines.export import export_graphs
from chatseq.engines.onnx_engine import OnnxEngine
from chatseq.engines.torch_engine import TorchEngine
from chatseq.model.seq2seq import Seq2Seq
from chatseq.text.tokenizer import END_ID

SHAPES = [(1, 1, 5), (1, 1, 1), (1, 4, 9), (2, 5, 12), (7, 1, 3)]  # batch, beams, source
STEPS = 4


def walked(engine: Engine, shape: tuple[int, int, int], vocabulary: int) -> list[Any]:
    """Ask something and return everything that came out of a few steps, beams changing places.

    Each question ends with the end mark; the last one is padded, where there is room.
    """
    batch, beams, source = shape
    random = np.random.default_rng(source)
    mask = np.ones((batch, source), dtype=bool)
    mask[-1, max(1, source - 2) :] = False
    ids = random.integers(3, vocabulary, (batch, source)) * mask
    ids[np.arange(batch), mask.sum(1) - 1] = END_ID
    return walking.walked(engine, [ids, mask], beams, STEPS, vocabulary=vocabulary)


def assert_a_graph_gives_the_same(model: Seq2Seq, folder: Path) -> None:
    """Export a model and compare it with its graphs in every shape."""
    export_graphs(model, folder)
    exported, plain = OnnxEngine(folder), TorchEngine(model)
    for shape in SHAPES:
        found = [walked(engine, shape, model.vocabulary_size) for engine in (exported, plain)]
        for one, other in zip(*found, strict=True):
            assert one.shape == other.shape
            assert np.isfinite(one).all()
            np.testing.assert_allclose(one, other, atol=1e-5, rtol=1e-4)
