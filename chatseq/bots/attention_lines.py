"""Where the network looked while it wrote: attention as lines of text.

Each row is a token of the reply, with its probability. Where there is room each column is a piece
of the question; else a row names the pieces that it looked at most.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from chatseq.text.byte_fallback import MARKS
from chatseq.text.display_width import Page, cells, padded, shortened
from chatseq.text.terminal import safe_line

BLOCKS = "·▁▂▃▄▅▆▇█"  # how much of its attention a token gave: none to all
DIGITS = "0123456789"  # the same in tenths, for a terminal that has no blocks
MOST_LOOKED_AT = 3  # pieces named for a token
LEAST_SHARE = 0.05  # of what is named beside the first
WIDEST_PIECE = 20  # columns; a phrase may be as long as an answer
_NAMES = dict(zip(MARKS, ("(pad)", "(start)", "(end)"), strict=True))
_INDENT, _GAP = "  ", "  "


class TokenTrace(NamedTuple):
    """One token of a reply."""

    name: str
    probability: float
    weights: Sequence[float]  # over the pieces of the question, 0..1


def piece_name(piece: str) -> str:
    """Return a piece of a tokenizer for people to read: it takes at least one column."""
    name = _NAMES.get(piece) or safe_line(piece)
    if not name:
        return "(space)" if piece else "(empty)"
    # A mark without its letter would be drawn on what stands before it.
    return f"◌{name}" if unicodedata.category(name[0]).startswith("M") else name


def heat(share: float, page: Page) -> str:
    """Return one character for a share, 0..1."""
    marks = BLOCKS if page.blocks else DIGITS
    return marks[int(share * (len(marks) - 1) + 0.5)]


def attention_lines(tokens: Sequence[TokenTrace], pieces: Sequence[str], page: Page) -> list[str]:
    """Return a line for each token; in front, where they fit, the pieces of the question."""
    widest = min(WIDEST_PIECE, page.columns // 3)
    names = [shortened(token.name, widest) for token in tokens]
    width = max(map(cells, names), default=0)
    heads = [
        f"{_INDENT}{padded(name, width)}{_GAP}{token.probability:.2f}"
        for name, token in zip(names, tokens, strict=True)
    ]
    columns = [shortened(piece, WIDEST_PIECE) for piece in pieces]
    if not any(token.weights for token in tokens):
        return heads
    if cells(heads[0]) + len(_GAP) + cells(" ".join(columns)) <= page.columns:
        return _grid(heads, tokens, columns, page)
    return [
        head + _looked_at(token, columns, page.columns - cells(head), page)
        for head, token in zip(heads, tokens, strict=True)
    ]


def _grid(
    heads: Sequence[str], tokens: Sequence[TokenTrace], columns: Sequence[str], page: Page
) -> list[str]:
    lines = [" " * cells(heads[0]) + _GAP + " ".join(columns)]
    for head, token in zip(heads, tokens, strict=True):
        row = (
            heat(share, page) * cells(column)
            for share, column in zip(token.weights, columns, strict=False)
        )
        lines.append(f"{head}{_GAP}{' '.join(row)}".rstrip())
    return lines


def _looked_at(token: TokenTrace, columns: Sequence[str], room: int, page: Page) -> str:
    """Name the pieces that a token looked at most, as many as there is room for."""
    told = ""
    for share, column in _most(token.weights, columns):
        named = f"{_GAP}{heat(share, page)} {share:.2f} {column}"
        if told and (share < LEAST_SHARE or cells(told + named) > room):
            break
        told += named
    return told


def _most(weights: Sequence[float], columns: Sequence[str]) -> list[tuple[float, str]]:
    both = zip(weights, columns, strict=False)
    return sorted(both, key=lambda pair: -pair[0])[:MOST_LOOKED_AT]
