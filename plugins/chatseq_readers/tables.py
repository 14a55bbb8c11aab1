"""CSV and TSV: one exchange a row, in two columns that a header names or that come first."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from chatseq.core.errors import CorpusError, ErrorKind, did_you_mean, nearest
from chatseq.core.exchange import Exchange
from chatseq.corpus.contracts import BadRows, Line, Source
from chatseq_readers.names import ANSWERS, HEADINGS, QUESTIONS, first_of

LONGEST_CELL = 2**20  # characters; an unclosed quote swallows no more than this
_DELIMITERS = (",", ";", "\t", "|")
_SNIFFED_LINES = 20
_SPELT_OUT = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";"}


class Row(NamedTuple):
    """The cells of a row and the line it began on."""

    line: int
    cells: Sequence[str]


class Columns:
    """Picks question, answer and tags out of a row; settled by the first row."""

    def __init__(
        self, *, question: str, answer: str, tags: str, header: bool | None, decline: str
    ) -> None:
        self._names = {"question": question, "answer": answer, "tags": tags}
        self._header = header
        self._decline = decline

    def exchanges(
        self, rows: Iterator[Row], source: Source, bad: BadRows, separator: str
    ) -> Iterator[Exchange]:
        """Yield an exchange for each row, the header left out."""
        first = next(rows, None)
        if first is None:
            return
        question, answer, tags, has_header = self._settled(first, source)
        needed = max(question, answer, tags)
        if not has_header:
            rows = _with_first(first, rows)
        for line, cells in rows:
            if len(cells) <= needed:
                _report_short(source.place(line), cells, needed, separator, bad)
                continue
            text = cells[answer]
            yield Exchange(
                cells[question],
                "" if self._decline and text.strip() == self._decline else text,
                tags=(cells[tags].strip(),) if tags >= 0 else (),
                source=source.place(line),
            )

    def _settled(self, first: Row, source: Source) -> tuple[int, int, int, bool]:
        header = [cell.strip() for cell in first.cells]
        place = source.place(first.line)
        asked = {role: name for role, name in self._names.items() if name}
        numbers = {role: int(name) - 1 for role, name in asked.items() if _is_number(name)}
        named = {r: _index(header, name, place) for r, name in asked.items() if r not in numbers}
        guessed = _guessed(header) if self._header is not False else {}
        has_header = bool(named or guessed) if self._header is None else self._header
        chosen = {"question": 0, "answer": 1, "tags": -1} | guessed | named | numbers
        if chosen["question"] == chosen["answer"]:
            raise CorpusError(
                f"{place}: question and answer are the same column "
                f"({chosen['question'] + 1}). Name both: "
                "--set csv.question=… --set csv.answer=… (tsv.… for a TSV file)"
            )
        return chosen["question"], chosen["answer"], chosen["tags"], has_header


class CsvReader:
    """Reads comma-separated values, quoted where needed; also with semicolons, tabs or bars."""

    def __init__(
        self,
        *,
        delimiter: str = "",
        question: str = "",
        answer: str = "",
        tags: str = "",
        header: bool | None = None,
        decline: str = "",
    ) -> None:
        """Set what the file does not tell.

        Args:
            delimiter: one character, or `tab`; found out where empty
            question: name or number (from 1) of its column; so too answer and tags
            header: whether the first row names the columns; found out where not given
            decline: an answer that stands for "must not be answered"
        """
        self._delimiter = _SPELT_OUT.get(delimiter, delimiter)
        if len(self._delimiter) > 1 or self._delimiter in ('"', "\n", "\r"):
            raise ValueError(f"delimiter {delimiter!r} must be one character or 'tab'.")
        self._columns = Columns(
            question=question, answer=answer, tags=tags, header=header, decline=decline
        )

    def sniff(self, source: Source) -> int:
        if source.suffix == ".csv":
            return 90
        if source.suffix not in ("", ".txt", ".data"):
            return 0
        header = _cells(_first_lines(source.head)[0], _guessed_delimiter(source.head))
        return 60 if _guessed(header) else 0

    def read(self, source: Source, bad: BadRows) -> Iterator[Exchange]:
        delimiter = self._delimiter or _guessed_delimiter(source.head)
        rows = quoted_rows(source, bad, delimiter)
        return self._columns.exchanges(rows, source, bad, delimiter)


class TsvReader:
    """Reads tab-separated values; quotes are text, unless the header itself is quoted."""

    def __init__(
        self,
        *,
        question: str = "",
        answer: str = "",
        tags: str = "",
        header: bool | None = None,
        quoted: bool | None = None,
        decline: str = "",
    ) -> None:
        """Set what the file does not tell.

        Args:
            question: name or number (from 1) of its column; so too answer and tags
            header: whether the first row names the columns; found out where not given
            quoted: whether cells may stand in quotes, as spreadsheets write them
            decline: an answer that stands for "must not be answered"
        """
        self._quoted = quoted
        self._columns = Columns(
            question=question, answer=answer, tags=tags, header=header, decline=decline
        )

    def sniff(self, source: Source) -> int:
        if source.suffix in (".tsv", ".tab"):
            return 90
        lines = [line for line in _first_lines(source.head) if line.strip()]
        tabbed = bool(lines) and all("\t" in line.strip() for line in lines)
        return 70 if tabbed and source.suffix not in (".csv", ".json", ".jsonl") else 0

    def read(self, source: Source, bad: BadRows) -> Iterator[Exchange]:
        quoted = self._quoted
        if quoted is None:
            cells = _first_lines(source.head)[0].rstrip("\r").split("\t")
            quoted = all(len(c) > 1 and c.startswith('"') and c.endswith('"') for c in cells)
        rows = quoted_rows(source, bad, "\t") if quoted else _plain_rows(source, bad)
        return self._columns.exchanges(rows, source, bad, "\t")


def quoted_rows(source: Source, bad: BadRows, delimiter: str) -> Iterator[Row]:
    """Yield the rows of a file with quoted cells, which may hold line breaks.

    After a quote that does not close, reading starts again at the line after the row's first.
    """
    csv.field_size_limit(LONGEST_CELL)
    feed = _Feed(source.lines(bad))
    while True:
        try:
            for cells in csv.reader(feed, delimiter=delimiter, strict=True):
                taken = feed.take()
                if cells and not any(line.damaged for line in taken):
                    yield Row(taken[0].number, cells)
            return
        except csv.Error:
            taken = feed.take()
            bad.report(
                source.place(taken[0].number),
                "a quoted cell is not closed properly",
                'Close it, and write a quote inside a quoted cell twice: "".',
                detail=f"noticed on line {taken[-1].number}",
            )
            feed.push_back(taken[1:])


class _Feed:
    """Hands lines to the csv module and knows which of them made up the current row."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = lines
        self._again: deque[Line] = deque()
        self._taken: list[Line] = []

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self._taken.append(line)
        # A bare return would be an error to csv; cleaning turns either into a line feed.
        return line.text.replace("\r", "\x0b") + "\n"

    def take(self) -> list[Line]:
        taken, self._taken = self._taken, []
        return taken

    def push_back(self, lines: Sequence[Line]) -> None:
        self._again.extendleft(reversed(lines))


def _plain_rows(source: Source, bad: BadRows) -> Iterator[Row]:
    for number, text, damaged in source.lines(bad):
        if text.strip() and not damaged:
            yield Row(number, text.split("\t"))


def _with_first(first: Row, rows: Iterator[Row]) -> Iterator[Row]:
    yield first
    yield from rows


def _report_short(
    place: str, cells: Sequence[str], needed: int, separator: str, bad: BadRows
) -> None:
    name = {",": "a comma", "\t": "a tab", ";": "a semicolon"}.get(separator, f"'{separator}'")
    if len(cells) == 1:
        advice = f"Give the row a question and an answer with {name} between them."
        bad.report(place, "the row has only one column", advice)
        return
    detail = f"{len(cells)}, but column {needed + 1} is needed"
    advice = f"Fill the row up, or put cells that hold {name} in quotes."
    bad.report(place, "the row has too few columns", advice, detail=detail)


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdigit() and int(name) > 0


def _index(header: list[str], name: str, place: str) -> int:
    if name in header:
        return header.index(name)
    folded = [cell.casefold() for cell in header]
    if name.casefold() in folded:
        return folded.index(name.casefold())
    raise CorpusError(
        f"{place}: there is no column '{name}'.{did_you_mean(name, header)}",
        kind=ErrorKind.COLUMN_UNKNOWN,
        place=place,
        choices=nearest(name, header),
    )


def _guessed(header: Sequence[str]) -> dict[str, int]:
    """Return the columns that a header names, or nothing where it is none."""
    question, answer = first_of(QUESTIONS, header), first_of(ANSWERS, header)
    cells = list(header)
    if question is not None and answer is not None:
        return {"question": cells.index(question), "answer": cells.index(answer)}
    if len(cells) == 2 and cells[0].strip().casefold() in HEADINGS:
        return {"question": 0, "answer": 1}
    return {}


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line.replace("\r", " ")], delimiter=delimiter), [])
    except csv.Error:  # a quoted cell far too long
        return []


def _first_lines(head: str) -> list[str]:
    """Return the first lines that are whole, or the only one."""
    lines = head.split("\n")
    return (lines[:-1] or lines)[:_SNIFFED_LINES]


def _guessed_delimiter(head: str) -> str:
    lines = _first_lines(head)
    for delimiter in _DELIMITERS:
        if _guessed(_cells(lines[0], delimiter)):
            return delimiter
    return max(_DELIMITERS, key=lambda delimiter: _fitness(lines, delimiter))


def _fitness(lines: list[str], delimiter: str) -> tuple[int, int]:
    """Return how many rows it parts, and how often no space follows it as it would in prose."""
    rows = sum(len(_cells(line, delimiter)) > 1 for line in lines)
    return rows, sum(line.count(delimiter) - line.count(f"{delimiter} ") for line in lines)
