"""One word chooses the device of each engine; without a GPU, `auto` says nothing and a GPU does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import onnxruntime
import pytest
import torch

from chatseq.bots.overrides import apply_overrides
from chatseq.core.errors import EngineError, RecipeError
from chatseq.core.plugins import Registry
from chatseq.core.recipe import Recipe
from chatseq.engines import graphs
from chatseq.engines.device import onnx_providers, torch_device
from chatseq.engines.onnx_engine import OnnxEngine
from chatseq.engines.torch_engine import load_torch_engine

CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"


def with_gpus(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)


class Session:
    """An ONNX Runtime session that takes the providers it is given, those that work."""

    usable: tuple[str, ...] = (CUDA, CPU)
    raises = False
    tried: ClassVar[list[list[Any]]]

    def __init__(self, _: str, options: object, *, providers: list[Any], enable_fallback: int):
        assert not enable_fallback  # it would print
        self.tried.append(providers)
        named = [each if isinstance(each, str) else each[0] for each in providers]
        if self.raises and CUDA in named:
            raise RuntimeError("CUDA failure 101: invalid device ordinal")
        self.loaded = [name for name in named if name in self.usable]

    def get_providers(self) -> list[str]:
        return self.loaded

    def get_outputs(self) -> Sequence[Any]:
        return []

    get_inputs = get_outputs


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> type[Session]:
    class Fake(Session):
        tried: ClassVar[list[list[Any]]] = []

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CUDA, CPU])
    monkeypatch.setattr(onnxruntime, "InferenceSession", Fake)
    for name in (graphs.ENCODER, graphs.STEP):
        (tmp_path / name).touch()
    return Fake


# The word in a recipe.


@pytest.mark.parametrize("section", ["training", "engine"])
@pytest.mark.parametrize("word", ["auto", "cpu", "cuda", "cuda:0", "cuda:12"])
def test_a_recipe_takes_the_words_for_devices(recipe: Recipe, section: str, word: str) -> None:
    applied = recipe.apply([f"{section}.device={word}"])
    assert getattr(applied, section).device == word


@pytest.mark.parametrize("word", ["gpu", "cuda:", "cuda:x", "CUDA", "cpu:0", "mps"])
def test_another_word_is_refused_with_those_that_there_are(recipe: Recipe, word: str) -> None:
    told = "cannot be .* a device is auto, cpu, cuda or cuda:N, as cuda:1. Change it."
    with pytest.raises(RecipeError, match=rf"^training\.device {told}$"):
        recipe.apply([f"training.device={word}"])


def test_a_trained_bot_may_change_its_device_but_not_that_of_its_training(recipe: Recipe) -> None:
    moved = apply_overrides(recipe, ["engine.device=cuda:1"], where="--set")
    assert moved.engine.device == "cuda:1"
    with pytest.raises(RecipeError, match="'training.device' is fixed once a bot is trained"):
        apply_overrides(recipe, ["training.device=cpu"], where="--set")


# torch.


@pytest.mark.parametrize(
    ("word", "gpus", "wanted"),
    [
        ("auto", 0, "cpu"),
        ("auto", 2, "cuda"),
        ("cpu", 2, "cpu"),
        ("cuda", 1, "cuda:0"),
        ("cuda:1", 2, "cuda:1"),
    ],
)
def test_a_word_names_a_device_of_torch(
    word: str, gpus: int, wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_gpus(monkeypatch, gpus)
    assert torch_device(word, setting="engine.device") == torch.device(wanted)


@pytest.mark.parametrize(
    ("word", "gpus", "told"),
    [
        (
            "cuda",
            0,
            "torch .* sees no GPU, .* be 'cuda'. Set training.device=cpu, or .*",
        ),
        (
            "cuda:2",
            2,
            "torch sees no 'cuda:2', .* Set training.device=cuda:1 or training.device=cpu.",
        ),
    ],
)
def test_a_gpu_that_torch_does_not_see_is_told_in_one_line(
    word: str, gpus: int, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_gpus(monkeypatch, gpus)
    with pytest.raises(EngineError, match=rf"^{told}$") as fault:
        torch_device(word, setting="training.device")
    assert "\n" not in str(fault.value)


def test_the_torch_engine_wants_the_gpu_that_was_named(
    registry: Registry, recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_gpus(monkeypatch, 0)
    on_a_gpu = recipe.apply(["engine.device=cuda"])
    with pytest.raises(EngineError, match=r"Set engine.device=cpu"):
        load_torch_engine(tmp_path, on_a_gpu, registry, 70)


# ONNX Runtime.


def test_without_cuda_auto_is_the_processor_and_a_gpu_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [CPU])
    assert onnx_providers("auto") == onnx_providers("cpu") == [CPU]
    told = r"^onnxruntime .* knows no CUDA.* 'cuda:1'. Set engine.device=cpu, or .*onnxruntime-gpu"
    with pytest.raises(EngineError, match=told):
        onnx_providers("cuda:1")


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        ("cpu", [CPU]),
        ("auto", [(CUDA, {"device_id": 0}), CPU]),
        ("cuda", [(CUDA, {"device_id": 0}), CPU]),
        ("cuda:3", [(CUDA, {"device_id": 3}), CPU]),
    ],
)
def test_a_word_names_the_providers_of_both_graphs(
    word: str, wanted: list[Any], session: type[Session], tmp_path: Path
) -> None:
    OnnxEngine(tmp_path, device=word)
    assert session.tried == [wanted, wanted]


@pytest.mark.parametrize("raises", [True, False])
def test_a_gpu_that_does_not_work_is_left_by_auto_and_told_when_it_was_named(
    raises: bool,
    session: type[Session],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    session.usable, session.raises = (CPU,), raises
    OnnxEngine(tmp_path, device="auto")
    with pytest.raises(EngineError, match=r"cannot use the GPU that engine.device='cuda:1' names"):
        OnnxEngine(tmp_path, device="cuda:1")
    assert capfd.readouterr() == ("", "")


def test_choosing_the_providers_imports_no_torch() -> None:
    code = (
        "import sys\n"
        "from chatseq.engines.device import onnx_providers\n"
        "assert onnx_providers('auto')\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
