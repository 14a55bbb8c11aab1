"""Each check of metrics finds the metric that breaks just this, and no other check does."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pytest
from kit.small_parts import MeanLength
from mutants import assert_found, assert_proved, found_by, mutant

from chatseq.evaluation.contracts import JudgedReply

Figures = Mapping[str, float | None]


class HasNoName(MeanLength):
    def figures(self) -> Figures:
        return {"mean length": 1.0}


class IsSilentAtFirst(MeanLength):
    def figures(self) -> Figures:
        return super().figures() if self.count else {"nothing": None}


class MergesNothing(MeanLength):
    def merge(self, other: MeanLength) -> None:
        pass


class KeepsTheLast(MeanLength):
    last: int | None = None

    def add(self, judged: Sequence[JudgedReply]) -> None:
        self.last = len(judged[-1].said) + len(judged[-1].references) if judged else self.last

    def merge(self, other: MeanLength) -> None:
        assert isinstance(other, KeepsTheLast)
        self.last = self.last if other.last is None else other.last

    def figures(self) -> Figures:
        return {"last": self.last}


class StartsAgain(MeanLength):
    def figures(self) -> Figures:
        found = super().figures()
        self.characters, self.count = 0, 0
        return found


MUTANTS = {
    "figures are finite numbers with names": mutant(HasNoName, "'mean length' is no name"),
    "nothing has the same figures": mutant(IsSilentAtFirst, "['nothing'] at first"),
    "any split gives the same figures": mutant(MergesNothing, "two workers with 0 and 9 replies"),
    "the order of replies changes nothing": mutant(KeepsTheLast, "last is 12 and not 5"),
    "looking changes nothing": mutant(StartsAgain, "asking for figures changes them"),
}


def test_every_check_has_its_mutant() -> None:
    assert_proved("metric", MUTANTS)


def test_an_honest_metric_breaks_nothing() -> None:
    assert found_by("metric", MeanLength) == {}


@pytest.mark.parametrize("check", MUTANTS)
def test_a_check_finds_its_mutant_and_is_alone(check: str) -> None:
    assert_found("metric", check, MUTANTS[check])


# Further ways to be wrong, of which several checks may tell.


class DividesByNothing(MeanLength):
    """Is NaN without replies."""

    def figures(self) -> Figures:
        return {"mean_length": self.characters / self.count if self.count else math.nan}


class HasNoFigures(MeanLength):
    """Has nothing to say."""

    def figures(self) -> Figures:
        return {}


class SumsForAll(MeanLength):
    """Keeps its sums where all metrics of its kind find them."""

    sums: list[int] = []  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self.sums.clear()

    def add(self, judged: Sequence[JudgedReply]) -> None:
        self.sums.extend(len(one.said) for one in judged)

    def figures(self) -> Figures:
        return {"total": float(sum(self.sums))}


@pytest.mark.parametrize(
    ("wrong", "check", "told"),
    [
        (DividesByNothing, "figures are finite numbers with names", "is nan after 0 replies"),
        (HasNoFigures, "figures are finite numbers with names", "there are no figures"),
        (SumsForAll, "looking changes nothing", "one metric adds to another"),
    ],
)
def test_another_fault_is_found(wrong: type, check: str, told: str) -> None:
    assert told in found_by("metric", wrong)[check]
