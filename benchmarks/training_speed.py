"""How near training comes to what the machine can do.

    python benchmarks/training_speed.py [--threads 1 2] [--rounds 5] [--set key=value]

Trains a GRU encoder and decoder of 2 x 256 with attention and a vocabulary of 8000, on English to
French sentences of 8 to 30 words where the corpus lies beside the project, else on random ids of
the same lengths. Printed are real target tokens a second (no padding, the end mark counted) and the
share of the machine's fp32 matrix-multiply rate that the necessary operations make up: those of the
products alone, without padding, without the optimiser.

Each round multiplies 320 x 256 x 8000 right before and after it trains, so that a busy machine
slows both. With one thread CPU time is taken, with more the wall clock. Quote the share, not the
tokens.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional as F  # noqa: N812

from chatseq.core.exchange import Exchange
from chatseq.core.options import build_part
from chatseq.core.plugins import Registry, discover
from chatseq.core.recipe import Recipe, load_recipe
from chatseq.model.allocator import keep_freed_memory
from chatseq.model.batch import Batch
from chatseq.model.build import build_model
from chatseq.model.seq2seq import Seq2Seq
from chatseq.text.question_encoder import QuestionEncoder
from chatseq.training.data import Examples
from chatseq.training.deterministic import bucketed_batches
from chatseq.training.step import Objective, make_optimiser, train_step

SENTENCES = Path(__file__).resolve().parents[2] / "shared/corpora/tatoeba_fra_eng/fra-eng.zip"
HIDDEN, VOCABULARY, PAIRS = 256, 8000, 6000
STEPS = 3  # of each round

SETTINGS = (
    f"tokenizer.vocabulary_size={VOCABULARY}",
    f"model.embedding_size={HIDDEN}",
    f"model.encoder.hidden_size={HIDDEN}",
    "model.encoder.layers=2",
    "model.encoder.bidirectional=false",
    f"model.decoder.hidden_size={HIDDEN}",
    "model.decoder.layers=2",
    "model.dropout=0.1",
    "question.features=0",
    "question.fold=false",
    "training.batch_tokens=8192",
)


class Round(NamedTuple):
    """What one round gave."""

    tokens: float  # real target tokens a second
    flops: float  # necessary operations a second
    peak: float  # operations of a plain product a second

    @property
    def share(self) -> float:
        return self.flops / self.peak


def exchanges() -> list[Exchange]:
    """Return sentence pairs of 8 to 30 words, or none where the corpus is not there."""
    if not SENTENCES.is_file():
        return []
    with zipfile.ZipFile(SENTENCES) as archive:
        lines = archive.read("fra.txt").decode("utf-8").splitlines()
    pairs = [line.split("\t")[:2] for line in lines]
    wanted = [pair for pair in pairs if all(8 <= len(side.split()) <= 30 for side in pair)]
    chosen = random.Random(0).sample(wanted, PAIRS)  # noqa: S311
    return [Exchange(question, answer) for question, answer in chosen]


def real_batches(registry: Registry, recipe: Recipe) -> list[Batch]:
    """Return the batches of one epoch of sentence pairs."""
    found = exchanges()
    part = build_part(registry, "tokenizer", recipe.tokenizer, where="here")
    tokenizer = part.learn([e.question for e in found], [e.answer for e in found])
    reader = QuestionEncoder(tokenizer, fold=recipe.question.fold, features=0)
    examples = Examples(found, reader, max_answer_tokens=64)
    budget = recipe.training.batch_tokens
    lengths = examples.question_lengths, examples.answer_lengths
    return [
        examples.batch(rows) for rows in bucketed_batches(*lengths, budget=budget, seed=0, epoch=0)
    ]


def made_up_batches(recipe: Recipe) -> list[Batch]:
    """Return batches of random ids whose lengths are like those of short sentences."""
    chance = np.random.default_rng(0)
    questions, answers = (
        chance.normal(mean, 4, PAIRS).clip(5, 40).astype(int) for mean in (13, 15)
    )
    budget = recipe.training.batch_tokens
    batches = bucketed_batches(questions, answers, budget=budget, seed=0, epoch=0)
    return [_made_up(questions[rows], answers[rows]) for rows in batches]


def _made_up(questions: np.ndarray, answers: np.ndarray) -> Batch:
    masks = [
        torch.from_numpy(np.arange(side.max()) < side[:, None]) for side in (questions, answers)
    ]
    ids = [torch.randint(3, VOCABULARY, mask.shape) * mask for mask in masks]
    return Batch(ids[0], masks[0], None, ids[1], masks[1])


def necessary_operations(batch: Batch) -> float:
    """Return the operations of learning from a batch; a backward pass costs two forward ones."""
    source, target = (int(mask.sum()) for mask in (batch.question_mask, batch.answer_mask))
    pairs = int((batch.question_mask.sum(1) * batch.answer_mask.sum(1)).sum())
    layer = 2 * 3 * HIDDEN * 2 * HIDDEN  # three gates from input and state
    encoder = 2 * layer + 2 * HIDDEN * HIDDEN  # and the keys
    decoder = 2 * layer + 2 * 2 * HIDDEN * HIDDEN + 2 * HIDDEN * VOCABULARY
    attention = 2 * 2 * HIDDEN  # scores and context, for each pair of target and source
    return 3.0 * (source * encoder + target * decoder + pairs * attention)


def peak_rate(clock: Callable[[], float]) -> float:
    """Return operations a second of the output layer's product, the best of some."""
    one, other = torch.randn(320, HIDDEN), torch.randn(VOCABULARY, HIDDEN)
    best = min(_seconds(clock, lambda: F.linear(one, other)) for _ in range(12))
    return 2.0 * 320 * HIDDEN * VOCABULARY / best


def _seconds(clock: Callable[[], float], work: Callable[[], object]) -> float:
    started = clock()
    work()
    return clock() - started


def rounds(
    model: Seq2Seq, batches: list[Batch], recipe: Recipe, threads: int, count: int
) -> Iterator[Round]:
    """Yield what each round gave, after one that is not counted."""
    torch.set_num_threads(threads)
    clock = time.process_time if threads == 1 else time.perf_counter
    optimiser = make_optimiser(model, weight_decay=recipe.training.weight_decay)
    section = recipe.training

    def train(batch: Batch) -> None:
        objective = Objective(section.label_smoothing)
        train_step(
            model, optimiser, batch, learning_rate=1e-4, clip=section.clip, objective=objective
        )

    model.train()
    for number in range(count + 1):
        some = [batches[(number * STEPS + step) % len(batches)] for step in range(STEPS)]
        before = peak_rate(clock)
        seconds = _seconds(clock, lambda some=some: [train(batch) for batch in some])
        peak = max(before, peak_rate(clock))
        tokens = sum(int(batch.answer_mask.sum()) for batch in some)
        if number:
            operations = sum(map(necessary_operations, some))
            yield Round(tokens / seconds, operations / seconds, peak)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    given = parser.parse_args()
    keep_freed_memory()
    torch.set_flush_denormal(True)
    torch.manual_seed(0)
    registry, recipe = discover(), load_recipe("small").apply([*SETTINGS, *given.overrides])
    batches = real_batches(registry, recipe) if SENTENCES.is_file() else made_up_batches(recipe)
    real = sum(int(batch.answer_mask.sum()) for batch in batches)
    filled = real / sum(batch.answer_mask.numel() for batch in batches)
    what = "sentences" if SENTENCES.is_file() else "random ids"
    print(f"{what}; {filled:.0%} of the target positions are real\n")
    print("| threads | target tokens/s | GFLOP/s | plain product GFLOP/s | share (least-most) |")
    print("|---|---|---|---|---|")
    for threads in given.threads:
        model = build_model(registry, recipe, VOCABULARY)
        found = list(rounds(model, batches, recipe, threads, given.rounds))
        tokens, flops, peak = (statistics.median(column) for column in zip(*found, strict=True))
        shares = sorted(each.share for each in found)
        print(
            f"| {threads} | {tokens:.0f} | {flops / 1e9:.1f} | {peak / 1e9:.1f} | "
            f"{statistics.median(shares):.0%} ({shares[0]:.0%}-{shares[-1]:.0%}) |"
        )


if __name__ == "__main__":
    main()
