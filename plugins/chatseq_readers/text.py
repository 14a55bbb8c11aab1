"""Plain text: a conversation in each block of lines, or one conversation of paragraphs."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from itertools import pairwise
from typing import Literal

from chatseq.core.exchange import MOST_CONTEXT_TURNS, Exchange
from chatseq.corpus.contracts import BadRows, Line, Source
from chatseq.corpus.turns import exchanges_of_turns
from chatseq_readers.blocks import blocks

# "Q: ", "User: " and the like in front of a turn, dropped where the first turn has one.
_LABEL = re.compile(
    r"\s*(?:Q|A|Question|Answer|User|Bot|Human|Assistant|问|答|问题|答案|回答)\s*[:：]\s*",
    re.IGNORECASE,
)
_OTHER_FORMATS = (".csv", ".tsv", ".tab", ".json", ".jsonl", ".ndjson", ".yml", ".yaml", ".conv",
    ".html", ".htm", ".xml")  # fmt: skip


class TextReader:
    """Reads turns, one a line, in conversations parted by empty lines; or one paragraph a turn."""

    def __init__(self, *, turn: Literal["line", "paragraph", ""] = "", tags: str = "") -> None:
        """Set what the file does not tell.

        Args:
            turn: `line`: each line is a turn, an empty line ends the conversation; `paragraph`:
                turns are parted by empty lines, the file is one conversation; empty: found out
            tags: given to every exchange, separated by commas
        """
        self._turn = turn
        self._tags = tuple(tag.strip() for tag in tags.split(",") if tag.strip())

    def sniff(self, source: Source) -> int:
        if source.suffix in (".txt", ".text", ".dialog", ".dialogue"):
            return 40
        return 0 if source.suffix in _OTHER_FORMATS else 10

    def read(self, source: Source, bad: BadRows) -> Iterator[Exchange]:
        labelled = _LABEL.match(source.head) is not None
        found = blocks(source, bad, lambda line: not line.text.strip())
        turns_of_blocks = (
            (block, [line.text for line in block if line.text.strip()]) for block in found
        )
        told = (
            (_start(block), [_LABEL.sub("", turn, count=1) if labelled else turn for turn in turns])
            for block, turns in turns_of_blocks
            if turns
        )
        if (self._turn or _guessed_turn(source.head)) == "paragraph":
            yield from self._one_conversation(told, source)
            return
        for number, turns in told:
            yield from exchanges_of_turns(turns, source.place(number), bad, tags=self._tags)

    def _one_conversation(
        self, paragraphs: Iterator[tuple[int, list[str]]], source: Source
    ) -> Iterator[Exchange]:
        earlier: deque[str] = deque(maxlen=MOST_CONTEXT_TURNS)
        last, last_number = "", 0
        for number, lines in paragraphs:
            turn = "\n".join(lines)
            if last:
                place = source.place(last_number)
                yield Exchange(last, turn, context=tuple(earlier), tags=self._tags, source=place)
                earlier.append(last)
            last, last_number = turn, number


def _start(block: list[Line]) -> int:
    return next(line.number for line in block if line.text.strip())


def _guessed_turn(head: str) -> str:
    """Return `paragraph` where empty lines part single lines only, else `line`."""
    lines = [line.strip() for line in head.strip().split("\n")]
    neighbours = any(one and other for one, other in pairwise(lines))
    return "paragraph" if "" in lines and not neighbours else "line"
