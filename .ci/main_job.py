"""The main job on real input, as a user does it: train, ask, evaluate, chat in a terminal.

Uses the real corpus beside the project where there is one, else the corpora of the project.
"""

from __future__ import annotations

import csv
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pexpect

ROOT = Path(__file__).resolve().parents[1]
HOME = Path(os.environ["CHATSEQ_HOME"])
PROGRAM = str(Path(sys.executable).parent / "chatseq")
REAL = ROOT.parent / "shared" / "corpora" / "personality_chat" / "qna_chitchat_professional.tsv"

ASK_FIELDS = {
    "text", "source", "confidence", "alternatives", "bot", "strategy", "tokens", "milliseconds",
}  # fmt: skip


def chatseq(*arguments: str | Path) -> str:
    """Run the program as a user does; a failure ends this job."""
    command = [PROGRAM, *map(str, arguments)]
    print("$ chatseq", *arguments, flush=True)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603
    return done.stdout


def require(true: bool, what: str) -> None:
    """End the job with a reason unless this holds."""
    if not true:
        sys.exit(f"The main job failed: {what}")


def split_corpus() -> tuple[Path, Path]:
    """Write a training and a test file of the real corpus, and return them."""
    if not REAL.is_file():
        folder = ROOT / "corpora" / "starter_en"
        return folder / "small_talk.tsv", folder / "small_talk.tsv"
    with REAL.open(encoding="utf-8", newline="") as stream:
        rows = [row[:2] for row in csv.reader(stream, delimiter="\t")][1:]
    random.Random(13).shuffle(rows)  # noqa: S311
    cut = len(rows) // 10
    files = HOME / "train.tsv", HOME / "test.tsv"
    for file, some in zip(files, (rows[cut:], rows[:cut]), strict=True):
        with file.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream, delimiter="\t").writerows([("question", "answer"), *some])
    return files


def train_ask_evaluate() -> None:
    """A corpus of thousands of questions: learnt, asked, judged."""
    learn, test = split_corpus()
    chatseq("corpus", "check", learn)
    chatseq("train", learn, "--bot", "people", "--minutes", "1.5", "--quiet")
    reply = json.loads(chatseq("ask", "are you a robot", "--bot", "people", "--json"))
    require(set(reply) == ASK_FIELDS, f"ask --json has the fields {sorted(reply)}")
    require(bool(reply["text"]), "ask gave an empty reply")
    figures = json.loads(chatseq("evaluate", test, "--bot", "people", "--json"))
    print(figures, flush=True)
    require(figures["exact_match"] > 0.85, "too many held-out questions were answered wrong")
    why = json.loads(chatseq("ask", "are you a robot", "--bot", "people", "--json", "--why"))["why"]
    require(bool(why["neighbours"]) and bool(why["candidates"]), "a reply explains nothing")
    nonsense = json.loads(chatseq("ask", "xqzv wrrk plmb", "--bot", "people", "--json"))
    require(nonsense["source"] == "declined", f"nonsense is answered: {nonsense}")


def chat_in_a_terminal() -> None:
    """The first use of all: the starter bot is trained, then talks, and remembers."""
    os.environ["CHATSEQ_HOME"] = str(HOME / "first")  # where there is no bot yet
    environment = {**os.environ, "TERM": "xterm", "NO_COLOR": "1"}
    print("$ chatseq", flush=True)
    child = pexpect.spawn(
        PROGRAM, encoding="utf-8", timeout=300, env=environment, dimensions=(30, 100)
    )
    child.expect("you ›")
    for question, expected in (
        ("what is chatseq", r"bot ›[^\n]*\w"),
        ("你好", "bot ›[^\n]*[一-鿿]"),
    ):
        child.send(question + "\r")
        child.expect(expected)
        child.expect("you ›")
    child.send("/why\r")
    child.expect("Nearest questions")
    child.expect("you ›")
    child.send("/correct 你也好。\r")
    child.expect("Noted")
    child.expect("you ›")
    child.send("你好\r")
    child.expect("bot › 你也好。")
    child.expect("you ›")
    child.send("/nonsense\r")
    child.expect("No command named '/nonsense'")
    child.send("/quit\r")
    child.expect(pexpect.EOF)
    child.close()
    require(child.exitstatus == 0, f"the chat ended with {child.exitstatus}")
    kept = json.loads(chatseq("history", "list", "--json"))
    require(len(kept) == 1, f"{len(kept)} conversations are kept")
    require("你好" in chatseq("history", "search", "你好"), "a Chinese word is not found")
    (feedback,) = json.loads(chatseq("history", "feedback", "list", "--json"))
    chatseq("history", "feedback", "reject", str(feedback["id"]))
    for language in ("en", "zh"):
        folder = ROOT / "corpora" / f"starter_{language}"
        files = folder / "held_back.tsv", folder / "held_back_declined.tsv"
        figures = json.loads(chatseq("evaluate", *files, "--json"))
        print(language, figures, flush=True)
        require(figures["exact_match"] > 0.8, f"the starter bot knows little {language}")
        require(figures["declined"] > 0.7, f"the starter bot answers nonsense in {language}")


if __name__ == "__main__":
    train_ask_evaluate()
    chat_in_a_terminal()
    for arguments in (("plugins", "doctor"), ("doctor",), ("bots", "list")):
        print(chatseq(*arguments), flush=True)
