"""What a bot learns from real corpora: trains and evaluates through the command line.

    python benchmarks/quality.py clinc150 starter personality-chat chatterbot translation
    python benchmarks/quality.py clinc150 --part val

Each name makes its split as the corpus's README says, trains a bot in a home of its own, asks the
test questions, and prints rows of a table. Settings are chosen with `--part val`: the validation
part of clinc150, and a tenth of what personality_chat leaves to learn from. The corpora lie beside
the project in ../shared/corpora.
"""

from __future__ import annotations

import argparse
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
        "best_guess": "best guess",
        "auroc": "AUROC",
        "declined": "declined",
        "wrongly_declined": "wrongly declined",
        "expected_calibration_error": "calibration error",
        "bleu": "BLEU",
        "chrf": "chrF",
        "perplexity_teacher_forced": "ppl (teacher-forced)",
        "perplexity_free_running": "ppl (free-running)",
        "distinct_2": "distinct-2",
        "most_frequent_reply": "most frequent reply",
    }
    told = {label: figures.get(key) for key, label in names.items()}
    cells = [f"{label} {value:.4f}" for label, value in told.items() if value is not None]
    print(f"| {title} | {figures['count']} | {' | '.join(cells)} | {seconds:.0f} s |", flush=True)


def starter(home: Path) -> None:
    """The starter bot as a new user gets it, on its held-back paraphrases."""
    started = time.perf_counter()
    chatseq(home, typed="hello\n")  # the first use of all trains it
    seconds = time.perf_counter() - started
    for language in ("en", "zh"):
        folder = ROOT / "corpora" / f"starter_{language}"
        files = [folder / "held_back.tsv", folder / "held_back_declined.tsv"]
        show(
            f"starter, {language}", json.loads(chatseq(home, "evaluate", *files, "--json")), seconds
        )


def clinc150(home: Path, part: str) -> None:
    """150 intents as answers, its own splits; out of scope means an empty answer."""
    data = json.loads((CORPORA / "clinc150" / "data_full.json").read_text(encoding="utf-8"))

    def rows(name: str) -> Rows:
        return [(q, a) for q, a in data[name]] + [(q, "") for q, _ in data[f"oos_{name}"]]

    seconds = train(home, "intents", write_rows(home / "train.csv", rows("train")))
    asked = write_rows(home / "asked.csv", rows(part))
    show(f"clinc150, {part}", evaluate(home, "intents", asked), seconds)


def personality_chat(home: Path, part: str) -> None:
    """9,793 questions on 90 answers, 90/10 by seed 13."""
    file = CORPORA / "personality_chat" / "qna_chitchat_professional.tsv"
    lines = file.read_text(encoding="utf-8").split("\n")[1:]
    rows = [(q, a) for q, a, *_ in (line.rstrip("\r").split("\t") for line in lines if line)]
    random.Random(13).shuffle(rows)  # noqa: S311
    cut = len(rows) // 10
    asked, learnt = rows[:cut], rows[cut:]
    if part == "val":
        random.Random(1).shuffle(learnt)  # noqa: S311
        asked, learnt = learnt[:cut], learnt[cut:]
    seconds = train(home, "people", write_rows(home / "train.csv", learnt))
    figures = evaluate(home, "people", write_rows(home / "asked.csv", asked))
    show(f"personality_chat, {part}", figures, seconds)


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
    "chatterbot": chatterbot,
    "translation": translation,
}


PARTED: dict[str, Callable[[Path, str], None]] = {
    "clinc150": clinc150,
    "personality-chat": personality_chat,
}


def main() -> None:
    """Run the named cases, or all."""
    parser = argparse.ArgumentParser()
    parser.add_argument("cases", nargs="*", choices=[*PARTED, *CASES, []])
    parser.add_argument("--part", choices=("test", "val"), default="test")
    given = parser.parse_args()
    for name in given.cases or [*PARTED, *CASES]:
        with tempfile.TemporaryDirectory() as folder:
            if name in PARTED:
                PARTED[name](Path(folder), given.part)
            else:
                CASES[name](Path(folder))


if __name__ == "__main__":
    main()
