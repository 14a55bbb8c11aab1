"""Run exported graphs with ONNX Runtime; neither torch nor the parts' plugins are imported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from chatseq.core.errors import EngineError
from chatseq.engines import graphs
from chatseq.engines.contracts import Encoded, StepOutput
from chatseq.engines.device import CPU, Provider, check_providers, onnx_providers

Array = np.ndarray[Any, Any]


class OnnxEngine:
    """Encodes and steps with the two graphs of a folder."""

    def __init__(self, folder: Path, *, threads: int = 1, device: str = CPU) -> None:
        """Load the graphs.

        Args:
            threads: for one question at a time, one is fastest
            device: see chatseq.engines.device; arrays are NumPy's whatever it is

        Raises:
            EngineError: a graph is missing or damaged, or cannot run on this device.
        """
        self._encoder = _session(folder / graphs.ENCODER, threads, device)
        self._step = _session(folder / graphs.STEP, threads, device)
        outputs = [output.name for output in self._encoder.get_outputs()]
        self._memory_names = [name for name in outputs if name.startswith("memory_")]
        self._state_names = [name for name in outputs if name.startswith("state_")]
        self._reads_features = graphs.FEATURES in {i.name for i in self._encoder.get_inputs()}
        self._wanted = {wanted.name for wanted in self._step.get_inputs()}
        self._after = [
            graphs.LOG_PROBS,
            graphs.WEIGHTS,
            *map(graphs.next_state_name, range(len(self._state_names))),
        ]

    def encode(self, ids: Array, mask: Array, features: Array | None = None) -> Encoded:
        """Encode questions: ids and mask (batch, source), features (batch, source, features)."""
        names = [*self._memory_names, *self._state_names]
        given = {graphs.IDS: ids, graphs.MASK: mask}
        if self._reads_features:
            if features is None:
                raise ValueError("This model reads questions with features; none were given.")
            given[graphs.FEATURES] = features
        found = _run(self._encoder, names, given)
        count = len(self._memory_names)
        return Encoded(tuple(found[:count]), tuple(found[count:]))

    def step(
        self, tokens: Array, state: tuple[Array, ...], memory: tuple[Array, ...]
    ) -> StepOutput:
        """Advance every row by one token: tokens (rows,)."""
        given = {graphs.TOKENS: np.asarray(tokens, np.int64)}
        given.update(zip(self._state_names, state, strict=True))
        given.update(zip(self._memory_names, memory, strict=True))
        wanted = {name: array for name, array in given.items() if name in self._wanted}
        log_probs, weights, *after = _run(self._step, self._after, wanted)
        return StepOutput(log_probs, tuple(after), weights)

    def array(self, values: Any) -> Array:
        """Return integers or booleans as an array."""
        return np.asarray(values)


def _session(file: Path, threads: int, device: str) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = 4  # faults come as exceptions
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # no idle heat
    try:
        file.open("rb").close()
    except OSError as fault:
        raise EngineError(
            f"Cannot read the graph {file}: {fault.strerror}. Train the bot again."
        ) from fault
    try:
        session = _opened(file, options, device)
    except EngineError:
        raise
    except Exception as fault:  # ONNX Runtime raises many classes of its own
        raise EngineError(
            f"The graph {file} is damaged or too new for onnxruntime {onnxruntime.__version__}: "
            f"{_first_line(fault)}. Train the bot again."
        ) from fault
    check_providers(device, session.get_providers())
    return session


def _opened(file: Path, options: Any, device: str) -> Any:
    def with_providers(providers: list[Provider]) -> Any:
        # By its path, not as bytes: 10 to 45 MB less memory, a third less time.
        return onnxruntime.InferenceSession(
            str(file), options, providers=providers, enable_fallback=0
        )

    wanted = onnx_providers(device)
    try:
        return with_providers(wanted)
    except Exception:
        if len(wanted) == 1:
            raise
        return with_providers(onnx_providers(CPU))  # ONNX Runtime would do so too, and print it


def _run(session: Any, names: list[str], given: dict[str, Array]) -> list[Array]:
    try:
        found: list[Array] = session.run(names, given)
    except Exception as fault:
        raise EngineError(
            f"The graph cannot run: {_first_line(fault)}. Train the bot again."
        ) from fault
    return found


def _first_line(fault: Exception) -> str:
    return str(fault).strip().split("\n")[0]
