"""What decoding costs: the loop itself, the network, a whole reply, and a cold start.

    python benchmarks/decoding.py [BOT]

Without a trained bot only the loop and an untrained network of the `tiny` and `small` recipes are
timed. One thread; medians of many rounds, in a table. The loop and the network are told in CPU
time, which other programs disturb less; replies and cold starts in wall time.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import itertools
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from chatseq.bots.bot import Bot
from chatseq.bots.loader import load_bot
from chatseq.core.errors import BundleError
from chatseq.core.exchange import Reply
from chatseq.core.options import build_part
from chatseq.core.plugins import Registry, discover
from chatseq.core.recipe import load_recipe
from chatseq.decoding.answers import Answers
from chatseq.decoding.contracts import Adjuster, Strategy
from chatseq.decoding.search import Decoding
from chatseq.engines.contracts import Array, Encoded, Engine, StepOutput
from chatseq.testing import LetterTokenizer, questions_of
from chatseq.text.question_encoder import PaddedQuestions
from chatseq_strategies.beam import Beam
from chatseq_strategies.greedy import Greedy
from chatseq_strategies.ngram_block import NgramBlock

STEPS = 20
ROUNDS = 60


class Idle:
    """An engine that costs next to nothing: it hands out ready arrays, and never an end mark."""

    def __init__(self, vocabulary: int, batch: int, width: int, source: int = 12) -> None:
        random = np.random.default_rng(0)
        rows = batch * width
        weights = np.full((rows, source), 1 / source, dtype=np.float32)
        state = np.zeros((rows, 256), dtype=np.float32)
        self._first_state = (state[:batch],)
        self._steps = []
        for _ in range(8):  # others each time, so that replies do not go round in circles
            scores = random.standard_normal((rows, vocabulary)).astype(np.float32) * 3
            scores[:, 2] = -99.0
            scores -= np.logaddexp.reduce(scores, axis=-1, keepdims=True)
            self._steps.append(StepOutput(scores, (state,), weights))
        first = self._steps[0]
        self._narrow = StepOutput(first.log_probs[:batch], self._first_state, weights[:batch])
        self._batch, self._count = batch, 0

    def encode(self, ids: Array, mask: Array, _: Array | None = None) -> Encoded:
        return Encoded((ids, mask), self._first_state)

    def step(self, tokens: Array, *_: Any) -> StepOutput:
        self._count += 1
        stepped = self._steps[self._count % 8]
        return stepped if len(tokens) == len(stepped.weights) else self._narrow

    def array(self, values: Any) -> Array:
        return np.asarray(values)


class Timed:
    """Another engine, with the time that its steps take."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.seconds = 0.0
        self.steps = 0

    def encode(self, *given: Array) -> Encoded:
        return self._engine.encode(*given)

    def step(self, *given: Any) -> StepOutput:
        began = time.process_time()
        stepped = self._engine.step(*given)
        self.seconds += time.process_time() - began
        self.steps += 1
        return stepped

    def array(self, values: Any) -> Array:
        return self._engine.array(values)


def median(measure: Callable[[], float], rounds: int = ROUNDS) -> float:
    """Return the median of a measure, the first few rounds left out."""
    for _ in range(5):
        measure()
    return statistics.median(measure() for _ in range(rounds))


def search(
    engine: Engine,
    questions: PaddedQuestions,
    strategy: Strategy,
    adjusters: Sequence[Adjuster],
    **knowing: Any,
) -> float:
    """Return the microseconds of a step, the encoder left out."""
    decoding = Decoding(engine, questions, strategy, adjusters, max_length=STEPS, **knowing)
    began = time.process_time()
    steps = sum(1 for _ in decoding)
    return (time.process_time() - began) / steps * 1e6


def overhead() -> None:
    """The loop, the strategy and the adjuster, over an engine that does nothing."""
    print("\n| loop over an idle engine | vocabulary | batch | µs a step |\n|---|---:|---:|---:|")
    block = [NgramBlock()]
    cases: list[tuple[str, Strategy, list[Adjuster], int]] = [
        ("greedy", Greedy(), [], 1),
        ("greedy, ngram-block", Greedy(), [*block], 1),
        ("beam 5", Beam(), [], 5),
        ("beam 5, ngram-block", Beam(), [*block], 5),
    ]
    for vocabulary in (2000, 8000):
        for batch in (1, 32):
            questions = questions_of(*[range(3, 14)] * batch)
            for name, strategy, adjusters, width in cases:
                engine = Idle(vocabulary, batch, width)

                def measure(
                    engine: Engine = engine,
                    questions: PaddedQuestions = questions,
                    strategy: Strategy = strategy,
                    adjusters: list[Adjuster] = adjusters,
                ) -> float:
                    return search(engine, questions, strategy, adjusters)

                print(f"| {name} | {vocabulary} | {batch} | {median(measure):.1f} |", flush=True)


WIDTHS = {
    "beam": 5,
    "contrastive": 4,
    "diverse-beam": 6,
    "known-answers": 8,
    "lexical": 8,
    "mbr": 16,
}


def every_strategy(registry: Registry) -> None:
    """Each strategy as it comes, for one question, over an engine that does nothing."""
    print("\n| strategy | rows | µs a step, vocabulary 8000 |\n|---|---:|---:|")
    tokenizer = LetterTokenizer("".join(chr(0x4E00 + at) for at in range(8000 - 3)))
    known = Answers(lambda: [chr(0x4E00 + at % 997) * (at % 20 + 1) for at in range(5000)])
    for name in registry.parts("strategy"):
        strategy = build_part(registry, "strategy", {"name": name}, where="in a benchmark")
        engine = Idle(8000, 1, WIDTHS.get(name, 1))

        def measure(engine: Engine = engine, strategy: Strategy = strategy) -> float:
            asked = questions_of(range(3, 14))
            return search(engine, asked, strategy, [], tokenizer=tokenizer, answers=known)

        print(f"| {name} | {WIDTHS.get(name, 1)} | {median(measure):.0f} |", flush=True)


def networks(registry: Registry) -> None:
    """The same loop over exported networks, untrained, whose replies are never ended."""
    print("\n| network, onnx | strategy | µs a step | of them the network |\n|---|---|---:|---:|")
    for recipe, precision in itertools.product(("tiny", "small"), ("fp32", "int8")):
        with tempfile.TemporaryDirectory() as folder:
            engine = exported(registry, recipe, precision, Path(folder))
            for name, strategy in (("greedy", Greedy()), ("beam 5", Beam())):
                whole, inside = steps_of(engine, strategy, load_recipe(recipe).question.features)
                print(f"| {recipe} {precision} | {name} | {whole:.0f} | {inside:.0f} |", flush=True)


def exported(registry: Registry, recipe_name: str, precision: str, folder: Path) -> Engine:
    """Return an untrained network, run by onnxruntime, that hardly ever ends a reply."""
    import torch

    from chatseq.engines.export import export_graphs
    from chatseq.engines.onnx_engine import OnnxEngine
    from chatseq.model.build import build_model

    torch.manual_seed(0)
    recipe = load_recipe(recipe_name)
    model = build_model(registry, recipe, int(recipe.tokenizer["vocabulary_size"]))
    with torch.no_grad():
        model.bias[2] = -30.0  # the end mark
    export_graphs(model, folder, precision=precision)  # type: ignore[arg-type]
    return OnnxEngine(folder)


def steps_of(engine: Engine, strategy: Strategy, features: int) -> tuple[float, float]:
    """Return the median microseconds of a step, and of the network within it."""
    plain = questions_of(range(3, 14))
    hashed = np.ones((*plain.ids.shape, features), dtype=np.int64)
    questions = plain._replace(features=hashed)
    inside: list[float] = []

    def measure() -> float:
        timed = Timed(engine)
        whole = search(timed, questions, strategy, [NgramBlock()])
        inside.append(timed.seconds / timed.steps * 1e6)
        return whole

    return median(measure), statistics.median(inside)


def replies(bot: Bot) -> None:
    """A trained bot: from the question to the first text and to the whole reply."""
    questions = [
        "What is chatseq?",
        "How do I train a bot on my own file?",
        "hello",
        "你好",
        "谢谢",
    ]
    print("\n| bot | strategy | first text, ms | whole reply, ms | 20 tokens, ms | tokens |")
    print("|---|---|---:|---:|---:|---:|")
    for strategy in ("greedy", "beam"):
        changed = bot.with_overrides([f"decoding.strategy.name={strategy}"])
        firsts, wholes, twenties, tokens = [], [], [], []
        for question in questions * 12:
            first, whole, reply = timed_reply(changed, question)
            firsts.append(first)
            wholes.append(whole)
            tokens.append(reply.tokens)
            each = (whole - first) / max(1, reply.tokens - 1)
            twenties.append(first + 19 * each)
        print(
            f"| {bot.name} | {strategy} | {statistics.median(firsts):.1f} | "
            f"{statistics.median(wholes):.1f} | {statistics.median(twenties):.1f} | "
            f"{statistics.mean(tokens):.1f} |",
            flush=True,
        )


def timed_reply(bot: Bot, question: str) -> tuple[float, float, Reply]:
    """Return the milliseconds to the first text and to the end, and the reply."""
    began = time.perf_counter()
    first, reply = 0.0, None
    for part in bot.responder.stream(question):
        first = first or (time.perf_counter() - began) * 1000
        reply = part
    assert isinstance(reply, Reply)
    return first, (time.perf_counter() - began) * 1000, reply


def cold(name: str) -> None:
    """The whole process of one question: time and peak memory."""
    program = (
        "import resource, subprocess, sys, time; began = time.perf_counter();"
        "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL);"
        "print(time.perf_counter() - began,"
        " resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)"
    )
    ask = [sys.executable, "-m", "chatseq", "ask", "hello", "--bot", name]
    rounds = []
    for _ in range(7):
        done = subprocess.run(
            [sys.executable, "-c", program, *ask], capture_output=True, text=True, check=True
        )
        rounds.append([float(figure) for figure in done.stdout.split()])
    seconds, megabytes = (statistics.median(column) for column in zip(*rounds, strict=True))
    print("\n| chatseq ask, cold | seconds | peak MB |\n|---|---:|---:|")
    print(f"| {name} | {seconds:.2f} | {megabytes:.0f} |", flush=True)


def main() -> None:
    registry = discover()
    overhead()
    every_strategy(registry)
    networks(registry)
    try:
        bot = load_bot(registry, sys.argv[1] if sys.argv[1:] else None)
    except BundleError as fault:
        print(f"\nNo replies were timed: {fault}")
        return
    replies(bot)
    cold(sys.argv[1] if sys.argv[1:] else bot.name)


if __name__ == "__main__":
    main()
