"""Lines to blocks: what belongs together in formats that are written line by line."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from chatseq.corpus.contracts import BadRows, Line, Source

MOST_LINES = 10_000  # of one block
LARGEST_BLOCK = 8 * 2**20  # characters


def blocks(source: Source, bad: BadRows, begins: Callable[[Line], bool]) -> Iterator[list[Line]]:
    """Yield lines in blocks, each begun by a line that `begins` says yes to.

    A block with a damaged line is left out whole, one without an end in sight is a bad row.
    """
    gathered: list[Line] = []
    size = 0
    sound = True
    for line in source.lines(bad):
        if begins(line):
            if gathered and sound:
                yield gathered
            gathered, size, sound = [], 0, True
        size += len(line.text)
        sound = sound and not line.damaged
        if sound and (len(gathered) >= MOST_LINES or size > LARGEST_BLOCK):
            what = f"a conversation is longer than {MOST_LINES} lines"
            advice = "Part conversations as this format does, or name the format: --format NAME"
            bad.report(source.place(gathered[0].number), what, advice)
            sound = False
        if sound:
            gathered.append(line)
        elif not gathered:
            gathered = [line]
        elif len(gathered) > 1:
            del gathered[1:]
    if gathered and sound:
        yield gathered


def first_lines(head: str) -> list[str]:
    """Return the lines of a head that hold anything."""
    return [line for line in head.replace("\r\n", "\n").split("\n") if line.strip()]
