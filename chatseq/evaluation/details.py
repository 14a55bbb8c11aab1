"""What lies behind the figures: which questions went wrong, what was confused, which curves."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from chatseq.core.exchange import ReplySource
from chatseq.evaluation.contracts import JudgedReply
from chatseq.evaluation.curves import (
    Bin,
    ConfidenceOutcome,
    RiskPoint,
    RocPoint,
    Threshold,
    outcomes,
    reliability,
    risk_coverage,
    roc,
    thresholds,
)
from chatseq.text.normalise import normalise_answer

MOST = 20  # of every list


@dataclass(frozen=True, slots=True)
class Confusion:
    """One answer that was given in place of another."""

    wanted: str  # the first of the right ones; empty: the question was to be declined
    said: str
    times: int


@dataclass(frozen=True, slots=True)
class Case:
    """One question that went wrong."""

    question: str
    context: tuple[str, ...]  # earlier turns that were read with it, oldest first
    wanted: tuple[str, ...]  # empty: it was to be declined
    guess: str  # what was said, or would have been if it were not declined
    confidence: float  # 0..1, in the guess
    guessed_right: bool


@dataclass(frozen=True, slots=True)
class OfSource:
    """The replies that came from one source."""

    source: str
    replies: int
    right: int  # declined ones: those that were to be declined


@dataclass(frozen=True, slots=True)
class Details:
    """What people look at after the figures; every list has its own order. See docs/evaluation.md.

    The last four are over the confidence in every best guess, declined or not.
    """

    sources: tuple[OfSource, ...] = ()  # those that occur
    confusions: tuple[Confusion, ...] = ()  # the most frequent first
    wrong: tuple[Case, ...] = ()  # said and wrong, the most confident first
    wrongly_declined: tuple[Case, ...] = ()  # the most confident first
    thresholds: tuple[Threshold, ...] = ()  # the lowest first
    bins: tuple[Bin, ...] = ()  # those that hold a reply, the lowest first
    risk_coverage: tuple[RiskPoint, ...] = ()  # from the smallest coverage
    roc: tuple[RocPoint, ...] = ()  # from the highest threshold; empty unless both kinds

    def as_json(self) -> dict[str, object]:
        """Return all of it as lists and objects."""
        return asdict(self)


class DetailCollector:
    """Takes in replies, and keeps of them what the details need."""

    def __init__(self) -> None:
        self._outcomes: list[ConfidenceOutcome] = []
        self._confusions: Counter[tuple[str, str]] = Counter()
        self._sources: Counter[ReplySource] = Counter()
        self._right: Counter[ReplySource] = Counter()
        self._wrong: list[Case] = []
        self._declined: list[Case] = []

    def add(self, judged: Sequence[JudgedReply]) -> None:
        """Take in some more replies."""
        self._outcomes += outcomes(judged)
        for one in judged:
            self._sources[one.reply.source] += 1
            self._right[one.reply.source] += _well_done(one)
        wrong = [one for one in judged if not (one.declined or one.right)]
        self._confusions.update((_wanted(one), normalise_answer(one.said)) for one in wrong)
        self._wrong = _most_confident(self._wrong, wrong)
        declined = (one for one in judged if one.declined and one.answerable)
        self._declined = _most_confident(self._declined, declined)

    def details(self) -> Details:
        """Return the details of all replies so far."""
        confused = self._confusions.most_common(MOST)
        return Details(
            sources=tuple(
                OfSource(source.value, self._sources[source], self._right[source])
                for source in ReplySource
                if self._sources[source]
            ),
            confusions=tuple(Confusion(*pair, times) for pair, times in confused),
            wrong=tuple(self._wrong),
            wrongly_declined=tuple(self._declined),
            thresholds=thresholds(self._outcomes),
            bins=reliability(self._outcomes),
            risk_coverage=risk_coverage(self._outcomes),
            roc=roc(self._outcomes),
        )


def _well_done(one: JudgedReply) -> bool:
    return not one.answerable if one.declined else one.right


def _wanted(one: JudgedReply) -> str:
    return normalise_answer(one.references[0]) if one.answerable else ""


def _most_confident(kept: Iterable[Case], more: Iterable[JudgedReply]) -> list[Case]:
    """Return so many cases as a list holds; of equal confidence those that came first."""
    both = [*kept, *map(_case, more)]
    return heapq.nlargest(MOST, both, key=lambda case: case.confidence)


def _case(one: JudgedReply) -> Case:
    return Case(
        question=one.question,
        context=one.context,
        wanted=one.references,
        guess=one.guess,
        confidence=one.confidence,
        guessed_right=one.guessed_right,
    )
