"""JSON: one list of records, or one object whose lists hold them; cut up while it is read.

The file is never held whole: the brackets are followed, and each record is parsed alone. So memory
is bounded by the longest record, and every record knows its line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from chatseq.core.exchange import Exchange
from chatseq.corpus.contracts import BadRows, Line, Source
from chatseq_readers.records import RecordShape, parsed

LONGEST_RECORD = 8 * 2**20  # characters
DEEPEST = 32  # nested brackets
_STRUCTURE = re.compile(r'["\[\]{},]')
_STRING_REST = re.compile(r'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL)
_CLOSES = {"]": "[", "}": "{"}


class JsonReader:
    """Reads a JSON list of records or of conversations, or an object whose lists hold them."""

    def __init__(
        self,
        *,
        keys: str = "",
        question: str = "",
        answer: str = "",
        turns: str = "",
        tags: str = "",
        decline: str = "",
        remove: str = "",
    ) -> None:
        """Set what the file does not tell.

        Args:
            keys: which lists of an object to read, separated by commas; all where empty
            question: the field of that name; so too answer, turns (a list); guessed where empty
            tags: fields whose values become tags, separated by commas
            decline: an answer that stands for "must not be answered"
            remove: characters to take out of every text, such as the spaces of spaced Chinese
        """
        self._keys = frozenset(key.strip() for key in keys.split(",") if key.strip())
        self._shape = RecordShape(
            "json", question=question, answer=answer, turns=turns, tags=tags, decline=decline,
            remove=remove,
        )  # fmt: skip

    def sniff(self, source: Source) -> int:
        starts = source.head.lstrip()[:1] in ("[", "{")
        if source.suffix == ".json":
            return 80 if starts else 30
        return 50 if starts and source.suffix in ("", ".txt", ".data") else 0

    def read(self, source: Source, bad: BadRows) -> Iterator[Exchange]:
        for item in json_items(source, bad):
            if self._keys and item.key not in self._keys:
                continue
            place = source.place(item.line)
            value = parsed(item.text, place, bad)
            if not isinstance(value, ValueError):
                tags = (item.key,) if item.key else ()
                yield from self._shape.exchanges(value, place, bad, tags)


class Item(NamedTuple):
    """The text of one record, the line it begins on, and the key of the list that holds it."""

    line: int
    key: str
    text: str


def json_items(source: Source, bad: BadRows) -> Iterator[Item]:
    """Yield the items of the outermost list, or of the lists in the outermost object."""
    cutter = _Cutter(source, bad)
    try:
        for piece in source.pieces(bad):
            yield from cutter.feed(piece)
        cutter.finish()
    except _Broken as fault:
        place = source.place(cutter.line)
        advice = "Mend the file; nothing after this place can be read."
        bad.report(place, "not valid JSON", advice, detail=str(fault))


class _Broken(Exception):  # noqa: N818  (an answer, not an error)
    """The brackets of a file make no sense from here on."""


class _Cutter:
    """Follows strings and brackets through the pieces of a file and cuts the records out."""

    def __init__(self, source: Source, bad: BadRows) -> None:
        self._source = source
        self._bad = bad
        self._open: list[str] = []
        self._in_string = False
        self._escaped = False  # the piece ended between a backslash and its character
        self._record_depth = 0  # how many brackets are open around a record; 0: no list yet
        self._key = ""
        self._done = False
        self.line = 1
        self._parts: list[str] = []  # the text since the last boundary
        self._size = 0
        self._line = 0  # where that text begins; 0: blank so far
        self._damaged = False

    def feed(self, piece: Line) -> Iterator[Item]:
        """Yield the records that end in this piece."""
        self.line = piece.number
        text = piece.text
        self._damaged |= piece.damaged
        kept = at = 0  # text before `kept` was dealt with; tokens are looked for from `at`
        while True:
            if self._in_string or self._escaped:
                at = self._string_end(text, at)
            token = None if self._in_string else _STRUCTURE.search(text, at)
            if token is None:
                self._keep(text[kept:])
                return
            at = token.end()
            mark = token[0]
            if mark == '"':
                self._in_string = True
            elif self._is_boundary(mark):
                self._keep(text[kept : token.start()])
                kept = at
                yield from self._cut(mark)
                self._damaged = piece.damaged
            else:
                self._nest(mark)

    def finish(self) -> None:
        """Check that the file ended where its value ended."""
        if self._open or self._in_string:
            raise _Broken("the file ends in the middle")
        if not self._done:
            raise _Broken("it begins with neither [ nor {")
        if self._line:
            raise _Broken("something follows the end of the value")

    def _string_end(self, text: str, at: int) -> int:
        if self._escaped and text:
            self._escaped = False
            at += 1
        rest = _STRING_REST.match(text, at)
        end = rest.end() if rest else at
        if end < len(text):
            self._in_string = text[end] != '"'
            self._escaped = self._in_string  # it stopped at the last character, a backslash
            return end + 1
        return end

    def _is_boundary(self, mark: str) -> bool:
        """Return whether a record, or the list of them, begins or ends at this mark."""
        depth = len(self._open)
        if mark in "[{":
            return depth == 0 or (depth == 1 and self._open[0] == "{" and mark == "[")
        return depth == self._record_depth or depth == 1

    def _cut(self, mark: str) -> Iterator[Item]:
        text, line, damaged = "".join(self._parts).strip(), self._line, self._damaged
        too_long = self._size > LONGEST_RECORD
        in_list = bool(self._open) and len(self._open) == self._record_depth
        self._forget()
        if mark in "[{":
            self._begin(mark, text)
        elif mark in "]}":
            self._nest(mark)
        if not in_list:
            return
        if mark == "]":
            self._record_depth = 0
        if too_long:
            what = f"the record is longer than {LONGEST_RECORD // 2**20} million characters"
            self._bad.report(self._source.place(line), what, "Break it up or remove it.")
        elif (text or mark == ",") and not damaged:
            yield Item(line or self.line, self._key, text)

    def _begin(self, mark: str, before: str) -> None:
        if self._done:
            raise _Broken("something follows the end of the value")
        if not self._open and before:
            raise _Broken("it begins with neither [ nor {")
        if self._open:
            self._key = before.rstrip(": \t\r\n").strip('"')
        self._nest(mark)
        if mark == "[":
            self._record_depth = len(self._open)

    def _nest(self, mark: str) -> None:
        if mark in "[{":
            if len(self._open) >= DEEPEST:
                raise _Broken(f"more than {DEEPEST} brackets are open")
            self._open.append(mark)
        elif mark in _CLOSES:
            if not self._open or self._open.pop() != _CLOSES[mark]:
                raise _Broken(f"a {mark} closes what was never opened")
            self._done = not self._open

    def _keep(self, text: str) -> None:
        if not self._line and text and not text.isspace():
            self._line = self.line
        self._size += len(text)
        if self._size <= LONGEST_RECORD:
            self._parts.append(text)
        else:
            self._parts.clear()

    def _forget(self) -> None:
        self._parts = []
        self._size = 0
        self._line = 0
        self._damaged = False
