"""How well a bot takes questions that are typed badly, on validation questions.

    python benchmarks/robustness.py clinc150 --set training.typos=0.1 --set training.word_swaps=0.1

Trains with the settings given, through the command line, and asks the validation questions as they
are, with typing mistakes, carelessly typed, and with words in another order. Those of clinc150 are
its own, the ones outside its scope counted as to be declined; those of personality_chat are a tenth
of what its test leaves over. The noise follows fixed seeds, so that all bots are asked the same.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections.abc import Callable
from pathlib import Path

from quality import CORPORA, Rows, evaluate, train, write_rows

from chatseq.text.noise import carelessly_typed, misspelt, reordered

WAYS: dict[str, Callable[[str], str]] = {
    "as they are": str,
    "a typing mistake in 15 % of the words": lambda text: misspelt(text, 0.15, 1),
    "a typing mistake in 30 % of the words": lambda text: misspelt(text, 0.3, 1),
    "lower case, no marks": carelessly_typed,
    "words in another order, by up to 2 places": lambda text: reordered(text, 1, 2),
}
FIGURES = ("exact_match", "best_guess", "declined", "wrongly_declined", "auroc")


def clinc150() -> tuple[Rows, Rows]:
    """Return rows to learn and rows to ask, the intent as the answer."""
    data = json.loads((CORPORA / "clinc150" / "data_full.json").read_text(encoding="utf-8"))

    def part(name: str) -> Rows:
        outside = [(text, "") for text, _ in data[f"oos_{name}"]]
        return [*((text, intent) for text, intent in data[name]), *outside]

    return part("train"), part("val")


def personality_chat() -> tuple[Rows, Rows]:
    """Return rows to learn and rows to ask; the test's tenth, by seed 13, is in neither."""
    file = CORPORA / "personality_chat" / "qna_chitchat_professional.tsv"
    lines = file.read_text(encoding="utf-8").split("\n")[1:]
    rows = [(q, a) for q, a, *_ in (line.rstrip("\r").split("\t") for line in lines if line)]
    random.Random(13).shuffle(rows)  # noqa: S311
    rows = rows[len(rows) // 10 :]
    random.Random(1).shuffle(rows)  # noqa: S311
    return rows[len(rows) // 10 :], rows[: len(rows) // 10]


CORPORA_BY_NAME = {"clinc150": clinc150, "personality_chat": personality_chat}


def measure(home: Path, name: str, arguments: list[str], *, every: int) -> None:
    """Train, and print a row for each way of typing."""
    learnt, asked = (rows[::every] for rows in CORPORA_BY_NAME[name]())
    seconds = train(home, name, write_rows(home / "learn.csv", learnt), *arguments)
    print(f"{name}, {len(learnt)} rows, {seconds:.0f} s: {' '.join(arguments) or 'as it is'}\n")
    print(f"| questions | count | {' | '.join(FIGURES)} |\n|---|---:|{'---:|' * len(FIGURES)}")
    for way, typed in WAYS.items():
        file = write_rows(home / "asked.csv", [(typed(text), answer) for text, answer in asked])
        figures = evaluate(home, name, file)
        cells = [shown(figures.get(key)) for key in FIGURES]
        print(f"| {way} | {figures['count']} | {' | '.join(cells)} |", flush=True)


def shown(figure: float | None) -> str:
    """Return a figure as a cell; one that does not apply is empty."""
    return "" if figure is None else f"{figure:.3f}"


def main() -> None:
    """Measure one corpus."""
    parser = argparse.ArgumentParser()
    parser.add_argument("corpus", choices=CORPORA_BY_NAME)
    parser.add_argument("--recipe", help="else the one that the corpus gets")
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--every", type=int, default=1, help="every nth row alone, for a try")
    given = parser.parse_args()
    arguments = ["--recipe", given.recipe] if given.recipe else []
    arguments += [part for setting in given.settings for part in ("--set", setting)]
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), given.corpus, arguments, every=given.every)


if __name__ == "__main__":
    main()
