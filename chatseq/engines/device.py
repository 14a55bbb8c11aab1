"""Where a network runs: one word for torch and for ONNX Runtime alike.

`auto` takes a GPU where there is one that can be used, and else the processor; whoever names a GPU
gets it or an error. torch is imported only where it is asked about.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from chatseq.core.errors import EngineError

if TYPE_CHECKING:
    import torch

AUTO, CPU, CUDA = "auto", "cpu", "cuda"
_CPU_PROVIDER, _CUDA_PROVIDER = "CPUExecutionProvider", "CUDAExecutionProvider"

Provider = str | tuple[str, dict[str, Any]]


def torch_device(word: str, *, setting: str) -> torch.device:
    """Return the device of torch that a word names.

    Args:
        word: auto, cpu, cuda or cuda:N, as a recipe holds it
        setting: the path of that word, told in the error

    Raises:
        EngineError: a GPU is asked for that torch does not see.
    """
    import torch

    if word == CPU:
        return torch.device(CPU)
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if word == AUTO:
        return torch.device(CUDA if gpus else CPU)
    if not gpus:
        raise EngineError(
            f"torch {torch.__version__} sees no GPU, so {setting} cannot be '{word}'. "
            f"Set {setting}=cpu, or install a torch for CUDA and the driver of the GPU."
        )
    if gpu_number(word) >= gpus:
        raise EngineError(
            f"torch sees no '{word}', for the last GPU is cuda:{gpus - 1}. "
            f"Set {setting}=cuda:{gpus - 1} or {setting}=cpu."
        )
    return torch.device(CUDA, gpu_number(word))


def onnx_providers(word: str) -> list[Provider]:
    """Return what ONNX Runtime shall run a graph with, the first choice first.

    Raises:
        EngineError: a GPU is asked for by an ONNX Runtime that was built without CUDA.
    """
    import onnxruntime

    if word == CPU:
        return [_CPU_PROVIDER]
    if _CUDA_PROVIDER in onnxruntime.get_available_providers():
        # What CUDA has no kernel for, such as some products of int8, runs on the processor.
        return [(_CUDA_PROVIDER, {"device_id": gpu_number(word)}), _CPU_PROVIDER]
    if word == AUTO:
        return [_CPU_PROVIDER]
    raise EngineError(
        f"onnxruntime {onnxruntime.__version__} knows no CUDA, so engine.device cannot be "
        f"'{word}'. Set engine.device=cpu, or install onnxruntime-gpu in its place."
    )


def check_device(engine: str, word: str) -> None:
    """Refuse a device that an engine cannot have here, before anything is done for it.

    Args:
        engine: onnx or torch

    Raises:
        EngineError: there is no such device.
    """
    if engine == "torch":
        torch_device(word, setting="engine.device")
    else:
        onnx_providers(word)


def check_providers(word: str, loaded: Sequence[str]) -> None:
    """Refuse a session that ONNX Runtime quietly made for the processor instead.

    Args:
        loaded: the providers that the session has

    Raises:
        EngineError: a GPU was named and is not among them.
    """
    if word not in (AUTO, CPU) and _CUDA_PROVIDER not in loaded:
        raise EngineError(
            f"ONNX Runtime cannot use the GPU that engine.device='{word}' names. Set "
            "engine.device=cpu, or install the CUDA and cuDNN that this onnxruntime wants."
        )


def gpu_number(word: str) -> int:
    """Return which GPU a word names; the first where it does not say."""
    return int(word.partition(":")[2] or 0)
