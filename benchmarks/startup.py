"""How long chatseq takes to be there: help, prompt, first reply, one cold question, memory.

    python benchmarks/startup.py [--runs 7] [--bot NAME]

Needs a trained bot. Each figure is the median of
some runs of a whole process, the first run left out; times are wall clock. Quote ratios or medians:
a busy machine moves absolute times.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pexpect

PROGRAM = str(Path(sys.executable).parent / "chatseq")
QUESTION = "how do I train on my own file?"


def whole_process(*arguments: str) -> float:
    """Return the seconds that a command takes from start to end."""
    started = time.perf_counter()
    subprocess.run([PROGRAM, *arguments], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def peak_memory(*arguments: str) -> float:
    """Return the largest resident size of a command, in MB."""
    code = (
        "import resource, subprocess, sys;"
        "subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, PROGRAM, *arguments],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    scale = 1 if sys.platform == "darwin" else 1024
    return int(done.stdout) * scale / 1e6


def chat_times(bot: list[str]) -> tuple[float, float, float]:
    """Return seconds to a usable prompt, from Enter to the first letter, and to the whole reply."""
    environment = {**os.environ, "NO_COLOR": "1", "TERM": "xterm"}
    started = time.perf_counter()
    child = pexpect.spawn(
        PROGRAM, ["chat", *bot], encoding="utf-8", timeout=60, env=environment, dimensions=(30, 100)
    )
    child.delaybeforesend = None  # pexpect waits 50 ms by default
    child.expect("you ›")
    child.send("xyz")
    child.expect("xyz")  # usable: what is typed appears
    prompt = time.perf_counter() - started
    child.send("\x7f\x7f\x7f")
    time.sleep(2)  # the bot loads while a person would type
    child.send(QUESTION)
    child.expect(r"file\?")
    asked = time.perf_counter()
    child.send("\r")
    child.expect(r"bot › *\w")
    first = time.perf_counter() - asked
    child.expect(r"you ›")
    whole = time.perf_counter() - asked
    child.send("\x04")
    child.expect(pexpect.EOF)
    child.close()
    return prompt, first, whole


def median(measure: Callable[[], float], runs: int) -> float:
    """Return the median of some runs after one that warms the file cache."""
    measure()
    return statistics.median(measure() for _ in range(runs))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--bot")
    given = parser.parse_args()
    bot = ["--bot", given.bot] if given.bot else []
    ask = ("ask", QUESTION, *bot)
    chats = [chat_times(bot) for _ in range(given.runs + 1)][1:]
    prompt, first, whole = (statistics.median(column) for column in zip(*chats, strict=True))
    shown = median(lambda: whole_process("--help"), given.runs)
    rows = [
        ("`chatseq --help`", f"{shown:.2f} s", "0.3 s"),
        ("`chatseq` to a usable prompt", f"{prompt:.2f} s", "1.0 s"),
        ("Enter to the first letter on the screen", f"{first * 1000:.0f} ms", "100 ms"),
        ("Enter to the next prompt", f"{whole * 1000:.0f} ms", "150 ms"),
        ("`chatseq ask`, whole process", f"{median(lambda: whole_process(*ask), given.runs):.2f} s",
         "1.5 s"),
        ("`chatseq ask`, peak memory", f"{median(lambda: peak_memory(*ask), 3):.0f} MB", "200 MB"),
    ]  # fmt: skip
    print("| what | measured | at most |\n|---|---|---|")
    for row in rows:
        print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main()
