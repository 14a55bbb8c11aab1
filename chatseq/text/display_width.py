"""How much fits on a line of a terminal: columns of text, whatever script it is in.

The same widths as those by which the chat breaks its lines, without the library that it does it
with: a command that prints one reply need not load a line editor.
"""

from __future__ import annotations

import unicodedata
from typing import NamedTuple

from chatseq.text.terminal import safe_line

_NO_COLUMN = ("Mn", "Me", "Mc", "Cf")  # marks on the letter before, joiners
_SOFT_HYPHEN = "\u00ad"  # of the sort of joiners, but shown
_CUT = "..."


class Page(NamedTuple):
    """What text is laid out for."""

    columns: int = 79
    blocks: bool = True  # whether it can show more than ASCII


def cells(text: str) -> int:
    """Return how many columns a safe line takes."""
    if text.isascii():
        return len(text)
    return sum(map(_cells, text))


def padded(text: str, width: int) -> str:
    """Return a safe line filled up with spaces to so many columns."""
    return text + " " * (width - cells(text))


def shortened(text: str, width: int) -> str:
    """Return any text safe and on one line of so many columns at most; the cut end as dots."""
    line = safe_line(text)
    if cells(line) <= width:
        return line
    kept, room = 0, width - len(_CUT)
    for character in line:
        room -= _cells(character)
        if room < 0:
            break
        kept += 1
    return line[:kept].rstrip() + _CUT


def takes_unicode(encoding: str | None) -> bool:
    """Tell whether what is written in an encoding may hold any character."""
    return (encoding or "").lower().replace("-", "") == "utf8"


def _cells(character: str) -> int:
    if unicodedata.category(character) in _NO_COLUMN:
        return int(character == _SOFT_HYPHEN)
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
