"""Run the torch modules themselves: for evaluation while learning, and for GPUs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from chatseq.core.errors import EngineError
from chatseq.engines.contracts import Encoded, StepOutput
from chatseq.engines.device import torch_device
from chatseq.model.build import build_model
from chatseq.model.seq2seq import Seq2Seq

if TYPE_CHECKING:
    from chatseq.core.plugins import Registry
    from chatseq.core.recipe import Recipe

WEIGHTS = "weights.safetensors"


class TorchEngine:
    """Encodes and steps with a model in evaluation mode, without gradients."""

    def __init__(self, model: Seq2Seq) -> None:
        """Take a model; it is switched to evaluation mode for each call and back afterwards."""
        self._model = model

    def encode(self, ids: Tensor, mask: Tensor, features: Tensor | None = None) -> Encoded:
        """Encode questions: ids and mask (batch, source), features (batch, source, features)."""
        with _Evaluation(self._model):
            return Encoded(*self._model.encode(ids, mask, features))

    def step(
        self, tokens: Tensor, state: tuple[Tensor, ...], memory: tuple[Tensor, ...]
    ) -> StepOutput:
        """Advance every row by one token: tokens (rows,)."""
        with _Evaluation(self._model):
            return StepOutput(*self._model.step(tokens, state, memory))

    def array(self, values: Any) -> Tensor:
        """Return integers or booleans as a tensor on the model's device."""
        return torch.as_tensor(np.asarray(values), device=self._model.device)


class _Evaluation:
    """Evaluation mode without gradients, and the mode before it again."""

    def __init__(self, model: Seq2Seq) -> None:
        self._model = model
        self._learning = model.training
        self._no_grad = torch.no_grad()

    def __enter__(self) -> None:
        self._no_grad.__enter__()
        if self._learning:
            self._model.eval()

    def __exit__(self, *fault: object) -> None:
        self._no_grad.__exit__(*fault)
        if self._learning:
            self._model.train()


def load_torch_engine(
    folder: Path, recipe: Recipe, registry: Registry, vocabulary_size: int
) -> TorchEngine:
    """Build the network of a recipe and read its weights.

    Raises:
        EngineError: the weights are missing, damaged or those of another recipe, or torch does not
            see the device.
        PartError: a part is not installed.
    """
    device = torch_device(recipe.engine.device, setting="engine.device")
    torch.set_num_threads(recipe.engine.threads)
    model = build_model(registry, recipe, vocabulary_size)
    file = folder / WEIGHTS
    try:
        model.load_state_dict(load_file(file))
    except Exception as fault:  # safetensors and torch raise classes of their own
        reason = str(fault).strip().split("\n")[0]
        raise EngineError(
            f"The weights {file} do not fit the recipe: {reason}. Train the bot again."
        ) from fault
    return TorchEngine(model.to(device).eval())
