"""That the parts are right, not only present: one table of systems on one task.

    python benchmarks/parts.py train textbook luong-general ... --results FILE
    python benchmarks/parts.py table --results FILE

Every system learns English to French (Tatoeba, questions of at most 10 words, split by sentence
with seed 13, which leaves 1,000 sentences for the test and 1,000 aside) from the same rows in the
same order, with the same tokenizer, the same widths and the same number of target tokens. It is
trained and evaluated through the command line, on one thread. Results are kept as JSON lines, so
that systems can be trained side by side. Without names, all are trained.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from quality import evaluate, tatoeba_french, train, write_rows

EPOCHS = 2
BUCKETS = ((1, 4), (5, 6), (7, 8), (9, 10), (11, 99))  # words of a question
COMMON = (
    f"training.max_epochs={EPOCHS}",
    "training.min_steps=0",
    "training.patience=99",
    "training.validations=3",
    "training.seed=13",
    "training.threads=1",
    "training.batch_tokens=2048",
    "tokenizer.name=subword",
    "tokenizer.vocabulary_size=4000",
    "question.features=0",  # the textbook's models have none
    "question.fold=false",  # a pointer copies what it reads
    "data.validation_share=0.01",
    "model.embedding_size=256",
    "model.dropout=0.2",
)
RECURRENT = (
    "model.encoder.hidden_size=128",
    "model.encoder.layers=1",
    "model.decoder.hidden_size=256",
    "model.decoder.layers=1",
)


class System(NamedTuple):
    """A recipe with what differs from it."""

    recipe: str
    settings: tuple[str, ...]


def attending(attention: str, decoder: str = "gru", output: str = "tied") -> System:
    """Return a recurrent system with an attention."""
    parts = (
        "model.encoder.name=gru",
        f"model.attention.name={attention}",
        f"model.decoder.name={decoder}",
        f"model.output.name={output}",
    )
    return System("luong", (*parts, *RECURRENT))


SYSTEMS: dict[str, System] = {
    "textbook": System("textbook", RECURRENT),
    "luong-dot": attending("dot"),
    "luong-general": attending("general"),
    "luong-concat": attending("concat"),
    "input-feeding": attending("general", "gru-input-feeding"),
    "bahdanau": System("bahdanau", RECURRENT),
    "transformer": System("transformer", ()),
    "pointer": attending("general", output="pointer"),
}


def measured(name: str, home: Path) -> dict[str, Any]:
    """Train a system and return its figures."""
    system = SYSTEMS[name]
    learnt, asked = tatoeba_french(longest=10, longest_asked=99)
    settings = [part for setting in (*COMMON, *system.settings) for part in ("--set", setting)]
    file = write_rows(home / "learn.csv", learnt)
    seconds = train(home, name, file, "--recipe", system.recipe, *settings)
    test = write_rows(home / "test.csv", [row for row in asked if len(row[0].split()) <= 10])
    found: dict[str, Any] = {"name": name, "seconds": seconds}
    found["parameters"] = parameters(home, name)
    found["greedy"] = evaluate(home, name, test)
    found["beam"] = evaluate(home, name, test, "--strategy", "beam")
    for shortest, longest in BUCKETS:
        rows = [row for row in asked if shortest <= len(row[0].split()) <= longest]
        bucket = evaluate(home, name, write_rows(home / "bucket.csv", rows))
        found[f"{shortest}-{longest}"] = bucket
    return found


def parameters(home: Path, name: str) -> int:
    """Return how many numbers a bot has learnt."""
    from safetensors import safe_open

    with safe_open(home / "bots" / name / "weights.safetensors", framework="numpy") as weights:
        names = list(weights.keys())
        return sum(int(weights.get_tensor(each).size) for each in names)


def print_tables(results: list[dict[str, Any]]) -> None:
    """Print the systems in the order in which they are listed here."""
    order = {name: place for place, name in enumerate(SYSTEMS)}
    results = sorted(results, key=lambda found: order[found["name"]])
    print("| system | parameters | ppl (teacher-forced) | BLEU greedy | BLEU beam 5 | training |")
    print("|---|---:|---:|---:|---:|---:|")
    for found in results:
        greedy = found["greedy"]
        print(
            f"| {found['name']} | {found['parameters'] / 1e6:.2f} M "
            f"| {greedy['perplexity_teacher_forced']:.2f} | {greedy['bleu']:.1f} "
            f"| {found['beam']['bleu']:.1f} | {found['seconds']:.0f} s |"
        )
    names = [f"{shortest}-{longest}" for shortest, longest in BUCKETS]
    counts = [results[0][name]["count"] for name in names]
    print("\nBLEU (greedy) by words of the question:\n")
    heads = [f"{name} ({count})" for name, count in zip(names, counts, strict=True)]
    print(f"| system | {' | '.join(heads)} |\n|---|{'---:|' * len(names)}")
    for found in results:
        cells = [f"{found[name]['bleu']:.1f}" for name in names]
        print(f"| {found['name']} | {' | '.join(cells)} |")
    print("\nPerplexity (teacher-forced) by words of the question:\n")
    print(f"| system | {' | '.join(heads)} |\n|---|{'---:|' * len(names)}")
    for found in results:
        cells = [f"{found[name]['perplexity_teacher_forced']:.2f}" for name in names]
        print(f"| {found['name']} | {' | '.join(cells)} |")


def main() -> None:
    """Train systems, or print what was found."""
    parser = argparse.ArgumentParser()
    parser.add_argument("task", choices=["train", "table"])
    parser.add_argument("names", nargs="*", choices=[*SYSTEMS, []])
    parser.add_argument("--results", type=Path, required=True)
    given = parser.parse_args()
    if given.task == "table":
        lines = given.results.read_text(encoding="utf-8").splitlines()
        print_tables([json.loads(line) for line in lines])
        return
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    for name in given.names or SYSTEMS:
        with tempfile.TemporaryDirectory() as folder:
            found = measured(name, Path(folder))
        with given.results.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(found) + "\n")
        print(f"{name}: {found['seconds']:.0f} s", flush=True)


if __name__ == "__main__":
    main()
