"""What a corpus reader must offer; the built-in ones are in plugins/chatseq_readers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TextIO

from chatseq.errors import CorpusError
from chatseq.exchange import Exchange


@dataclass(frozen=True, slots=True)
class Source:
    """One text to read: a plain file, an unpacked gzip, or a member of a zip.

    `open` gives decoded text without line-end translation; each call starts from the beginning.
    """

    name: str  # as shown in messages: "faq.csv", "fra-eng.zip/fra.txt"
    path: Path  # the file on disk
    suffix: str  # lower case, without packing: ".csv"
    head: str  # the first few thousand characters, for sniffing
    open: Callable[[], TextIO]


@dataclass(slots=True)
class BadRows:
    """Decides what happens to a row that cannot be used: an error with its place, or a count."""

    skip: bool = False
    counts: dict[str, int] = field(default_factory=dict)  # by what was wrong
    first: dict[str, str] = field(default_factory=dict)  # the first place of each

    def report(self, place: str, what: str, advice: str) -> None:
        """Count the row, or raise a CorpusError that says place, fault and advice."""
        if not self.skip:
            raise CorpusError(f"{place}: {what}. {advice}")
        self.counts[what] = self.counts.get(what, 0) + 1
        self.first.setdefault(what, place)


class CorpusReader(Protocol):
    """Reads one file format; what the hook `chatseq_corpus_readers` names."""

    def sniff(self, source: Source) -> int:
        """Return how sure this reader is of the source: 0 not mine, up to 100 certain."""

    def read(self, source: Source, bad: BadRows) -> Iterator[Exchange]:
        """Yield the exchanges in order, each with its `file:line`; memory stays bounded."""
