"""What an engine must offer to the decoding loop. Arrays are NumPy's or torch's; no module is seen.

Two engines exist: `onnx` runs exported graphs without importing torch, `torch` runs the modules.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

Array = Any  # follows the Python array API through array_api_compat


class Encoded(NamedTuple):
    """What one batch of questions became."""

    memory: tuple[Array, ...]  # (batch, ...) each, never replicated for beams
    state: tuple[Array, ...]  # (batch, ...) each, the decoder's state before the first token


class StepOutput(NamedTuple):
    """What one step of the decoder gave."""

    log_probs: Array  # (rows, vocab)
    state: tuple[Array, ...]  # (rows, ...) each
    weights: Array  # (rows, source)


class Engine(Protocol):
    """Encodes questions once and steps through replies.

    `rows` of a step is batch x k with the k rows of one source adjacent; k may change from step to
    step but is the same for every source.
    """

    def encode(self, ids: Array, mask: Array, features: Array | None = None) -> Encoded:
        """Encode questions.

        Args:
            ids: (batch, source) integers
            mask: (batch, source) bool
            features: (batch, source, features) integers, 0 where there is none; see
                chatseq.text.question_encoder
        """

    def step(
        self, tokens: Array, state: tuple[Array, ...], memory: tuple[Array, ...]
    ) -> StepOutput:
        """Advance every row by one token: tokens (rows,)."""

    def array(self, values: Any) -> Array:
        """Return integers or booleans, a NumPy array or nested lists, as this engine's array."""
