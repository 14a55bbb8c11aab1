"""Write a model as two ONNX graphs that need neither torch nor any Python class of a part.

Needs torch and onnx; the engine that runs the graphs needs neither.
"""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from chatseq.engines import graphs
from chatseq.errors import EngineError
from chatseq.model.seq2seq import Seq2Seq
from chatseq.text.tokenizer import START_ID

Precision = Literal["fp32", "int8"]
OPSET = 18
EXAMPLE = (2, 5)  # batch and source of the traced example
OTHER = (3, 7)  # axes that differ from the example's are dynamic
BEAMS = 2  # rows for each source in the example


def export_graphs(model: Seq2Seq, folder: Path, *, precision: Precision = "fp32") -> None:
    """Write encoder.onnx and step.onnx into an existing folder.

    Args:
        precision: int8 stores and multiplies the step's matrices in 8 bits

    Raises:
        EngineError: a part of the model cannot be written as a graph.
    """
    learning = model.training
    model.eval()
    try:
        with torch.no_grad():
            _export_encoder(model, folder / graphs.ENCODER)
            if precision == "int8":
                _export_step_int8(model, folder / graphs.STEP)
            else:
                _export_step(model, folder / graphs.STEP)
    finally:
        model.train(learning)


class _EncoderGraph(nn.Module):
    def __init__(self, model: Seq2Seq) -> None:
        super().__init__()
        self.model = model

    def forward(self, *question: Tensor) -> tuple[Tensor, ...]:
        memory, state = self.model.encode(*question)
        return (*memory, *state)


class _StepGraph(nn.Module):
    def __init__(self, model: Seq2Seq, state_count: int) -> None:
        super().__init__()
        self.model = model
        self.state_count = state_count

    def forward(self, tokens: Tensor, *arrays: Tensor) -> tuple[Tensor, ...]:
        state, memory = arrays[: self.state_count], arrays[self.state_count :]
        log_probs, after, weights = self.model.step(tokens, state, memory)
        return (log_probs, weights, *after)


def _export_encoder(model: Seq2Seq, file: Path) -> None:
    example, other = (_EncoderGraph(model)(*_question(model, *size)) for size in (EXAMPLE, OTHER))
    memory, state = model.encode(*_question(model, *EXAMPLE))
    outputs = [*_memory_names(len(memory)), *map(graphs.state_name, range(len(state)))]
    axes = {
        name: _differing(one, two) for name, one, two in zip(outputs, example, other, strict=True)
    }
    question = _question(model, *EXAMPLE)
    inputs = [graphs.IDS, graphs.MASK, graphs.FEATURES][: len(question)]
    for name, tensor in zip(inputs, question, strict=True):
        axes[name] = dict(enumerate(("batch", "source", "features")[: tensor.dim()]))
    _write(_EncoderGraph(model), question, file, inputs=inputs, outputs=outputs, axes=axes)


def _export_step(model: Seq2Seq, file: Path) -> None:
    example, names, axes = _step_example(model, *EXAMPLE)
    other, _, _ = _step_example(model, *OTHER)
    for name, one, two in zip(names, example, other, strict=True):
        axes[name] = _differing(one, two)
    state_count = sum(name.startswith("state_") for name in names)
    after = [graphs.next_state_name(number) for number in range(state_count)]
    step = _StepGraph(model, state_count)
    outputs = [graphs.LOG_PROBS, graphs.WEIGHTS, *after]
    for name, one, two in zip(outputs, step(*example), step(*other), strict=True):
        axes[name] = _differing(one, two)
    _write(step, tuple(example), file, inputs=names, outputs=outputs, axes=axes)


def _step_example(
    model: Seq2Seq, batch: int, source: int
) -> tuple[list[Tensor], list[str], dict[str, dict[int, str]]]:
    """Return inputs of one step with several rows a source, and their names."""
    memory, state = model.encode(*_question(model, batch, source))
    rows = torch.arange(batch).repeat_interleave(BEAMS)
    tokens = torch.full((batch * BEAMS,), START_ID)
    states = [tensor.index_select(0, rows) for tensor in state]
    names = [*map(graphs.state_name, range(len(state))), *_memory_names(len(memory))]
    return [tokens, *states, *memory], [graphs.TOKENS, *names], {}


def _memory_names(count: int) -> list[str]:
    return [graphs.memory_name(number) for number in range(count)]


def _question(model: Seq2Seq, batch: int, source: int) -> tuple[Tensor, ...]:
    ids = torch.arange(batch * source).view(batch, source) % model.vocabulary_size
    mask = torch.ones(batch, source, dtype=torch.bool)
    mask[-1, source - 1] = False
    if model.features is None:
        return ids, mask
    return ids, mask, torch.ones(batch, source, source, dtype=torch.long)  # any number of features


def _differing(one: Tensor, two: Tensor) -> dict[int, str]:
    """Name the axes on which two examples differ; those are dynamic."""
    sizes = enumerate(zip(one.shape, two.shape, strict=True))
    return {axis: f"axis_{axis}_{a}" for axis, (a, b) in sizes if a != b}


def _write(
    module: nn.Module,
    example: tuple[Tensor, ...],
    file: Path,
    *,
    inputs: Sequence[str],
    outputs: Sequence[str],
    axes: dict[str, dict[int, str]],
) -> None:
    try:
        with _quiet():
            torch.onnx.export(
                module,
                example,
                str(file),
                dynamo=False,  # 1 s; the newer exporter takes 8 to 29 s and gives the same graph
                opset_version=OPSET,
                input_names=list(inputs),
                output_names=list(outputs),
                dynamic_axes=axes,
                do_constant_folding=True,
            )
    except (RuntimeError, TypeError, ValueError, torch.onnx.errors.OnnxExporterError) as fault:
        reason = str(fault).strip().split("\n")[0]
        raise EngineError(
            f"The model cannot be written as an ONNX graph: {reason}. In {file.name}. "
            "Set engine.name=torch to run it without one."
        ) from fault


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's known warnings to itself; others still come through."""
    with warnings.catch_warnings():
        for message in (
            "You are using the legacy TorchScript-based ONNX export",
            "The feature will be removed",
            "Exporting a model to ONNX with a batch_size other than 1",
            "Constant folding",
        ):
            warnings.filterwarnings("ignore", message=message)
        # A part may look at a size while it is traced; the test of dynamic sizes covers it.
        warnings.filterwarnings("ignore", message="Converting a tensor to a Python")
        yield


def _export_step_int8(model: Seq2Seq, file: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with tempfile.TemporaryDirectory() as folder:
        exact = Path(folder) / graphs.STEP
        _export_step(model, exact)
        with _silenced(logging.getLogger()):
            quantize_dynamic(
                exact,
                file,
                op_types_to_quantize=["MatMul", "Gemm"],
                per_channel=True,
                reduce_range=True,  # 7 bits: processors without VNNI add up pairs in 16 bits
                weight_type=QuantType.QInt8,
                extra_options={"MatMulConstBOnly": True},
            )


@contextmanager
def _silenced(logger: logging.Logger) -> Iterator[None]:
    """Keep advice to developers away from users."""
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
