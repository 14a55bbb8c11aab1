"""Each check of corpus readers finds the reader that breaks just this, and no other check does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from kit.small_parts import ArrowReader
from mutants import assert_found, assert_proved, found_by, mutant

from chatseq.core.exchange import Exchange
from chatseq.corpus.contracts import BadRows, Line, Source
from chatseq.testing import check_part


class IsSureBelowZero(ArrowReader):
    def sniff(self, source: Source) -> int:
        return super().sniff(source) or -1


class ClaimsTables(ArrowReader):
    def sniff(self, source: Source) -> int:
        return 100 if source.suffix == ".csv" else super().sniff(source)


class HardlyKnowsItself(ArrowReader):
    def sniff(self, source: Source) -> int:
        return super().sniff(source) // 10


class CountsFromZero(ArrowReader):
    def read(self, source: Source, bad: BadRows) -> Iterator[Exchange]:
        for exchange in super().read(source, bad):
            line = int(exchange.source.rpartition(":")[2]) - 1
            yield replace(exchange, source=source.place(line))


class SplitsAtEveryBreak(ArrowReader):
    def read(self, source: Source, bad: BadRows) -> Iterator[Exchange]:
        for line in source.lines(bad):
            for text in line.text.splitlines():
                question, arrow, answer = text.partition(" => ")
                if arrow and not line.damaged:
                    yield Exchange(question, answer, source=source.place(line.number))


class TakesDamagedLines(ArrowReader):
    def read(self, source: Source, bad: BadRows) -> Iterator[Exchange]:
        return super().read(sound(source), bad)


def sound(source: Source) -> Source:
    """Return a source that keeps quiet about damage."""

    def lines(bad: BadRows) -> Iterator[Line]:
        return (line._replace(damaged=False) for line in source.lines(bad))

    return replace(source, lines=lines)


class WantsAnArrow(ArrowReader):
    def read(self, source: Source, bad: BadRows) -> Iterator[Exchange]:
        for line in source.lines(bad):
            if not line.damaged:
                question, answer = line.text.split(" => ")
                yield Exchange(question, answer, source=source.place(line.number))


class ReadsItAll(ArrowReader):
    def read(self, source: Source, bad: BadRows) -> Iterator[Exchange]:
        yield from list(super().read(source, bad))


class KeepsItsPlace(ArrowReader):
    def read(self, source: Source, bad: BadRows) -> Iterator[Exchange]:
        self.lines = source.lines(bad)
        while (line := next(self.lines, None)) is not None:
            yield from super().read(one_line(source, line), bad)


def one_line(source: Source, line: Line) -> Source:
    return replace(source, lines=lambda bad: iter([line]))


MUTANTS = {
    "its sureness is a whole number to 100": mutant(IsSureBelowZero, "it is -1 sure"),
    "it reads what it claims": mutant(ClaimsTables, "it claims CSV, and reads"),
    "its own files are recognised": mutant(HardlyKnowsItself, "another reader is as sure"),
    "pairs come with their places": mutant(CountsFromZero, "is told to begin in line 0"),
    "strange line ends shift no pair": mutant(SplitsAtEveryBreak, "is read as"),
    "bad rows are reported": mutant(TakesDamagedLines, "beside a damaged row it reads"),
    "anything is read or refused": mutant(WantsAnArrow, "ValueError"),
    "reading needs little memory": mutant(ReadsItAll, "the first of 3000 pairs comes after"),
    "one reader serves many files": mutant(KeepsItsPlace, "two files that are read in turns mix"),
}


def test_every_check_has_its_mutant() -> None:
    assert_proved("corpus-reader", MUTANTS)


def test_an_honest_reader_breaks_nothing() -> None:
    assert found_by("corpus-reader", ArrowReader) == {}


@pytest.mark.parametrize("check", MUTANTS)
def test_a_check_finds_its_mutant_and_is_alone(check: str) -> None:
    assert_found("corpus-reader", check, MUTANTS[check])


# Further ways to be wrong, of which several checks may tell.


class ShiftsAnswers(ArrowReader):
    """Gives every question the answer before."""

    def read(self, source: Source, bad: BadRows) -> Iterator[Exchange]:
        before = ""
        for exchange in super().read(source, bad):
            yield replace(exchange, answer=before)
            before = exchange.answer


class TellsNoPlace(ArrowReader):
    """Forgets where it read."""

    def read(self, source: Source, bad: BadRows) -> Iterator[Exchange]:
        return (replace(exchange, source="") for exchange in super().read(source, bad))


class PassesOverDamage(ArrowReader):
    """Never says what it left out."""

    def read(self, source: Source, bad: BadRows) -> Iterator[Exchange]:
        return super().read(source, BadRows(skip=True))


class IsVerySure(ArrowReader):
    """Is more than certain."""

    def sniff(self, source: Source) -> int:
        return 101


@pytest.mark.parametrize(
    ("wrong", "check", "told"),
    [
        (ShiftsAnswers, "pairs come with their places", "of "),
        (TellsNoPlace, "pairs come with their places", "'' is no place like"),
        (PassesOverDamage, "bad rows are reported", "neither read nor reported"),
        (IsVerySure, "its sureness is a whole number to 100", "it is 101 sure"),
        (IsVerySure, "it reads what it claims", "it claims CSV"),
    ],
)
def test_another_fault_is_found(wrong: type, check: str, told: str) -> None:
    assert told in found_by("corpus-reader", wrong)[check]


def test_a_format_can_be_given_to_the_check() -> None:
    def dashes(pairs: Sequence[tuple[str, str]]) -> tuple[str, str]:
        return "x.arrow", "".join(f"{question} - {answer}\n" for question, answer in pairs)

    found = found_by("corpus-reader", ArrowReader, file=dashes)
    assert "it reads []" in found["pairs come with their places"] or "no arrow" in str(found)


def test_a_format_that_nobody_wrote_is_not_checked() -> None:
    class Unknown(ArrowReader):
        """Read a format of its own."""

        example_file = None  # type: ignore[assignment]

    outcomes = check_part("corpus-reader", Unknown)
    silent = [o for o in outcomes if o.result == "not applicable" and "format" in o.reason]
    assert len(silent) == 7
    assert "give example_file(pairs) -> (name, text)" in silent[0].reason
