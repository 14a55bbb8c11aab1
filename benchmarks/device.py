"""How fast a device learns and decodes, in single precision and in bfloat16.

    python benchmarks/device.py [--device auto] [--steps 20] [--warm-up 5] [--set key=value]

Trains a small network on random ids, then searches replies with it, both on the device that is
named as in a recipe: auto, cpu, cuda or cuda:N. Printed are steps and answer tokens a second, by
the wall clock, warming up left out. Numbers of two machines compare only with the same settings.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch

from chatseq.core.options import build_part
from chatseq.core.plugins import Registry, discover
from chatseq.core.recipe import Recipe, load_recipe
from chatseq.decoding.search import decode
from chatseq.engines.device import torch_device
from chatseq.engines.torch_engine import TorchEngine
from chatseq.model.batch import Batch
from chatseq.model.build import build_model
from chatseq.model.seq2seq import Seq2Seq
from chatseq.text.question_encoder import Question, pad_questions
from chatseq.text.tokenizer import END_ID, FIRST_FREE_ID
from chatseq.training.step import Objective, make_optimiser, train_step

VOCABULARY, SOURCE, TARGET = 8000, 16, 16


class Pace(NamedTuple):
    """What one measurement gave."""

    steps: float  # a second
    tokens: float  # answer tokens a second


def batch_of(rows: int) -> Batch:
    """Return random questions and answers of full length, so that every token counts."""
    ids = torch.randint(FIRST_FREE_ID, VOCABULARY, (rows, SOURCE + TARGET))
    ids[:, SOURCE - 1] = ids[:, -1] = END_ID
    real = torch.ones_like(ids, dtype=torch.bool)
    questions, answers = ids[:, :SOURCE], ids[:, SOURCE:]
    return Batch(questions, real[:, :SOURCE], None, answers, real[:, SOURCE:])


def training_pace(
    model: Seq2Seq, recipe: Recipe, precision: str, *, steps: int, warm_up: int
) -> Pace:
    """Learn from the same batch again and again; each step waits for its loss."""
    optimiser = make_optimiser(model, weight_decay=0.01)
    batch = batch_of(max(1, recipe.training.batch_tokens // (SOURCE + TARGET)))

    def step() -> int:
        return train_step(
            model,
            optimiser,
            batch,
            learning_rate=1e-3,
            clip=1.0,
            objective=Objective(label_smoothing=0.1),
            precision=precision,
        ).tokens

    model.train()
    return paced(step, steps, warm_up)


def decoding_pace(
    registry: Registry, model: Seq2Seq, recipe: Recipe, *, questions: int, steps: int, warm_up: int
) -> Pace:
    """Search replies to so many questions at once; a step is a whole search."""
    random = np.random.default_rng(0)
    asked = random.integers(FIRST_FREE_ID, VOCABULARY, (questions, SOURCE)).tolist()
    padded = pad_questions([Question(tuple(ids), ((),) * SOURCE) for ids in asked], 0)
    strategy = build_part(registry, "strategy", recipe.decoding.strategy, where="here")
    engine = TorchEngine(model.eval())

    def search() -> int:
        replies = decode(engine, padded, strategy, [], max_length=TARGET)
        return sum(len(best[0].tokens) + best[0].ended for best in replies)

    return paced(search, steps, warm_up)


def paced(work: Callable[[], int], steps: int, warm_up: int) -> Pace:
    """Do some work again and again; it returns its tokens, which waits for the device."""
    for _ in range(warm_up):
        work()
    began = time.perf_counter()
    tokens = sum(work() for _ in range(steps))
    seconds = time.perf_counter() - began
    return Pace(steps / seconds, tokens / seconds)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--warm-up", type=int, default=5)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    given = parser.parse_args()
    registry = discover()
    recipe = load_recipe("tiny").apply(["question.features=0", *given.set])
    device = torch_device(given.device, setting="--device")
    named = torch.cuda.get_device_name(device) if device.type == "cuda" else "processor"
    print(f"torch {torch.__version__}, {device} ({named}), {torch.get_num_threads()} threads")
    rounds = {"steps": given.steps, "warm_up": given.warm_up}
    for precision in ("fp32", "bf16"):
        torch.manual_seed(0)
        model = build_model(registry, recipe, VOCABULARY).to(device)
        pace = training_pace(model, recipe, precision, **rounds)
        print(f"train {precision}: {pace.steps:8.2f} steps/s {pace.tokens:10.0f} tokens/s")
    for questions in (1, 64):
        pace = decoding_pace(registry, model, recipe, questions=questions, **rounds)
        print(
            f"decode {questions:2} at once: {pace.steps:.2f} searches/s {pace.tokens:.0f} tokens/s"
        )


if __name__ == "__main__":
    main()
