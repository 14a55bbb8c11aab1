"""What plugins cost where speed counts: in a decoding step.

    python benchmarks/plugin_cost.py [--rounds 200]

An untrained network of the recipe `small` decodes 40 tokens of one question, one thread. Compared
are, round by round in turn so that a busy machine disturbs both alike:

- a loop written by hand over the exported graph: no registry, no strategy, no adjuster;
- chatseq's loop with the strategy `greedy`, built through the registry;
- the same with one more object in front of the strategy, which hands every call on;
- the same with a hook called in every step, which chatseq never does;
- chatseq's loop again, from a registry with 500 further plugins.

Hook calls of pluggy during a whole reply are counted too.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import statistics
import tempfile
import time
import types
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from chatseq.core.options import build_part
from chatseq.core.plugins import Plugin, Registry, discover
from chatseq.core.recipe import load_recipe
from chatseq.decoding.contracts import (
    Choice,
    Chooser,
    Hypothesis,
    SearchRequest,
    SearchState,
    Strategy,
)
from chatseq.decoding.search import Decoding
from chatseq.engines.contracts import Array
from chatseq.engines.onnx_engine import OnnxEngine
from chatseq.hookspecs import hookimpl
from chatseq.testing import questions_of
from chatseq.text.question_encoder import PaddedQuestions
from chatseq.text.tokenizer import START_ID

STEPS = 40
FURTHER = 500  # plugins


class HandsOn:
    """A strategy that asks another: one layer of indirection more."""

    def __init__(self, inner: Strategy, each_step: Callable[[], object] = lambda: None) -> None:
        self._inner, self._each_step = inner, each_step

    @property
    def draws(self) -> bool:
        return self._inner.draws

    def begin(self, task: SearchRequest) -> Chooser:
        return _HandsOn(self._inner.begin(task), self._each_step)


class _HandsOn:
    def __init__(self, inner: Chooser, each_step: Callable[[], object]) -> None:
        self._inner, self._each_step = inner, each_step

    def choose(self, scores: Array, search: SearchState) -> Choice:
        self._each_step()
        return self._inner.choose(scores, search)

    def rank(self, hypotheses: Sequence[Hypothesis]) -> list[Hypothesis]:
        return self._inner.rank(hypotheses)


def exported(registry: Registry, folder: Path) -> tuple[OnnxEngine, PaddedQuestions]:
    """Return a network that never ends a reply, and a question for it."""
    import torch

    from chatseq.engines.export import export_graphs
    from chatseq.model.build import build_model

    torch.manual_seed(0)
    recipe = load_recipe("small")
    model = build_model(registry, recipe, int(recipe.tokenizer["vocabulary_size"]))
    with torch.no_grad():
        model.bias[2] = -30.0  # the end mark
    export_graphs(model, folder)
    plain = questions_of(range(3, 14))
    features = np.ones((*plain.ids.shape, recipe.question.features), dtype=np.int64)
    return OnnxEngine(folder), plain._replace(features=features)


def by_hand(engine: OnnxEngine, questions: PaddedQuestions) -> list[int]:
    """Decode with the least that a greedy loop can be."""
    encoder, step = engine._encoder, engine._step
    names = [output.name for output in encoder.get_outputs()]
    inputs = {"ids": questions.ids, "mask": questions.mask, "features": questions.features}
    known = dict(zip(names, encoder.run(names, inputs), strict=True))
    wanted = {i.name for i in step.get_inputs()}
    given = {name: array for name, array in known.items() if name in wanted}
    states = [name for name in names if name.startswith("state_")]
    after = ["log_probs", *(f"next_{name}" for name in states)]
    token, found = np.array([START_ID]), []
    for _ in range(STEPS):
        log_probs, *state = step.run(after, {**given, "tokens": token})
        token = log_probs.argmax(-1)
        found.append(int(token[0]))
        given.update(zip(states, state, strict=True))
    return found


def decoded(engine: OnnxEngine, questions: PaddedQuestions, strategy: Strategy) -> list[int]:
    """Decode with chatseq's own loop."""
    search = Decoding(engine, questions, strategy, max_length=STEPS)
    for _ in search:
        pass
    return list(search.hypotheses(0)[0].tokens)


def crowded() -> Registry:
    """Return a registry with many further plugins, each with an attention of its own."""
    registry = discover()
    for number in range(FURTHER):
        module = types.ModuleType(f"further_{number}")
        named = {f"further-{number}": "chatseq_attention.multiplicative:GeneralAttention"}
        module.chatseq_attentions = hookimpl(  # type: ignore[attr-defined]
            specname="chatseq_attentions"
        )(lambda named=named: named)
        registry.add(Plugin(module.__name__, module))
    assert len(registry.plugins) > FURTHER
    return registry


def compare(ways: dict[str, Callable[[], object]], rounds: int) -> None:
    """Time each way in turn, and print microseconds a step beside the first way's."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds + 5):
        for name, way in ways.items():
            began = time.process_time_ns()
            way()
            times[name].append((time.process_time_ns() - began) / 1000 / STEPS)
    first, *_ = (taken[5:] for taken in times.values())
    print("| a step of | µs, median | more than by hand, median of the rounds |\n|---|---:|---:|")
    for name, taken in times.items():
        more = statistics.median(a / b - 1 for a, b in zip(taken[5:], first, strict=True))
        print(f"| {name} | {statistics.median(taken[5:]):.1f} | {100 * more:+.1f} % |", flush=True)


def alone(what: str, call: Callable[[], object], step: float) -> None:
    """Print what one call costs, and its share of a step of so many microseconds."""
    count = 20_000
    rounds = []
    for _ in range(9):
        began = time.process_time_ns()
        for _ in range(count):
            call()
        rounds.append((time.process_time_ns() - began) / 1000 / count)
    cost = statistics.median(rounds)
    print(f"| {what} | {cost:.2f} | {100 * cost / step:.2f} % |", flush=True)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=200)
    rounds = parser.parse_args().rounds
    registry, many = discover(), crowded()
    greedy: Strategy = build_part(registry, "strategy", {"name": "greedy"}, where="")
    other: Strategy = build_part(many, "strategy", {"name": "greedy"}, where="")
    hook = registry._manager.hook.chatseq_attentions
    with tempfile.TemporaryDirectory() as folder:
        engine, questions = exported(registry, Path(folder))
        assert by_hand(engine, questions) == decoded(engine, questions, greedy)
        ways: dict[str, Callable[[], object]] = {
            "a loop by hand": lambda: by_hand(engine, questions),
            "chatseq, greedy": lambda: decoded(engine, questions, greedy),
            "one more object in between": lambda: decoded(engine, questions, HandsOn(greedy)),
            "a hook called each step": lambda: decoded(engine, questions, HandsOn(greedy, hook)),
            f"chatseq among {FURTHER} more plugins": lambda: decoded(engine, questions, other),
        }
        compare(ways, rounds)
        calls: list[str] = []
        registry._manager.add_hookcall_monitoring(
            before=lambda name, *_: calls.append(name), after=lambda *_: None
        )
        decoded(engine, questions, greedy)
        print(f"\nHook calls during a reply of {STEPS} tokens: {len(calls)}\n")
        began = time.process_time_ns()
        for _ in range(20):
            decoded(engine, questions, greedy)
        step = (time.process_time_ns() - began) / 1000 / STEPS / 20
    chooser = HandsOn(_Nothing()).begin(None)
    print("| one call of | µs | of a step |\n|---|---:|---:|")
    alone("a method that hands on", lambda: chooser.choose(None, None), step)
    alone(
        "a hook that all plugins with attentions answer",
        discover()._manager.hook.chatseq_attentions,
        step,
    )


class _Nothing:
    """A strategy and a chooser that do nothing."""

    draws = False

    def begin(self, *_: object) -> _Nothing:
        return self

    def choose(self, *_: object) -> None:
        return None

    def rank(self, hypotheses: Sequence[Hypothesis]) -> list[Hypothesis]:
        return list(hypotheses)


if __name__ == "__main__":
    main()
