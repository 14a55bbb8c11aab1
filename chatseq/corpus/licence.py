"""What may be done with a corpus: the first line of the licence file in its folder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

NAMES = ("LICENSE", "LICENCE", "LICENSE.txt", "LICENCE.txt", "LICENSE.md", "LICENCE.md")
_LONGEST = 200  # characters
_HEAD = 4096  # bytes


def licence_of(files: Iterable[str | Path]) -> str:
    """Return the licence of a corpus in one line; empty where nothing says it.

    It is the first line of a file named LICENSE or LICENCE (also .txt and .md) beside the files of
    the corpus, which must all lie in that one folder.
    """
    folders = {Path(file).parent for file in files}
    if len(folders) != 1:
        return ""
    folder = folders.pop()
    found = (_first_line(folder / name) for name in NAMES)
    return next((line for line in found if line), "")


def _first_line(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            head = stream.read(_HEAD).decode("utf-8", "replace")
    except OSError:
        return ""
    lines = (line.strip(" #\t\r\ufeff") for line in head.split("\n"))
    return next((line[:_LONGEST] for line in lines if line), "")
