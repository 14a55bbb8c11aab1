"""Questions on which weights and calibration are fitted: held-out ones and made ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chatseq.bots.contracts import FitData
from chatseq.core.exchange import Exchange
from chatseq.core.sequences import evenly_spaced
from chatseq.text.noise import gibberish, misspelt, reordered, salad

_MOST = 2000  # of each kind
_FEWEST = 60  # held-out questions with an answer; of fewer, changed ones are added
_MOST_ROUNDS = 30  # of changing each learnt question; the fewest have one
_MADE_SHARE = 0.5  # made questions for each that has an answer
_TYPOS = 0.3  # of the words
_LONGEST = 200  # characters of a question that made ones are like


@dataclass(frozen=True, slots=True)
class CalibrationExample:
    """A question with every answer that is right; none: it must be declined."""

    question: str
    answers: frozenset[str]
    context: tuple[str, ...] = ()


def calibration_examples(data: FitData) -> list[CalibrationExample]:
    """Return the questions that are fitted on.

    Where the corpus leaves too few to hold out, questions that were learnt come again with typing
    mistakes and in another order, several times where there are few of them: that is how those who
    know the corpus ask. Questions to be declined are those of the corpus, and made ones: half of
    them words of different questions, half random letters.
    """
    found = _grouped(evenly_spaced(data.held_out, _MOST))
    learnt = _grouped(evenly_spaced(data.train, _MOST))
    for round_ in range(_MOST_ROUNDS):
        if _answerable(found) >= _FEWEST:
            break
        found += _changed(learnt, round_)
    return [*found, *_made(data, round(_MADE_SHARE * _answerable(found)))]


def _grouped(exchanges: Sequence[Exchange]) -> list[CalibrationExample]:
    """Return each question once, with all its answers."""
    answers: dict[tuple[str, tuple[str, ...]], set[str]] = {}
    for exchange in exchanges:
        known = answers.setdefault((exchange.question, exchange.context), set())
        if exchange.answer.strip():
            known.add(exchange.answer)
    return [
        CalibrationExample(text, frozenset(known), before)
        for (text, before), known in answers.items()
    ]


def _answerable(found: Sequence[CalibrationExample]) -> int:
    return sum(bool(example.answers) for example in found)


def _changed(learnt: Sequence[CalibrationExample], round_: int) -> Iterator[CalibrationExample]:
    for seed, example in enumerate(learnt, round_ * (len(learnt) + 1)):  # not always the same order
        text = misspelt(example.question, _TYPOS, seed)
        if seed % 2:
            text = reordered(text, seed, 2)
        yield CalibrationExample(text, example.answers, example.context)


def _made(data: FitData, count: int) -> list[CalibrationExample]:
    questions = [exchange.question[:_LONGEST] for exchange in data.train]
    made = [
        salad(questions, seed) if seed % 2 else gibberish(seed, questions) for seed in range(count)
    ]
    known = set(questions)
    return [
        CalibrationExample(text, frozenset()) for text in made if text.strip() and text not in known
    ]
