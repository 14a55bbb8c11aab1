"""How fast the index of questions is, and how much room it takes.

    OMP_NUM_THREADS=1 python benchmarks/retrieval.py self_dialogue.jsonl.gz [--pairs 1000 100000]

The questions are those of dialogues (a JSON object with "turns" a line): each turn but the last.
Where there are fewer than wanted, variations are added, in which words of one are replaced by words
of another. 200 more, which are not in the index, are asked, and asked again with two letters
changed. Each size is searched in a process of its own with one thread. The memory is what searching
adds to it, without the pages of the index, which are the system's.
"""

from __future__ import annotations

import argparse
import gzip
import json
import multiprocessing
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from chatseq_qa.question_index import QuestionIndex

ASKED = 200
SIZES = (1_000, 100_000, 1_000_000)
LIKE = 10  # matches for each question
HEAD = ("pairs", "ms median", "ms 95 %", "ms most", "typos ms", "build s", "disk MB", "memory MB")


class Measured(NamedTuple):
    """One line of the table."""

    pairs: int
    median: float  # ms
    most_of_them: float  # ms, 95 of 100 are below
    slowest: float  # ms
    misspelt: float  # ms, median
    build: float  # s
    disk: float  # MB
    memory: float  # MB


def turns(file: Path) -> Iterator[str]:
    """Yield the questions of a file of dialogues."""
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield from json.loads(line)["turns"][:-1]


def questions(file: Path, count: int) -> tuple[list[str], list[str]]:
    """Return questions for the index, and others to be asked."""
    chance = random.Random(13)  # noqa: S311
    found = list(dict.fromkeys(turns(file)))
    chance.shuffle(found)
    asked, known = found[:ASKED], found[ASKED : ASKED + count]
    own = len(known)
    while len(known) < count:
        words, others = (known[chance.randrange(own)].split() for _ in range(2))
        for _ in range(1 + len(words) // 4):
            if words and others:
                words[chance.randrange(len(words))] = chance.choice(others)
        known.append(" ".join(words))
    return known, asked


def misspelt(text: str, chance: random.Random) -> str:
    """Return a text with two of its letters changed."""
    letters = list(text)
    for _ in range(2):
        letters[chance.randrange(len(letters))] = chance.choice("abcdefghijklmnopqrstuvwxyz")
    return "".join(letters)


def milliseconds(index: QuestionIndex, asked: list[str]) -> list[float]:
    """Return what each question takes."""
    found = []
    for question in asked:
        began = time.perf_counter()
        index.search(question, LIKE)
        found.append((time.perf_counter() - began) * 1000)
    return sorted(found)


def own_memory() -> float:
    """Return the memory that is this process's own and not a file's, in MB; 0 where unknown."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return 0.0
    return int(status.partition("RssAnon:")[2].split()[0]) / 1000


def search(folder: Path, asked: list[str]) -> tuple[list[float], float, float]:
    """Return the milliseconds of each question, the median of misspelt ones, and the memory."""
    before = own_memory()
    index = QuestionIndex(folder)
    chance = random.Random(14)  # noqa: S311
    milliseconds(index, asked[:20])  # the first questions bring the pages in
    took = milliseconds(index, asked)
    wrong = milliseconds(index, [misspelt(text, chance) for text in asked])
    return took, statistics.median(wrong), own_memory() - before


def measured(file: Path, count: int) -> Measured:
    """Build an index of so many questions, and ask it in a process of its own."""
    known, asked = questions(file, count)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        began = time.perf_counter()
        QuestionIndex.build(folder, known)
        build = time.perf_counter() - began
        disk = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            took, wrong, memory = pool.apply(search, (folder, asked))
    median, late = statistics.median(took), took[int(0.95 * len(took))]
    return Measured(len(known), median, late, took[-1], wrong, build, disk, memory)


def main() -> None:
    """Measure all sizes and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--pairs", type=int, nargs="*", default=SIZES)
    given = parser.parse_args()
    sys.stdout.write("| " + " | ".join(HEAD) + " |\n" + "|---" * len(HEAD) + "|\n")
    for count in given.pairs:
        found = measured(given.file, count)
        cells = [f"{found.pairs:,}", *(f"{value:.2f}" for value in found[1:5])]
        cells += [f"{value:.1f}" for value in found[5:]]
        sys.stdout.write("| " + " | ".join(cells) + " |\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
