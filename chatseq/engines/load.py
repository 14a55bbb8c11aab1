"""Choose and load the engine of a trained bot."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from chatseq.engines.contracts import Engine
from chatseq.errors import EngineError

if TYPE_CHECKING:
    from chatseq.plugins import Registry
    from chatseq.recipe import Recipe

WEIGHTS = "weights.safetensors"


def load_engine(folder: Path, recipe: Recipe, registry: Registry, vocabulary_size: int) -> Engine:
    """Return the engine that the recipe names; torch is imported only for `torch`.

    Raises:
        EngineError: a graph or the weights are missing or damaged.
        PartError: the torch engine needs a part that is not installed.
    """
    if recipe.engine.name == "torch":
        return _torch_engine(folder, recipe, registry, vocabulary_size)
    from chatseq.engines.onnx_engine import OnnxEngine

    return OnnxEngine(folder, threads=recipe.engine.threads)


def _torch_engine(folder: Path, recipe: Recipe, registry: Registry, vocabulary_size: int) -> Engine:
    import torch
    from safetensors.torch import load_file

    from chatseq.engines.torch_engine import TorchEngine
    from chatseq.model.build import build_model

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
    return TorchEngine(model.eval())
