"""Write a model as two ONNX graphs that need neither torch nor any Python class of a part.

Needs torch and onnx; the engine that runs the graphs needs neither. Graphs are traced on one small
example. Which axes may differ is found by comparing it with another, and what was written is run on
a third, so that a graph that only fits its example never becomes a bot.
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

from chatseq.core.errors import EngineError
from chatseq.core.plugins import first_line
from chatseq.engines import graphs
from chatseq.engines.agreement import first_difference
from chatseq.engines.onnx_engine import OnnxEngine
from chatseq.engines.torch_engine import TorchEngine
from chatseq.model.contracts import take
from chatseq.model.seq2seq import Seq2Seq
from chatseq.text.tokenizer import START_ID

Precision = Literal["fp32", "int8"]
OPSET = 18
EXAMPLE = (2, 5)  # batch and source of the traced example
OTHER = (3, 7)  # axes that differ from the example's are dynamic
PROOF = (4, 9)  # what was written is run on these, larger than both: a cut to a size shows
BEAMS = 2  # rows for each source in the example
# Before an example of a step is taken, it has made 1 step and the other 2: then an axis that grows
# with the steps differs as well, and is not empty, which would be a constant to the tracer.
STEPS, OTHER_STEPS = 1, 2


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
        with torch.no_grad(), tempfile.TemporaryDirectory(dir=folder) as place:
            exact = Path(place)
            _export_encoder(model, exact / graphs.ENCODER)
            _export_step(model, exact / graphs.STEP)
            _prove(model, exact)
            if precision == "int8":
                _quantise(exact / graphs.STEP, folder / graphs.STEP)
            else:
                (exact / graphs.STEP).replace(folder / graphs.STEP)
            (exact / graphs.ENCODER).replace(folder / graphs.ENCODER)
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
    example, names = _step_example(model, *EXAMPLE, STEPS)
    other, _ = _step_example(model, *OTHER, OTHER_STEPS)
    axes = {
        name: _differing(one, two) for name, one, two in zip(names, example, other, strict=True)
    }
    state_count = sum(name.startswith("state_") for name in names)
    after = [graphs.next_state_name(number) for number in range(state_count)]
    step = _StepGraph(model, state_count)
    outputs = [graphs.LOG_PROBS, graphs.WEIGHTS, *after]
    for name, one, two in zip(outputs, step(*example), step(*other), strict=True):
        axes[name] = _differing(one, two)
    _write(step, tuple(example), file, inputs=names, outputs=outputs, axes=axes)


def _step_example(
    model: Seq2Seq, batch: int, source: int, steps: int
) -> tuple[list[Tensor], list[str]]:
    """Return inputs of a step with several rows a source, some steps on, and their names."""
    memory, state = model.encode(*_question(model, batch, source))
    rows = torch.arange(batch).repeat_interleave(BEAMS)
    tokens = torch.full((batch * BEAMS,), START_ID)
    state = take(state, rows)
    for _ in range(steps):
        state = model.step(tokens, state, memory).state
    names = [*map(graphs.state_name, range(len(state))), *_memory_names(len(memory))]
    return [tokens, *state, *memory], [graphs.TOKENS, *names]


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
    except Exception as fault:  # each operator's writer raises classes of its own
        raise _unwritable(f"{first_line(fault)}, in {file.name}") from fault


def _prove(model: Seq2Seq, folder: Path) -> None:
    """Run what was written on questions of other sizes than those of the examples."""
    question = [tensor.numpy() for tensor in _question(model, *PROOF)]
    try:
        difference = first_difference(TorchEngine(model), OnnxEngine(folder), question)
    except EngineError as fault:
        raise _unwritable(first_line(fault.__cause__ or fault)) from fault
    if difference:
        raise _unwritable(f"for sizes unlike those that it was traced with, {difference}")


def _unwritable(reason: str) -> EngineError:
    return EngineError(
        f"The model cannot be written as an ONNX graph: {reason}. "
        "Set engine.name=torch to run it without one."
    )


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


def _quantise(exact: Path, file: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

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
