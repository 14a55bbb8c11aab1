"""The names that join the two exported graphs; known to the exporter and to the engine.

encoder.onnx: ids, mask, features -> memory_0, memory_1, ..., state_0, ...
step.onnx: tokens, state_0, ..., memory_0, ... -> log_probs, weights, next_state_0, ...

What a part keeps in its memory and its state is its own affair, so tensors are numbered. A graph
lacks the inputs that it does not use: features, where questions are read without.
"""

from __future__ import annotations

ENCODER = "encoder.onnx"
STEP = "step.onnx"

IDS = "ids"
MASK = "mask"
FEATURES = "features"
TOKENS = "tokens"
LOG_PROBS = "log_probs"
WEIGHTS = "weights"


def memory_name(number: int) -> str:
    """Return the name of one tensor of the memory."""
    return f"memory_{number}"


def state_name(number: int) -> str:
    """Return the name of one tensor of the state, going in."""
    return f"state_{number}"


def next_state_name(number: int) -> str:
    """Return the name of one tensor of the state, coming out."""
    return f"next_state_{number}"
