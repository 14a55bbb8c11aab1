"""What a corpus is like, and what looks wrong with it.

Texts are not kept: eight bytes of a hash and a few numbers a row, some 60 bytes in all, so that a
corpus of millions of rows can be checked beside other work. (Two texts in a corpus of ten million
share a hash with a chance of one in 370,000.)
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import combinations
from typing import TYPE_CHECKING, Any

from chatseq.core.exchange import Exchange
from chatseq.corpus.read import CONTROLS_REMOVED, ReadReport
from chatseq.text.normalise import normalise_answer, question_key

if TYPE_CHECKING:
    import numpy as np

EXAMPLES = 3
MOST_GROUPS = 12  # files or tags that are compared with each other
# UTF-8 that was read as a Western encoding, lost characters, and Chinese read as GBK twice.
_ENCODING_FAULT = re.compile(
    "Ã[\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹Œ•˜™š›œž]|â€|Â[\u00a0-\u00bf]|ï»¿|\ufffd|锟斤拷|烫烫烫"
)


@dataclass(frozen=True, slots=True)
class Lengths:
    """How long texts are, in characters."""

    median: int
    p95: int
    longest: int
    longest_place: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Something worth a look: how many exchanges, and the places of the first."""

    count: int = 0
    places: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Overlap:
    """Questions that stand in two files, or in two splits of a file."""

    first: str
    second: str
    questions: int  # distinct, by `question_key`
    places: tuple[str, ...] = ()  # of some in `second`


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """One source of the corpus."""

    name: str
    format: str
    encoding: str
    exchanges: int


@dataclass(frozen=True, slots=True)
class CorpusCheck:
    """The report on a corpus."""

    files: tuple[CheckedFile, ...]
    exchanges: int
    distinct_exchanges: int  # question and answer, without context
    distinct_questions: int
    distinct_answers: int
    with_context: int
    longest_context: int  # turns
    question_lengths: Lengths
    answer_lengths: Lengths
    duplicates: Finding  # exchanges that repeat an earlier one
    several_answers: Finding  # distinct questions with more than one answer
    empty_answers: Finding  # questions to be declined
    control_characters: Finding
    encoding_faults: Finding
    overlaps: tuple[Overlap, ...]
    tags: dict[str, int]  # the first tag of each exchange; empty where there are too many
    bad_rows: dict[str, Finding]  # by what was wrong
    notes: dict[str, Finding]


@dataclass(slots=True)
class _Column:
    """Numbers of one kind, one an exchange."""

    values: array[int] = field(default_factory=lambda: array("Q"))

    def numbers(self) -> np.ndarray[Any, Any]:
        import numpy as np  # 0.1 s that other commands need not pay

        return np.frombuffer(self.values, dtype=np.uint64)


class Checker:
    """Takes exchanges one by one and then tells what they are like."""

    def __init__(self) -> None:
        self._question = _Column()  # hash of the text
        self._key = _Column()  # hash of its question_key
        self._answer = _Column()
        self._pair = _Column()
        self._question_length = _Column()
        self._answer_length = _Column()
        self._file = _Column()
        self._line = _Column()
        self._tag = _Column()
        self._files: dict[str, int] = {}
        self._tags: dict[str, int] = {"": 0}
        self._tag_counts: dict[str, int] = {}
        self._with_context = 0
        self._longest_context = 0
        self._faults = _Places()
        self._empty = _Places()

    def add(self, exchange: Exchange) -> None:
        """Take one exchange into the figures."""
        question, answer = _hash(exchange.question), _hash(normalise_answer(exchange.answer))
        self._question.values.append(question)
        self._answer.values.append(answer)
        self._key.values.append(_hash(question_key(exchange.question)))
        self._pair.values.append((question * 31 + answer) % 2**64)
        self._question_length.values.append(len(exchange.question))
        self._answer_length.values.append(len(exchange.answer))
        self._take_place(exchange)
        self._with_context += bool(exchange.context)
        self._longest_context = max(self._longest_context, len(exchange.context))
        if not exchange.answer:
            self._empty.add(exchange.source)
        if _ENCODING_FAULT.search(exchange.question) or _ENCODING_FAULT.search(exchange.answer):
            self._faults.add(exchange.source)

    def _take_place(self, exchange: Exchange) -> None:
        file, _, line = exchange.source.rpartition(":")
        self._file.values.append(self._files.setdefault(file, len(self._files)))
        self._line.values.append(int(line) if line.isdecimal() else 0)
        tag = exchange.tags[0] if exchange.tags else ""
        if tag and len(self._tags) <= MOST_GROUPS + 1:  # more are no splits
            self._tag_counts[tag] = self._tag_counts.get(tag, 0) + 1
            self._tags.setdefault(tag, len(self._tags))
        self._tag.values.append(self._tags.get(tag, 0))

    def report(self, read: ReadReport) -> CorpusCheck:
        """Return what the exchanges taken so far are like."""
        import numpy as np

        pairs, questions = self._pair.numbers(), self._question.numbers()
        _, first_rows = np.unique(pairs, return_index=True)
        repeated = np.ones(len(pairs), dtype=bool)
        repeated[first_rows] = False
        several, several_rows = _several(questions[first_rows], first_rows)
        bad = read.bad
        told = {what: Finding(n, (bad.first_noted[what],)) for what, n in bad.notes.items()}
        return CorpusCheck(
            files=tuple(CheckedFile(f.name, f.format, f.encoding, f.exchanges) for f in read.files),
            exchanges=len(pairs),
            distinct_exchanges=len(first_rows),
            distinct_questions=len(np.unique(questions)),
            distinct_answers=len(np.unique(self._answer.numbers())),
            with_context=self._with_context,
            longest_context=self._longest_context,
            question_lengths=self._lengths(self._question_length),
            answer_lengths=self._lengths(self._answer_length),
            duplicates=Finding(int(repeated.sum()), self._places(np.flatnonzero(repeated))),
            several_answers=Finding(several, self._places(several_rows)),
            empty_answers=self._empty.finding(),
            control_characters=told.get(CONTROLS_REMOVED, Finding()),
            encoding_faults=self._faults.finding(),
            overlaps=(*self._overlaps(self._files, self._file), *self._overlaps_of_tags()),
            tags=self._tag_counts if len(self._tag_counts) <= MOST_GROUPS else {},
            bad_rows={what: Finding(n, (bad.first[what],)) for what, n in bad.counts.items()},
            notes=told,
        )

    def _lengths(self, column: _Column) -> Lengths:
        import numpy as np

        lengths = column.numbers()
        if not len(lengths):
            return Lengths(0, 0, 0, "")
        median, p95 = np.percentile(lengths, [50, 95], method="lower")
        longest = int(lengths.argmax())
        return Lengths(int(median), int(p95), int(lengths[longest]), self._place(longest))

    def _overlaps_of_tags(self) -> tuple[Overlap, ...]:
        named = {tag: at for tag, at in self._tags.items() if tag}
        return self._overlaps(named, self._tag)

    def _overlaps(self, groups: dict[str, int], column: _Column) -> tuple[Overlap, ...]:
        """Compare the questions of each two groups; too many groups are no splits."""
        import numpy as np

        if not 1 < len(groups) <= MOST_GROUPS:
            return ()
        member, keys = column.numbers(), self._key.numbers()
        rows = {name: np.flatnonzero(member == at) for name, at in groups.items()}
        found = []
        for first, second in combinations(groups, 2):
            shared = np.intersect1d(keys[rows[first]], keys[rows[second]])
            if len(shared):
                again = rows[second][np.isin(keys[rows[second]], shared)]
                found.append(Overlap(first, second, len(shared), self._places(again)))
        return tuple(found)

    def _places(self, rows: np.ndarray[Any, Any]) -> tuple[str, ...]:
        """Return the first places of some rows; the rows of one conversation share theirs."""
        told = dict.fromkeys(self._place(int(row)) for row in rows[: 20 * EXAMPLES])
        return tuple(told)[:EXAMPLES]

    def _place(self, row: int) -> str:
        file = next(name for name, at in self._files.items() if at == self._file.values[row])
        return f"{file}:{self._line.values[row]}"


class _Places:
    """Counts and remembers the first places."""

    def __init__(self) -> None:
        self._count = 0
        self._first: list[str] = []

    def add(self, place: str) -> None:
        self._count += 1
        if len(self._first) < EXAMPLES:
            self._first.append(place)

    def finding(self) -> Finding:
        return Finding(self._count, tuple(self._first))


def check_corpus(
    exchanges: Iterable[Exchange],
    read: ReadReport,
    *,
    progress: Callable[[int], None] | None = None,
) -> CorpusCheck:
    """Return what the exchanges are like; `read` is the report that reading them fills."""
    checker = Checker()
    for count, exchange in enumerate(exchanges, 1):
        checker.add(exchange)
        if progress is not None:
            progress(count)
    return checker.report(read)


def _hash(text: str) -> int:
    return int.from_bytes(
        blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "little"
    )


def _several(
    questions: np.ndarray[Any, Any], rows: np.ndarray[Any, Any]
) -> tuple[int, np.ndarray[Any, Any]]:
    """Return how many questions of distinct pairs come more than once, and their rows."""
    import numpy as np

    distinct, counts = np.unique(questions, return_counts=True)
    again = distinct[counts > 1]
    return len(again), np.sort(rows[np.isin(questions, again)])
