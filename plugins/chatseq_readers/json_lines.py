"""JSON Lines: one object or one list a line."""

from __future__ import annotations

import json
from collections.abc import Iterator

from chatseq.core.exchange import Exchange
from chatseq.corpus.contracts import BadRows, Source
from chatseq_readers.names import QUESTIONS, TURNS, first_of
from chatseq_readers.records import RecordShape, parsed


class JsonLinesReader:
    """Reads a JSON value a line: an object with two fields, messages, or a list of turns."""

    def __init__(
        self,
        *,
        question: str = "",
        answer: str = "",
        turns: str = "",
        tags: str = "",
        decline: str = "",
        remove: str = "",
    ) -> None:
        """Set what the file does not tell.

        Args:
            question: the field of that name; so too answer, turns (a list); guessed where empty
            tags: fields whose values become tags, separated by commas
            decline: an answer that stands for "must not be answered"
            remove: characters to take out of every text, such as the spaces of spaced Chinese
        """
        self._shape = RecordShape(
            "jsonl", question=question, answer=answer, turns=turns, tags=tags, decline=decline,
            remove=remove,
        )  # fmt: skip

    def sniff(self, source: Source) -> int:
        if source.suffix in (".jsonl", ".ndjson"):
            return 90
        lines = [line for line in source.head.split("\n") if line.strip()]
        if not lines or lines[0].lstrip()[0] not in "[{":
            return 0
        first = _value(lines[0])
        if len(lines) > 1:
            follows = lines[1].lstrip()[0] in "[{"
            return 85 if isinstance(first, dict | list) and follows else 0
        one = isinstance(first, dict) and first_of((*QUESTIONS, *TURNS), first) is not None
        return 85 if one else 0

    def read(self, source: Source, bad: BadRows) -> Iterator[Exchange]:
        for number, text, damaged in source.lines(bad):
            if damaged or not text.strip():
                continue
            place = source.place(number)
            value = parsed(text, place, bad)
            if not isinstance(value, ValueError):
                yield from self._shape.exchanges(value, place, bad)


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
