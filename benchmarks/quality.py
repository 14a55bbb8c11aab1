"""What a bot learns from real corpora: trains and evaluates through the command line.

    python benchmarks/quality.py starter personality-chat chatterbot translation

Each name makes its split as the corpus's README says, trains a bot in a home of its own, asks the
test questions, and prints rows of a table. The corpora lie beside the project in ../shared/corpora.
"""

from __future__ import annotations

import csv
import io
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CORPORA = ROOT.parent / "shared" / "corpora"

Rows = list[tuple[str, str]]


def chatseq(home: Path, *arguments: str | Path, typed: str = "") -> str:
    """Run a command and return what it printed; its remarks go to this program's stderr."""
    command = [sys.executable, "-m", "chatseq", *map(str, arguments)]
    environment = {**os.environ, "CHATSEQ_HOME": str(home)}
    done = subprocess.run(
        command, env=environment, input=typed, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout


def train(home: Path, name: str, *arguments: str | Path) -> float:
    """Train a bot and return the seconds of the whole process."""
    started = time.perf_counter()
    chatseq(home, "train", *arguments, "--bot", name, "--quiet")
    return time.perf_counter() - started


def evaluate(home: Path, name: str, file: Path, *arguments: str) -> dict[str, Any]:
    """Return the figures of a bot on a file."""
    figures = json.loads(chatseq(home, "evaluate", file, "--bot", name, "--json", *arguments))
    assert isinstance(figures, dict)
    return figures


def write_rows(file: Path, rows: Iterable[tuple[str, str]]) -> Path:
    """Write questions and answers as a CSV with a header."""
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("question", "answer"))
        writer.writerows(rows)
    return file


def show(title: str, figures: dict[str, Any], seconds: float) -> None:
    """Print one row."""
    names = {
        "exact_match": "exact",
        "bleu": "BLEU",
        "chrf": "chrF",
        "perplexity_teacher_forced": "ppl (teacher-forced)",
        "perplexity_free_running": "ppl (free-running)",
        "distinct_2": "distinct-2",
        "most_frequent_reply": "most frequent reply",
    }
    cells = [
        f"{label} {figures[key]:.3f}" for key, label in names.items() if figures[key] is not None
    ]
    print(f"| {title} | {figures['count']} | {' | '.join(cells)} | {seconds:.0f} s |", flush=True)


def starter(home: Path) -> None:
    """The starter bot as a new user gets it, on its held-back paraphrases."""
    started = time.perf_counter()
    chatseq(home, typed="hello\n")  # the first use of all trains it
    seconds = time.perf_counter() - started
    for language in ("en", "zh"):
        file = ROOT / "corpora" / f"starter_{language}" / "held_back.tsv"
        figures = json.loads(chatseq(home, "evaluate", file, "--json"))
        show(f"starter, {language}", figures, seconds)


def personality_chat(home: Path) -> None:
    """9,793 questions on 90 answers, 90/10 by seed 13."""
    file = CORPORA / "personality_chat" / "qna_chitchat_professional.tsv"
    lines = file.read_text(encoding="utf-8").split("\n")[1:]
    rows = [(q, a) for q, a, *_ in (line.rstrip("\r").split("\t") for line in lines if line)]
    random.Random(13).shuffle(rows)  # noqa: S311
    cut = len(rows) // 10
    seconds = train(home, "people", write_rows(home / "train.csv", rows[cut:]))
    show(
        "personality_chat",
        evaluate(home, "people", write_rows(home / "test.csv", rows[:cut])),
        seconds,
    )


def chatterbot(home: Path) -> None:
    """Every English question of chatterbot-corpus, learnt by heart; any listed answer is right."""
    files = sorted((CORPORA / "chatterbot-corpus" / "data" / "english").glob("*.yml"))
    pairs = json.loads(
        chatseq(home, "corpus", "show", *files, "-n", "100000", "--json", "--skip-bad")
    )
    rows = list(dict.fromkeys((pair["question"], pair["answer"]) for pair in pairs))
    file = write_rows(home / "english.csv", rows)
    seconds = train(home, "english", file)
    show(f"chatterbot-corpus English, {len(rows)} pairs", evaluate(home, "english", file), seconds)


def tatoeba_french(*, longest: int, longest_asked: int) -> tuple[Rows, Rows]:
    """Return English to French, split by distinct sentence: rows to learn and rows to ask.

    Another 1,000 sentences are in neither.

    Args:
        longest: words of an English sentence that is learnt
        longest_asked: words of one that is asked
    """
    archive = CORPORA / "tatoeba_fra_eng" / "fra-eng.zip"
    with zipfile.ZipFile(archive) as packed:
        text = io.TextIOWrapper(packed.open("fra.txt"), encoding="utf-8", newline="\n").read()
    pairs = [(line.split("\t")[0], line.split("\t")[1]) for line in text.split("\n") if line]
    sentences = list(dict.fromkeys(english for english, _ in pairs))
    random.Random(13).shuffle(sentences)  # noqa: S311
    test = set(sentences[:1000])
    left_out = test | set(sentences[1000:2000])
    words = {english: len(english.split()) for english in sentences}
    learnt = [pair for pair in pairs if pair[0] not in left_out and words[pair[0]] <= longest]
    asked = [pair for pair in pairs if pair[0] in test and words[pair[0]] <= longest_asked]
    return learnt, asked


def translation(home: Path) -> None:
    """English to French, at most 10 words, 15 minutes of training."""
    learnt, asked = tatoeba_french(longest=10, longest_asked=10)
    file = write_rows(home / "learn.csv", learnt)
    seconds = train(home, "french", file, "--minutes", "15")
    file = write_rows(home / "test.csv", asked)
    show("tatoeba fra-eng, greedy", evaluate(home, "french", file), seconds)
    show("tatoeba fra-eng, beam 5", evaluate(home, "french", file, "--strategy", "beam"), seconds)
    for english in sorted({english for english, _ in asked})[:5]:
        reply = json.loads(chatseq(home, "ask", english, "--bot", "french", "--json"))
        print(f"    {english} -> {reply['text']}", flush=True)


CASES: dict[str, Callable[[Path], None]] = {
    "starter": starter,
    "personality-chat": personality_chat,
    "chatterbot": chatterbot,
    "translation": translation,
}


def main() -> None:
    """Run the named cases, or all."""
    for name in sys.argv[1:] or CASES:
        with tempfile.TemporaryDirectory() as folder:
            CASES[name](Path(folder))


if __name__ == "__main__":
    main()
