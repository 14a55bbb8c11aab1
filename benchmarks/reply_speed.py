"""How long the engines take: export, load, read a question, one token, and a reply of 20 tokens.

    python benchmarks/reply_speed.py [--recipes tiny small] [--runs 200]

Weights are random, which changes no time. One thread, one question of 12 tokens at a time; times
are the 10th percentile and the median. The torch engine stands beside it for comparison. Memory is
the largest resident size of a process that only loads the graphs and answers once (Linux).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from chatseq.core.plugins import discover
from chatseq.core.recipe import Recipe, load_recipe
from chatseq.engines.contracts import Engine
from chatseq.engines.export import export_graphs
from chatseq.engines.onnx_engine import OnnxEngine
from chatseq.engines.torch_engine import TorchEngine
from chatseq.model.build import build_model

SOURCE, REPLY = 12, 20

ALONE = r"""
import pathlib, re, sys
import numpy as np
from chatseq.engines.onnx_engine import OnnxEngine
engine = OnnxEngine(pathlib.Path(sys.argv[1]))
features = np.ones((1, 12, int(sys.argv[2])), int)
memory, state = engine.encode(np.ones((1, 12), int), np.ones((1, 12), bool), features)
engine.step(np.array([1]), state, memory)
# Not getrusage, which counts what the parent had before it became this process.
status = pathlib.Path("/proc/self/status").read_text()
print(int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024)
"""


def percentiles(work: Callable[[], object], runs: int) -> tuple[float, float]:
    """Return the 10th percentile and the median in microseconds."""
    times = []
    for _ in range(runs + 10):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    ordered = sorted(times[10:])
    return ordered[runs // 10] * 1e6, ordered[runs // 2] * 1e6


def question(engine: Engine, recipe: Recipe) -> list[Any]:
    chance = np.random.default_rng(0)
    width = recipe.question.features
    features = chance.integers(1, recipe.question.feature_buckets, (1, SOURCE, width))
    ids, mask = chance.integers(3, 500, (1, SOURCE)), np.ones((1, SOURCE), dtype=bool)
    return [engine.array(part) for part in (ids, mask, features)]


def reply(engine: Engine, asked: list[Any]) -> None:
    """Answer as greedy decoding does, 20 tokens long."""
    memory, state = engine.encode(*asked)
    token = engine.array([1])
    for _ in range(REPLY):
        log_probs, state, _ = engine.step(token, state, memory)
        token = log_probs.argmax(1)


def row(name: str, what: str, engine: Engine, recipe: Recipe, runs: int) -> str:
    asked = question(engine, recipe)
    memory, state = engine.encode(*asked)
    token = engine.array([5])
    step = percentiles(lambda: engine.step(token, state, memory), runs)
    read = percentiles(lambda: engine.encode(*asked), runs)
    whole = percentiles(lambda: reply(engine, asked), max(20, runs // 10))
    columns = [f"{low:.0f} / {middle:.0f}" for low, middle in (read, step)]
    columns.append(f"{whole[0] / 1e3:.1f} / {whole[1] / 1e3:.1f}")
    return f"| {name} | {what} | {' | '.join(columns)} |"


def onnx_rows(name: str, recipe: Recipe, model: Any, runs: int) -> None:
    for precision in ("fp32", "int8"):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            started = time.perf_counter()
            export_graphs(model, folder, precision=precision)
            exported = time.perf_counter()
            engine = OnnxEngine(folder)
            loaded = time.perf_counter()
            command = [sys.executable, "-c", ALONE, place, str(recipe.question.features)]
            alone = subprocess.run(command, capture_output=True, text=True, check=True)
            line = row(name, f"onnx {precision}", engine, recipe, runs)
            size = sum(file.stat().st_size for file in folder.iterdir()) / 1e6
            extra = (exported - started, loaded - exported, size, float(alone.stdout))
            print(line, " {:.1f} | {:.2f} | {:.1f} | {:.0f} |".format(*extra), sep="")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--recipes", nargs="+", default=["tiny", "small"])
    parser.add_argument("--runs", type=int, default=200)
    given = parser.parse_args()
    torch.set_num_threads(1)
    registry = discover()
    print(
        "| recipe | engine | read us | token us | 20 tokens ms | export s | load s | MB | peak MB |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for name in given.recipes:
        recipe = load_recipe(name)
        model = build_model(registry, recipe, recipe.tokenizer["vocabulary_size"]).eval()
        onnx_rows(name, recipe, model, given.runs)
        print(row(name, "torch", TorchEngine(model), recipe, given.runs), " | | | |", sep="")


if __name__ == "__main__":
    main()
