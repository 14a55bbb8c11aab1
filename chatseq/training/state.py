"""What learning changes: the weights, the optimiser's moments, and the best weights so far."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from chatseq.model.seq2seq import Seq2Seq
from chatseq.training.steps import make_optimiser

_MODEL, _BEST, _OPTIMISER = "model/", "best/", "optimiser/"


class TrainingState:
    """A model with its optimiser."""

    def __init__(self, model: Seq2Seq, *, weight_decay: float) -> None:
        self.model = model
        self.optimiser = make_optimiser(model, weight_decay=weight_decay)
        self._best: dict[str, Tensor] | None = None

    @property
    def has_best(self) -> bool:
        """Whether any weights were kept as the best."""
        return self._best is not None

    def keep_as_best(self) -> None:
        """Remember the weights as they are now."""
        self._best = _copied(self.model.state_dict())

    def take_best(self) -> None:
        """Go back to the best weights; without any, the weights stay."""
        if self._best is not None:
            self.model.load_state_dict(self._best)

    def tensors(self) -> dict[str, Tensor]:
        """Return everything by name; the tensors are shared, not copied."""
        named = _named(_MODEL, self.model.state_dict()) | _named(_BEST, self._best or {})
        for number, moments in self.optimiser.state_dict()["state"].items():
            named |= _named(f"{_OPTIMISER}{number}/", moments)
        return named

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Take over what `tensors` gave."""
        self.model.load_state_dict(_under(_MODEL, tensors))
        self._best = _copied(_under(_BEST, tensors)) or None
        moments: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _under(_OPTIMISER, tensors).items():
            number, _, moment = name.partition("/")
            moments.setdefault(int(number), {})[moment] = tensor
        groups = self.optimiser.state_dict()["param_groups"]
        self.optimiser.load_state_dict({"state": moments, "param_groups": groups})


def _named(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {prefix + name: tensor for name, tensor in tensors.items()}


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}


def _copied(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}
