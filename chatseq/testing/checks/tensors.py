"""What the checks of networks share: small tensors, parts as after training, and comparisons."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import torch
from safetensors.torch import load, save
from torch import Tensor, nn

from chatseq.model.contracts import Memory
from chatseq.model.initialise import initialise
from chatseq.testing.check import Make, require
from chatseq.testing.elsewhere import elsewhere

INPUT, MEMORY, QUERY = 6, 8, 8  # widths; memory and query are equal, as a dot product needs
BATCH, SOURCE, TARGET, BEAMS = 3, 5, 4, 2
LENGTHS = (5, 2, 3)  # tokens of each row; the others are padding
NEW_ORDER = (2, 0, 1)  # of the rows
CLOSE = 1e-5
LOUD = 1e4  # far above what a trained network gives to its parts
HALVES = (torch.bfloat16, torch.float16)

Tensors = Sequence[Tensor]
Runs = Callable[[Any], Iterable[Any]]  # a part at work: its results


@contextmanager
def steadily() -> Iterator[None]:
    """Draw the same numbers each time, and leave the generator as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def build(make: Make, *arguments: object, seed: int = 0) -> Any:
    """Return a part that is ready to answer, with weights as different as after training."""
    torch.manual_seed(seed)
    part = make(*arguments)
    require(isinstance(part, nn.Module), f"it builds a {type(part).__name__}, no torch.nn.Module")
    module = cast("nn.Module", part)
    initialise(module)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
    torch.manual_seed(seed)
    return module.eval()


def sample_mask() -> Tensor:
    """Return which tokens are real, (batch, source)."""
    return torch.arange(SOURCE).unsqueeze(0) < torch.tensor(LENGTHS).unsqueeze(1)


def sample_memory() -> Memory:
    """Return what an encoder could have made of a batch."""
    mask = sample_mask()
    states = torch.randn(BATCH, SOURCE, MEMORY) * mask.unsqueeze(2)
    return Memory(states, mask, torch.randn(BATCH, MEMORY))


def padded_more(memory: Memory, more: int = 2) -> Memory:
    """Return the same memory in a batch whose longest row is longer."""
    states = torch.cat([memory.states, memory.states.new_zeros(BATCH, more, MEMORY)], dim=1)
    mask = torch.cat([memory.mask, memory.mask.new_zeros(BATCH, more)], dim=1)
    return Memory(states, mask, memory.summary)


def beam_rows() -> Tensor:
    """Return the source of each row, where every source has the same number of rows."""
    return torch.arange(BATCH).repeat_interleave(BEAMS)


def numbers(found: Iterable[Any]) -> list[Tensor]:
    """Return the tensors of numbers in a result, also those of a state within it."""
    kept: list[Tensor] = []
    for each in found:
        if isinstance(each, Tensor):
            kept += [each] if each.is_floating_point() else []
        elif isinstance(each, tuple):
            kept += numbers(each)
    return kept


def sizes(tensor: Tensor, wanted: tuple[int, ...], name: str) -> None:
    """Require a shape."""
    found = tuple(tensor.shape)
    require(found == wanted, f"{name} is of shape {found} and not {wanted}")


def close(one: Tensor, other: Tensor, what: str, within: float = CLOSE) -> None:
    """Require equal numbers, each the less exactly the larger it is."""
    require(one.shape == other.shape, f"{what}: {tuple(one.shape)} and {tuple(other.shape)}")
    if one.numel():
        one, other = one.detach(), other.detach()
        difference = float(((one - other).abs() / (1 + other.abs())).max())
        require(difference <= within, f"{what} (by {difference:.1e})")


def all_close(some: Iterable[Any], others: Iterable[Any], what: str) -> None:
    """Require that two results are the same, tensor by tensor."""
    one, other = numbers(some), numbers(others)
    require(len(one) == len(other), f"{what}: {len(one)} and {len(other)} tensors")
    for a, b in zip(one, other, strict=True):
        close(a, b, what)


def finite(found: Iterable[Any], what: str) -> None:
    """Require that no number is NaN or infinite."""
    kept = all(bool(tensor.isfinite().all()) for tensor in numbers(found))
    require(kept, f"{what} gives NaN or infinity")


def gradients_reach(module: nn.Module, outputs: Tensors, inputs: dict[str, Tensor]) -> None:
    """Require that something is learnt by every parameter and input, from random gradients."""
    _backward(outputs)
    for name, tensor in (*module.named_parameters(), *inputs.items()):
        gradient = tensor.grad
        require(gradient is not None and bool(gradient.any()), f"no gradient reaches {name}")


def gradients_finite(module: nn.Module, outputs: Tensors, what: str) -> None:
    """Require that no gradient is NaN or infinite."""
    _backward(outputs)
    found = [parameter.grad for parameter in module.parameters()]
    finite([gradient for gradient in found if gradient is not None], f"learning from {what}")


def _backward(outputs: Tensors) -> None:
    total = torch.stack([(tensor * torch.randn_like(tensor)).sum() for tensor in outputs]).sum()
    if total.requires_grad:
        total.backward()  # type: ignore[no-untyped-call]


@torch.no_grad()
def survives_saving(make: Make, arguments: tuple[object, ...], runs: Runs) -> None:
    """Require that weights written and read again by safetensors give the same results."""
    before, after = build(make, *arguments), build(make, *arguments, seed=1)
    written = {name: tensor.contiguous() for name, tensor in before.state_dict().items()}
    after.load_state_dict(load(save(written)))
    all_close(runs(after), runs(before), "with weights that were stored it gives otherwise")


@torch.no_grad()
def repeats(part: Any, arguments: Sequence[Any]) -> None:
    """Require that a call changes neither its arguments nor the part."""
    given = _flat(arguments)
    kept = [tensor.clone() for tensor in given]
    first, second = part(*arguments), part(*arguments)
    all_close([first], [second], "the same call gives otherwise when it is made again")
    same = all(torch.equal(a, b) for a, b in zip(given, kept, strict=True))
    require(same, "it writes into a tensor that it was given")


@torch.no_grad()
def finite_in_halves(part: nn.Module, arguments: Sequence[Any], runs: Callable[..., Any]) -> None:
    """Require finite numbers in both kinds of half precision, of loud inputs too."""
    for half in HALVES:
        module = part.to(half)
        for loudness in (1.0, 30.0):
            given = [_halved(argument, half, loudness) for argument in arguments]
            finite(runs(module, *given), f"{half} with inputs near {loudness:g}")


def made_elsewhere(part: nn.Module, arguments: Sequence[Any], runs: Callable[..., Any]) -> None:
    """Require that a part whose weights and arguments are on another device makes all there.

    It runs forth and back, and takes a step of the optimiser.
    """
    with elsewhere() as device:
        there = part.to(device)
        found = list(runs(there, *(_moved(argument, device) for argument in arguments)))
        stray = [tensor for tensor in _flat(found) if tensor.device != device]
        require(not stray, f"it gives a tensor on {stray[0].device if stray else device}")
        _backward(numbers(found))
        learnt = [each for each in there.parameters() if each.grad is not None]
        if learnt:
            torch.optim.AdamW(learnt, foreach=False).step()


def _moved(given: Any, device: torch.device) -> Any:
    if isinstance(given, Tensor):
        return given.to(device)
    if not isinstance(given, tuple):
        return given
    changed = [_moved(each, device) for each in given]
    return type(given)(*changed) if hasattr(given, "_fields") else type(given)(changed)


def _halved(given: Any, half: torch.dtype, loudness: float) -> Any:
    if isinstance(given, Tensor):
        return (given * loudness).to(half) if given.is_floating_point() else given
    changed = [_halved(each, half, loudness) for each in given]
    return type(given)(*changed) if hasattr(given, "_fields") else type(given)(changed)


def _flat(found: Iterable[Any]) -> list[Tensor]:
    kept: list[Tensor] = []
    for each in found:
        if isinstance(each, Tensor):
            kept.append(each)
        elif each is not None:
            kept += _flat(each)
    return kept
