"""What the responder `qa` learns when the network is trained; loaded at the end of training only.

The linear classifier and the index are made of the part that the network learnt from, so that all
witnesses are heard on questions which none of them has seen. On those the joining is fitted. Then
both are made again, of the whole corpus.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from chatseq.bundle.pairs import Pairs
from chatseq.chat.contracts import Lesson
from chatseq.exchange import Exchange
from chatseq_qa.index import QuestionIndex
from chatseq_qa.joining import FILE, Joined, Ranked, ranked
from chatseq_qa.joining_fit import Practice, fit_calibration, fit_weights, threshold
from chatseq_qa.linear import Linear, save
from chatseq_qa.linear_learning import known_grams, learn_linear
from chatseq_qa.practice import Drill, drills
from chatseq_qa.witnesses import DECLINE, MOST_LINEAR, PAIR_ANSWERS, Testimony, Witnesses

_MOST_WORK = 24_000_000  # questions times answers; 4 s a million
_MOST_BY_HEART = 5_000  # exchanges of a corpus in which answers do not recur

Figures = Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class _Numbers:
    """The numbers of answers by their texts."""

    of: Mapping[str, int]

    def number(self, answer: str) -> int:
        """Return the number of an answer, that of declining for a blank one and a forgotten one."""
        return self.of.get(answer, DECLINE) if answer.strip() else DECLINE


def learn_joined(lesson: Lesson, folder: Path) -> Figures:
    """Write the index, the classifier and what joins them, and return figures about the fit."""
    assert lesson.bot.answers is not None  # noqa: S101  (a trained bot has them)
    numbers = _Numbers({text: at for at, text in enumerate(lesson.bot.answers.texts)})
    if not (lesson.closed or len(lesson.train) <= _MOST_BY_HEART):
        _write(lesson, folder, numbers, Pairs(folder), with_linear=False)
        return {}
    declines = any(not exchange.answer.strip() for exchange in lesson.train)
    with tempfile.TemporaryDirectory() as place:
        with_linear = _write(lesson, Path(place), numbers, lesson.train, with_linear=True)
        linear = Linear(Path(place)) if with_linear else None
        witnesses = Witnesses(lesson.bot, Path(place), linear, declines=declines)
        joined, figures = _fitted(lesson, witnesses, numbers)
    _write(lesson, folder, numbers, Pairs(folder), with_linear=with_linear)
    (folder / FILE).write_text(joined.to_json(), encoding="utf-8")
    return figures


def _write(
    lesson: Lesson,
    folder: Path,
    numbers: _Numbers,
    exchanges: Sequence[Exchange],
    *,
    with_linear: bool,
) -> bool:
    """Write what is learnt from exchanges; return whether that has a linear classifier."""
    questions = [exchange.question for exchange in exchanges]
    answers = [numbers.number(exchange.answer) for exchange in exchanges]
    QuestionIndex.build(folder, questions)
    np.save(folder / PAIR_ANSWERS, np.array(answers, np.int32), allow_pickle=False)
    told = min(len(numbers.of), MOST_LINEAR)
    if not with_linear or len(questions) * (told + 1) > _MOST_WORK:
        return False
    known = known_grams(questions, told + 1)
    kept = [at for at, answer in enumerate(answers) if answer < told]
    classes = [told if answers[at] == DECLINE else answers[at] for at in kept]
    asked = [questions[at] for at in kept]
    save(folder, known, *learn_linear(known, asked, classes, told + 1, lesson.seed))
    return True


def _fitted(lesson: Lesson, witnesses: Witnesses, numbers: _Numbers) -> tuple[Joined, Figures]:
    practised = drills(lesson)
    heard = _heard(lesson, witnesses, practised)
    wanted = [
        frozenset(numbers.number(answer) for answer in drill.answers) - {DECLINE}
        for drill in practised
    ]
    weights = fit_weights(heard, wanted)
    best = [ranked(each, weights) for each in heard]
    practice = Practice(
        np.array([each.signs for each in best]),
        np.array([_is_right(each, right) for each, right in zip(best, wanted, strict=True)]),
        np.array([bool(drill.answers) for drill in practised]),
    )
    calibration = fit_calibration(practice)
    confidences = np.array([calibration.confidence(signs) for signs in practice.signs])
    below = threshold(confidences, practice)
    joined = Joined(weights, calibration, below, _declines(lesson), witnesses.has_linear)
    return joined, _figures(confidences, practice, below)


def _declines(lesson: Lesson) -> bool:
    return any(not exchange.answer.strip() for exchange in lesson.train)


def _heard(lesson: Lesson, witnesses: Witnesses, practised: Sequence[Drill]) -> list[Testimony]:
    read = lesson.bot.reader.read
    found: list[Testimony] = []
    for some in _parts(practised, 64):
        texts = [drill.question for drill in some]
        found += witnesses.hear(texts, [read(d.question, d.context) for d in some])
    return found


def _is_right(best: Ranked, wanted: frozenset[int]) -> bool:
    return bool(len(best.answers)) and int(best.answers[0]) in wanted


def _parts(drilled: Sequence[Drill], size: int) -> Iterable[Sequence[Drill]]:
    return (drilled[start : start + size] for start in range(0, len(drilled), size))


def _figures(confidences: NDArray[np.float64], practice: Practice, below: float) -> Figures:
    """Return what the fit says of itself, over the questions that it was fitted on."""
    made, asked = confidences[~practice.answerable], confidences[practice.answerable]
    return {
        "qa_practised": float(len(confidences)),
        "qa_decline_below": below,
        "qa_wrongly_declined": float((asked < below).mean()) if len(asked) else None,
        "qa_declined": float((made < below).mean()) if len(made) else None,
    }
