"""Questions a second and processor time a reply, against an older commit of this project.

    python benchmarks/batched_replies.py --before 71f61aa --home HOME --bot NAME TEST.csv

HOME holds a bot that the older commit trained, which both can open; the same bot and the same
questions are used for both, in turn, in one run:

    CHATSEQ_HOME=HOME chatseq train TRAIN.csv --bot NAME        # with the older commit checked out

`evaluate` is the whole command as a user runs it. A warm reply is the processor time of
`responder.reply` for one question after another, each asked once, in one process with one thread.
Prints medians and their ratio.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
WARM_REPLIES = """
import csv, json, sys, time
try:
    from chatseq.bots.loader import load_bot
    from chatseq.core.plugins import discover
except ImportError:  # before bots had a package of their own
    from chatseq.chat.bot import load_bot
    from chatseq.plugins import discover
bot = load_bot(discover(), sys.argv[1])
with open(sys.argv[2], encoding="utf-8", newline="") as stream:
    questions = [row[0] for row in csv.reader(stream)][1:]
step = max(1, len(questions) // 220)
asked = questions[::step]
for question in asked[:20]:
    bot.responder.reply(question)
times = []
for question in asked[20:]:
    began = time.process_time()
    bot.responder.reply(question)
    times.append(1000 * (time.process_time() - began))
print(json.dumps(sorted(times)[len(times) // 2]))
"""


def run(checkout: Path, home: Path, *arguments: str) -> str:
    """Run Python on a checkout and return what it printed."""
    paths = os.pathsep.join([str(checkout), str(checkout / "plugins")])
    environment = {**os.environ, "PYTHONPATH": paths, "CHATSEQ_HOME": str(home)}
    done = subprocess.run(
        [sys.executable, *arguments],
        env=environment,
        cwd=home,  # not a checkout, whose modules would be found first
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout


def questions_a_second(checkout: Path, home: Path, bot: str, file: Path) -> float:
    """Return how many questions `evaluate` answers and judges a second, its start counted out."""
    printed = run(checkout, home, "-m", "chatseq", "evaluate", str(file), "--bot", bot, "--json")
    figures = json.loads(printed)
    return float(figures["count"]) / float(figures["seconds"])


def warm_milliseconds(checkout: Path, home: Path, bot: str, file: Path) -> float:
    """Return the median processor time of a warm reply."""
    return float(json.loads(run(checkout, home, "-c", WARM_REPLIES, bot, str(file))))


def main() -> None:
    """Measure both commits in turn and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path)
    parser.add_argument("--before", default="71f61aa")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--bot", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    home, file = given.home.resolve(), given.file.resolve()
    with tempfile.TemporaryDirectory() as folder:
        before = Path(folder, "before")
        subprocess.run(["git", "clone", "-q", str(ROOT), str(before)], check=True)
        subprocess.run(["git", "-C", str(before), "checkout", "-q", given.before], check=True)
        for title, measure, unit in (
            ("evaluate", questions_a_second, "questions/s"),
            ("warm reply", warm_milliseconds, "ms of processor"),
        ):
            pairs = [
                (measure(before, home, given.bot, file), measure(ROOT, home, given.bot, file))
                for _ in range(given.rounds)
            ]
            old, new = (median(values) for values in zip(*pairs, strict=True))
            ratio = median(after / earlier for earlier, after in pairs)
            print(f"| {title} | {old:.2f} | {new:.2f} {unit} | x {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()
