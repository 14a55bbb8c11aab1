"""Every attention with every normaliser gives the same as a graph, at other sizes than exported."""

from __future__ import annotations

import io
import warnings
from typing import Any, get_args

import numpy as np
import onnxruntime
import pytest
import torch
from selection import thinned
from torch import Tensor, nn

from chatseq.core.options import options_of
from chatseq.core.plugins import discover
from chatseq.model.contracts import Memory, take
from chatseq_attention.normalise import Normaliser

PARTS = discover().parts("attention")
NAMES = [name for name, part in PARTS.items() if part.plugin.name == "chatseq_attention"]
WITH = [
    (name, normaliser)
    for name in NAMES
    for normaliser in (
        get_args(Normaliser) if "normaliser" in options_of(PARTS[name].load()) else [""]
    )
]
WIDTH = 6
OPSET = 18
EXAMPLE, OTHER = (2, 5, 2), (3, 7, 4)  # batch, source, rows a source
SIZES = [(1, 1, 1), (1, 9, 5), (4, 30, 1), (3, 2, 3)]


class Step(nn.Module):
    """One step of an attention, with plain tensors in and out."""

    def __init__(self, attention: Any, states: int) -> None:
        super().__init__()
        self.attention = attention
        self.states = states

    def forward(self, query: Tensor, *given: Tensor) -> tuple[Tensor, ...]:
        found = self.attention(query, given[self.states :], given[: self.states])
        return (found.context, found.weights, *found.state)


class Start(nn.Module):
    """What is made once a source."""

    def __init__(self, attention: Any) -> None:
        super().__init__()
        self.attention = attention

    def forward(self, states: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
        memory = Memory(states, mask, states[:, 0])
        return (*self.attention.prepare(memory), *self.attention.start(memory))


def memory_of(batch: int, source: int, *, empty: bool = False) -> tuple[Tensor, Tensor]:
    lengths = torch.tensor([[source - row % source] for row in range(batch)])
    mask = torch.arange(source) < (lengths * 0 if empty else lengths)
    return torch.randn(batch, source, WIDTH) * mask.unsqueeze(2), mask


def step_inputs(attention: Any, size: tuple[int, int, int], scale: float = 1.0) -> list[Tensor]:
    batch, source, k = size
    states, mask = memory_of(batch, source)
    memory = Memory(states, mask, states[:, 0])
    query = torch.randn(batch * k, 1, WIDTH) * scale
    rows = torch.arange(batch).repeat_interleave(k)
    state = take(attention.start(memory), rows)
    prepared = tuple(attention.prepare(memory))
    history = attention(torch.randn(batch * k, 2, WIDTH), prepared, state).state
    return [query, *history, *prepared]


def differing(one: Tensor, other: Tensor) -> dict[int, str]:
    pairs = enumerate(zip(one.shape, other.shape, strict=True))
    return {axis: f"size_{a}" for axis, (a, b) in pairs if a != b}  # equal names mean equal sizes


def exported(module: nn.Module, example: list[Tensor], other: list[Tensor]) -> Any:
    """Return a session of a graph; axes on which the examples differ are dynamic."""
    names = [f"input_{number}" for number in range(len(example))]
    file = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            tuple(example),
            file,
            dynamo=False,
            opset_version=OPSET,
            input_names=names,
            dynamic_axes=dict(zip(names, map(differing, example, other), strict=True)),
        )
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(file.getvalue(), options)


def assert_graph_equals_torch(session: Any, module: nn.Module, given: list[Tensor]) -> None:
    wanted = {wanted.name for wanted in session.get_inputs()}  # of what is not used there is none
    named = {f"input_{number}": tensor.detach().numpy() for number, tensor in enumerate(given)}
    found = session.run(None, {name: named[name] for name in wanted})
    with torch.no_grad():
        expected = module(*given)
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other.numpy(), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("name", "normaliser"), thinned(WITH))
def test_a_step_as_a_graph_equals_torch_at_any_size(name: str, normaliser: str) -> None:
    torch.manual_seed(0)
    options = {"normaliser": normaliser} if normaliser else {}
    attention = PARTS[name].load()(WIDTH, WIDTH, **options).eval()
    states = len(attention.start(Memory(*memory_of(1, 2), torch.zeros(1, WIDTH))))
    step = Step(attention, states)
    session = exported(step, step_inputs(attention, EXAMPLE), step_inputs(attention, OTHER))
    for size in SIZES:
        assert_graph_equals_torch(session, step, step_inputs(attention, size))
    assert_graph_equals_torch(session, step, step_inputs(attention, SIZES[-1], scale=1e4))
    nothing = step_inputs(attention, EXAMPLE)
    nothing[states + 2] = torch.zeros_like(nothing[states + 2])  # the mask: all padding
    assert_graph_equals_torch(session, step, nothing)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_made_once_a_source_equals_torch_as_a_graph(name: str) -> None:
    torch.manual_seed(0)
    start = Start(PARTS[name].load()(WIDTH, WIDTH).eval())
    session = exported(start, [*memory_of(*EXAMPLE[:2])], [*memory_of(*OTHER[:2])])
    for batch, source, _ in SIZES:
        assert_graph_equals_torch(session, start, [*memory_of(batch, source)])
    assert_graph_equals_torch(session, start, [*memory_of(2, 4, empty=True)])
