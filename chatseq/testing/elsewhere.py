"""A device that is not there: tensors that say they are elsewhere, to find those that are not.

On a GPU a tensor that was made without its device is an error, and on a processor nothing shows.
torch's `meta` device knows no numbers, so whatever looks at one cannot run there, and it lets most
strays pass: a product of a meta tensor and another one is no error. Here a tensor reports `meta` as
its device and carries its numbers along; an operation that meets one of these and a tensor of the
processor is an error, whatever its shape. Everything runs: losses, gradients, optimisers, searches.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._mode_utils import no_dispatch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter, tree_map

ELSEWHERE = torch.device("meta")
_HOST = torch.device("cpu")
# What may take numbers from one device to the other, because it was asked to.
_TRANSFERS = ("aten::_to_copy", "aten::copy_", "aten::_local_scalar_dense")
# These take plain numbers; torch gives none to its own meta device.
_FROM_NUMBERS = (torch.tensor, torch.as_tensor, torch.asarray)
_INDEXES = (Tensor.__getitem__, Tensor.__setitem__)


class StrayTensorError(RuntimeError):
    """Tensors of two devices met, as they never do where there is but one."""


class _There(Tensor):
    """A tensor elsewhere; `numbers` is what it holds, on the processor."""

    numbers: Tensor

    @staticmethod
    def __new__(cls, numbers: Tensor) -> _There:
        made = Tensor._make_wrapper_subclass(
            cls,
            numbers.size(),
            strides=numbers.stride(),
            storage_offset=numbers.storage_offset(),
            dtype=numbers.dtype,
            device=ELSEWHERE,
            requires_grad=numbers.requires_grad,
        )
        made.numbers = numbers.detach()
        return made

    def __repr__(self, **_: object) -> str:  # type: ignore[override]
        return f"elsewhere({self.numbers!r})"

    def tolist(self) -> Any:
        return self.numbers.tolist()

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, function: Any, types: object, args: Any = (), kwargs: Any = None
    ) -> Any:
        return _run(function, args, kwargs or {})


class _Makes(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Makes tensors elsewhere where that device is asked for."""

    def __torch_dispatch__(
        self, function: Any, types: object, args: Any = (), kwargs: Any = None
    ) -> Any:
        return _run(function, args, kwargs or {})


class _MakesFromNumbers(TorchFunctionMode):
    def __torch_function__(
        self, function: Any, types: object, args: Any = (), kwargs: Any = None
    ) -> Any:
        wanted = dict(kwargs or {})
        if function in _FROM_NUMBERS and torch.device(wanted.get("device") or _HOST) == ELSEWHERE:
            del wanted["device"]
            return function(*args, **wanted).to(ELSEWHERE)
        if function in _INDEXES and isinstance(args[0], _There):
            args = (args[0], _index(args[1]), *args[2:])
        return function(*args, **wanted)


@contextmanager
def elsewhere() -> Iterator[torch.device]:
    """Let there be a device for as long as the block lasts, and give it: torch's `meta`, by name.

    Raises:
        StrayTensorError: inside the block, when tensors of both devices meet in one operation.
    """
    with _MakesFromNumbers(), _Makes():  # type: ignore[no-untyped-call]
        yield ELSEWHERE


def _index(index: Any) -> Any:
    """Return an index whose lists are tensors elsewhere, as torch makes them on a GPU."""
    if isinstance(index, tuple):
        return tuple(map(_index, index))
    if not isinstance(index, list):
        return index
    return torch.tensor(index, dtype=None if index else torch.long).to(ELSEWHERE)


def _run(function: Any, args: Any, kwargs: Mapping[str, Any]) -> Any:
    given = [each for each in tree_iter((args, kwargs)) if _belongs_somewhere(each)]
    there = [isinstance(each, _There) for each in given]
    name = function._schema.name
    if any(there) and not all(there) and name not in _TRANSFERS:
        stray = given[there.index(False)]
        raise StrayTensorError(
            f"{name} met a tensor of {tuple(stray.shape)} on {stray.device} beside one on "
            f"{ELSEWHERE}. Make it with device=... of a tensor beside it."
        )
    device = kwargs.get("device")
    goes = any(there) if device is None else torch.device(device) == ELSEWHERE
    if name == "aten::_local_scalar_dense":
        goes = False
    elif name == "aten::copy_":
        goes = there[0]
    wanted = dict(kwargs) if device is None else {**kwargs, "device": _HOST}
    inner = tree_map(_numbers, (args, wanted))
    made = function(*inner[0], **inner[1])
    if (
        any(there) and torch.Tag.inplace_view in function.tags
    ):  # `transpose_`: what is reported changes as well
        with no_dispatch():
            return function(*args, **kwargs)
    if name == "aten::scalar_tensor":
        made.is_plain_number = True
    if not goes:
        return made
    same = {id(each.numbers): each for each in given if isinstance(each, _There)}
    return tree_map(lambda each: _placed(each, same), made)


def _belongs_somewhere(given: Any) -> bool:
    """Tell tensors from all else, and from what torch makes of a number such as 0.5 in a call."""
    return isinstance(given, Tensor) and not getattr(given, "is_plain_number", False)


def _numbers(given: Any) -> Any:
    return given.numbers if isinstance(given, _There) else given


def _placed(made: Any, same: Mapping[int, _There]) -> Any:
    """Return a tensor elsewhere; that of an operation in place is the one it was given."""
    if not isinstance(made, Tensor):
        return made
    known = same.get(id(made))
    return _There(made) if known is None else known
