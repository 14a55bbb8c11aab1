"""Reading and checking take the same memory whatever the size of the file."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

MEGABYTE = 2**20
ROWS = 60_000  # of a kilobyte
MEASURE = r"""
import resource, sys
from pathlib import Path
from chatseq.corpus.check import check_corpus
from chatseq.corpus.read import ReadReport, read_corpus
from chatseq.core.plugins import discover
report = ReadReport()
found = check_corpus(read_corpus(discover(), sys.argv[1:], report=report), report)
status = Path("/proc/self/status")
if status.exists():  # ru_maxrss would count the process that this one was forked from, too
    peak = next(line for line in status.read_text().split("\n") if line.startswith("VmHWM"))
    kilobytes = int(peak.split()[1])
else:
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(found.exchanges, kilobytes // 1024)
"""


def write_rows(file: Path, before: str, between: str, after: str, row: str) -> None:
    with file.open("w", encoding="utf-8") as stream:
        stream.write(before)
        for number in range(ROWS):
            stream.write((between if number else "") + row.replace("NUMBER", str(number)))
        stream.write(after)


SHAPES = {
    "tsv": ("", "\n", "\n", "question NUMBER\t" + "long answer " * 85),
    "csv": ("", "\n", "\n", '"question NUMBER","' + "long, answer, " * 70 + "\n" + '"'),
    "jsonl": ("", "\n", "\n", json.dumps(["question NUMBER", "long answer " * 85])),
    "json": ("[", ",", "]", json.dumps(["question NUMBER", "long answer " * 85])),  # one line
    "yml": ("conversations:\n", "\n", "\n", "- - question NUMBER\n  - " + "long answer " * 85),
}


@pytest.mark.slow("writes and reads files of 60 MB")
@pytest.mark.parametrize("suffix", SHAPES)
def test_a_file_of_60_mb_is_checked_in_little_memory(suffix, tmp_path):
    file = tmp_path / f"large.{suffix}"
    write_rows(file, *SHAPES[suffix])
    assert file.stat().st_size > 55 * MEGABYTE
    told = subprocess.run(
        [sys.executable, "-c", MEASURE, str(file)], capture_output=True, text=True, check=True
    )
    exchanges, megabytes = map(int, told.stdout.split())
    assert exchanges == ROWS
    assert megabytes < 120
