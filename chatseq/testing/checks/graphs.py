"""Whether a part, written as a graph, gives what torch gives: in a small model around it."""

from __future__ import annotations

from typing import Any

import numpy as np

from chatseq.engines.contracts import Engine
from chatseq.engines.export import export_graphs
from chatseq.engines.onnx_engine import OnnxEngine
from chatseq.engines.torch_engine import TorchEngine
from chatseq.model.contracts import Decoder, Encoder, Output
from chatseq.model.seq2seq import Seq2Seq
from chatseq.testing.check import Context, NotApplicable, require
from chatseq.testing.checks.tensors import INPUT
from chatseq.testing.subject import NO_GRAPH
from chatseq.text.tokenizer import FIRST_FREE_ID

VOCABULARY = 20
STEPS = 3
CLOSE = 1e-4
SIZES = ((1, 1, 1), (1, 4, 9), (3, 2, 12))  # batch, rows a source, source; the export's are others


def graph_equals_torch(
    encoder: Encoder, decoder: Decoder, output: Output, context: Context
) -> None:
    """Export a model of these parts and compare both engines at sizes of other kinds.

    Raises:
        NotApplicable: the part says why it cannot be a graph.
    """
    reason = getattr(context.subject.component, NO_GRAPH, "")
    if reason:
        raise NotApplicable(f"it has no graph: {reason}")
    model = Seq2Seq(encoder, decoder, output, vocabulary_size=VOCABULARY, embedding_size=INPUT)
    model.eval()
    folder = context.folder()
    export_graphs(model, folder)
    graph, modules = OnnxEngine(folder), TorchEngine(model)
    for batch, k, source in SIZES:
        where = f"for {batch} questions of {source} tokens with {k} rows each"
        _compare(_walked(graph, batch, k, source), _walked(modules, batch, k, source), where)


def _compare(found: list[Any], wanted: list[Any], where: str) -> None:
    require(len(found) == len(wanted), "the graph gives another number of tensors")
    for one, other in zip(found, wanted, strict=True):
        require(one.shape == other.shape, f"the graph gives {one.shape}, not {other.shape} {where}")
        difference = float(np.abs(one - other).max()) if one.size else 0.0
        kept = np.allclose(one, other, atol=CLOSE, rtol=CLOSE)
        require(kept, f"the graph differs from torch by {difference:.1e} {where}")


def _walked(engine: Engine, batch: int, k: int, source: int) -> list[Any]:
    """Encode and take some steps, the rows exchanged on the way; return all that came out."""
    encoded = engine.encode(*map(engine.array, _question(batch, source)))
    rows = np.repeat(np.arange(batch), k)
    state = tuple(part[engine.array(rows)] for part in encoded.state)
    other_way = engine.array(np.arange(batch * k).reshape(batch, k)[:, ::-1].reshape(-1).copy())
    found: list[Any] = [*encoded.memory, *state]
    for step in range(STEPS):
        tokens = (np.arange(batch * k) * 7 + step) % (VOCABULARY - FIRST_FREE_ID) + FIRST_FREE_ID
        stepped = engine.step(engine.array(tokens), state, encoded.memory)
        state = tuple(part[other_way] for part in stepped.state)
        found += [stepped.log_probs, stepped.weights, *state]
    return [np.asarray(part, dtype=np.float64) for part in found]


def _question(batch: int, source: int) -> tuple[Any, Any]:
    """Return ids and mask, the last row padded."""
    random = np.random.default_rng(source)
    ids = random.integers(FIRST_FREE_ID, VOCABULARY, (batch, source))
    mask = np.ones((batch, source), dtype=bool)
    mask[-1, max(1, source - 2) :] = False
    return ids * mask, mask
