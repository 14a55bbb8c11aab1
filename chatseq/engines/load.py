"""Choose and load the engine of a trained bot."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from chatseq.engines.contracts import Engine

if TYPE_CHECKING:
    from chatseq.core.plugins import Registry
    from chatseq.core.recipe import Recipe


def load_engine(folder: Path, recipe: Recipe, registry: Registry, vocabulary_size: int) -> Engine:
    """Return the engine that the recipe names; torch is imported only for `torch`.

    Raises:
        EngineError: a graph or the weights are missing or damaged, or there is no such device.
        PartError: the torch engine needs a part that is not installed.
    """
    if recipe.engine.name == "torch":
        from chatseq.engines.torch_engine import load_torch_engine

        return load_torch_engine(folder, recipe, registry, vocabulary_size)
    from chatseq.engines.onnx_engine import OnnxEngine

    return OnnxEngine(folder, threads=recipe.engine.threads, device=recipe.engine.device)
