"""Run the torch modules themselves: for evaluation while learning, and for GPUs."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from chatseq.engines.contracts import Encoded, Stepped
from chatseq.model.seq2seq import Seq2Seq


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
    ) -> Stepped:
        """Advance every row by one token: tokens (rows,)."""
        with _Evaluation(self._model):
            return Stepped(*self._model.step(tokens, state, memory))

    def array(self, values: Any) -> Tensor:
        """Return integers or booleans as a tensor on the model's device."""
        return torch.as_tensor(np.asarray(values), device=self._model.bias.device)


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
