"""What a corpus reader must offer; the built-in ones are in plugins/chatseq_readers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from chatseq.core.errors import CorpusError, ErrorKind
from chatseq.core.exchange import Exchange


class Line(NamedTuple):
    """One line of a source, without its line end.

    A damaged line (bytes that do not fit the encoding, or far too long) was already reported. It
    is handed on so that its whole record can be left out: dropping the line alone would put
    an answer under the wrong question.
    """

    number: int  # from 1
    text: str
    damaged: bool = False


@dataclass(slots=True)
class BadRows:
    """Decides what happens to a row that cannot be used: an error with its place, or a count."""

    skip: bool = False
    counts: dict[str, int] = field(default_factory=dict)  # by what was wrong
    first: dict[str, str] = field(default_factory=dict)  # the first place of each
    notes: dict[str, int] = field(default_factory=dict)  # by what was remarkable, yet no fault
    first_noted: dict[str, str] = field(default_factory=dict)
    first_message: str = ""  # what would have been raised first
    first_place: str = ""  # of that

    def report(self, place: str, what: str, advice: str, *, detail: str = "") -> None:
        """Count the row, or raise a CorpusError that says place, fault and advice.

        Args:
            what: the kind of fault, one of a few fixed texts, since it is counted by
            detail: what is particular to this row
        """
        told = f"{what} ({detail})" if detail else what
        message = f"{place}: {told}. {advice}"
        if not self.skip:
            raise CorpusError(message, kind=ErrorKind.CORPUS_ROW, place=place)
        self.first_place = self.first_place or place
        self.first_message = self.first_message or message
        self.counts[what] = self.counts.get(what, 0) + 1
        self.first.setdefault(what, place)

    def first_error(self) -> CorpusError:
        """Return what would have been raised first, had rows not been left out."""
        return CorpusError(self.first_message, kind=ErrorKind.CORPUS_ROW, place=self.first_place)

    def note(self, place: str, what: str) -> None:
        """Count something worth telling that is no fault; never raises."""
        self.notes[what] = self.notes.get(what, 0) + 1
        self.first_noted.setdefault(what, place)


@dataclass(frozen=True, slots=True)
class Source:
    """One text to read: a plain file, an unpacked gzip, or a member of a zip.

    Lines end at "\\n" or "\\r\\n" and nowhere else; each call of `lines` or `pieces` starts
    from the beginning.
    """

    name: str  # as shown in messages: "faq.csv", "fra-eng.zip/fra.txt"
    path: Path  # the file on disk
    suffix: str  # lower case, without packing: ".csv"
    head: str  # the first few thousand characters, for sniffing; the last line may be cut
    lines: Callable[[BadRows], Iterator[Line]]
    pieces: Callable[[BadRows], Iterator[Line]]  # with line ends; a long line in several pieces
    encoding: str = "utf-8"
    partner: Source | None = None  # the other side, where two parallel files were given

    def place(self, line: int) -> str:
        """Return the place of a line as messages and exchanges carry it."""
        return f"{self.name}:{line}"


class CorpusReader(Protocol):
    """Reads one file format; what the hook `chatseq_corpus_readers` names."""

    def sniff(self, source: Source) -> int:
        """Return how sure this reader is of the source: 0 not mine, up to 100 certain."""

    def read(self, source: Source, bad: BadRows) -> Iterator[Exchange]:
        """Yield the exchanges in order, each with its `file:line`; memory stays bounded.

        Text is given as written: chatseq cleans it, and refuses empty questions, for all readers.
        """
