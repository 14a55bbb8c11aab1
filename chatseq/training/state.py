"""What learning changes: weights, their average, the best so far, and the optimiser's moments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor

from chatseq.model.seq2seq import Seq2Seq
from chatseq.training.step import make_optimiser

_MODEL, _MEAN, _BEST, _OPTIMISER = "model/", "mean/", "best/", "optimiser/"


class TrainingState:
    """A model with its optimiser."""

    def __init__(self, model: Seq2Seq, *, weight_decay: float, ema: float = 0.0) -> None:
        """Take a model.

        Args:
            ema: how much of the average stays at each step, 0 to below 1; 0: nothing is averaged
        """
        self.model = model
        self.optimiser = make_optimiser(model, weight_decay=weight_decay)
        self._ema = ema
        self._mean: dict[str, Tensor] = {}
        self._best: dict[str, Tensor] | None = None

    @property
    def has_best(self) -> bool:
        """Whether any weights were kept as the best."""
        return self._best is not None

    @torch.no_grad()
    def update_ema(self, steps: int) -> None:
        """Let the weights enter their exponential average (Polyak and Juditsky 1992).

        At first little of the average stays, so that it soon forgets where learning began.

        Args:
            steps: that entered before this one
        """
        if not self._ema:
            return
        stays = min(self._ema, (1 + steps) / (10 + steps))
        for name, weights in self.model.named_parameters():
            if name in self._mean:
                self._mean[name].lerp_(weights, 1 - stays)
            else:
                self._mean[name] = weights.detach().clone()

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Give the model its averaged weights for as long as the block lasts, where there are any.

        Only their numbers change: what holds on to the weights still does.
        """
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def save_best(self) -> None:
        """Remember the weights as they are now; inside `averaged`, the averaged ones."""
        self._best = _copied(self.model.state_dict(), self.model.device)

    def restore_best(self) -> None:
        """Go back to the best weights; without any, take the averaged ones."""
        if self._best is not None:
            self.model.load_state_dict(self._best)
        else:
            self._swap()

    def tensors(self) -> dict[str, Tensor]:
        """Return everything by name; the tensors are shared, not copied."""
        named = _named(_MODEL, self.model.state_dict()) | _named(_BEST, self._best or {})
        named |= _named(_MEAN, self._mean)
        for number, moments in self.optimiser.state_dict()["state"].items():
            named |= _named(f"{_OPTIMISER}{number}/", moments)
        return named

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Take over what `tensors` gave."""
        self.model.load_state_dict(_under(_MODEL, tensors))
        device = self.model.device
        self._mean = _copied(_under(_MEAN, tensors), device)
        self._best = _copied(_under(_BEST, tensors), device) or None
        moments: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _under(_OPTIMISER, tensors).items():
            number, _, moment = name.partition("/")
            moments.setdefault(int(number), {})[moment] = tensor
        groups = self.optimiser.state_dict()["param_groups"]
        self.optimiser.load_state_dict({"state": moments, "param_groups": groups})

    @torch.no_grad()
    def _swap(self) -> None:
        for name, weights in self.model.named_parameters():
            if name in self._mean:
                now = weights.clone()
                weights.copy_(self._mean[name])
                self._mean[name] = now


def _named(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {prefix + name: tensor for name, tensor in tensors.items()}


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}


def _copied(tensors: Mapping[str, Tensor], device: torch.device) -> dict[str, Tensor]:
    return {name: tensor.detach().to(device, copy=True) for name, tensor in tensors.items()}
