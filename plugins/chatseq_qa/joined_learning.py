"""What the responder `qa` learns when the network is trained; loaded at the end of training only.

While questions are held out, the linear classifier and the index are made of what the network
learnt, so that the joining is fitted on questions which none of the witnesses has seen. Then both
are made of the whole corpus.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from chatseq.bundle.pairs import Pairs
from chatseq.chat.contracts import Lesson
from chatseq_qa.index import QuestionIndex
from chatseq_qa.joining import FILE, Joined, Ranked, ranked, read_joined
from chatseq_qa.joining_fit import Practice, fit_calibration, fit_weights, threshold
from chatseq_qa.linear import Linear, copy_linear, save
from chatseq_qa.linear_learning import known_grams, learn_linear
from chatseq_qa.practice import Drill, drills
from chatseq_qa.witnesses import DECLINE, MOST_LINEAR, PAIR_ANSWERS, Testimony, Witnesses

_MOST_WORK = 12_000_000  # questions times answers; some 4 s a million
_MOST_BY_HEART = 5_000  # exchanges of a corpus in which answers do not recur
_LITTLE_MORE = 1.04  # times the questions; for so few more the classifier is not learnt again
_TOGETHER = 64  # questions

Figures = Mapping[str, float | None]


def learn_joined(lesson: Lesson, folder: Path) -> Figures:
    """Write the index, the classifier and what joins them, and return figures about the fit.

    Of a corpus in which answers hardly recur, only the index is written.
    """
    QuestionIndex.build(folder, (exchange.question for exchange in lesson.train))
    if lesson.fitted is not None and (lesson.fitted / FILE).is_file():
        _learn_again(lesson, folder, lesson.fitted)
    elif lesson.fitted is None and (lesson.closed or len(lesson.train) <= _MOST_BY_HEART):
        return _learn_first(lesson, folder)
    return {}


def _learn_first(lesson: Lesson, folder: Path) -> Figures:
    numbers = _numbers(lesson)
    work = len(lesson.train) * (_told(numbers) + 1)
    with_linear = lesson.closed and work <= _MOST_WORK  # of single examples it learns nothing
    _write(lesson, folder, numbers, with_linear=with_linear)
    declines = any(not exchange.answer.strip() for exchange in lesson.train)
    linear = Linear(folder) if with_linear else None
    witnesses = Witnesses(lesson.bot, folder, linear, declines=declines)
    joined, figures = _fitted(lesson, witnesses, numbers)
    (folder / FILE).write_text(joined.to_json(), encoding="utf-8")
    return figures


def _learn_again(lesson: Lesson, folder: Path, fitted: Path) -> None:
    """Write the same for the whole corpus, joined as it was fitted."""
    joined = (fitted / FILE).read_text(encoding="utf-8")
    with_linear = read_joined(joined).linear
    little = len(lesson.train) <= _LITTLE_MORE * len(Pairs(fitted))
    _write(lesson, folder, _numbers(lesson), with_linear=with_linear and not little)
    if with_linear and little:
        copy_linear(fitted, folder)
    (folder / FILE).write_text(joined, encoding="utf-8")


def _numbers(lesson: Lesson) -> Mapping[str, int]:
    """Return the numbers of the answers by their texts."""
    assert lesson.bot.answers is not None  # noqa: S101  (a trained bot has them)
    return {text: at for at, text in enumerate(lesson.bot.answers.texts)}


def _told(numbers: Mapping[str, int]) -> int:
    """Return how many answers the linear classifier tells apart."""
    return min(len(numbers), MOST_LINEAR)


def _write(lesson: Lesson, folder: Path, numbers: Mapping[str, int], *, with_linear: bool) -> None:
    """Write the numbers of the answers, and the linear classifier.

    A question whose answer the bot does not know is one to be declined.
    """
    answers = [numbers.get(exchange.answer, DECLINE) for exchange in lesson.train]
    np.save(folder / PAIR_ANSWERS, np.array(answers, np.int32), allow_pickle=False)
    if not with_linear:
        return
    told = _told(numbers)
    questions = [exchange.question for exchange in lesson.train]
    known = known_grams(questions, told + 1)
    kept = [at for at, answer in enumerate(answers) if answer < told]
    classes = [told if answers[at] == DECLINE else answers[at] for at in kept]
    asked = [questions[at] for at in kept]
    save(folder, known, *learn_linear(known, asked, classes, told + 1, lesson.seed))


def _fitted(
    lesson: Lesson, witnesses: Witnesses, numbers: Mapping[str, int]
) -> tuple[Joined, Figures]:
    practised = drills(lesson)
    heard = list(_heard(lesson, witnesses, practised))
    wanted = [frozenset(numbers[a] for a in drill.answers if a in numbers) for drill in practised]
    weights = fit_weights(heard, wanted)
    best = [ranked(each, weights) for each in heard]
    practice = Practice(
        np.array([each.signs for each in best]),
        np.array([_is_right(*both) for both in zip(best, wanted, strict=True)], np.bool_),
        np.array([bool(known) for known in wanted], np.bool_),
    )
    calibration = fit_calibration(practice)
    confidences = np.array([calibration.confidence(signs) for signs in practice.signs])
    below = threshold(confidences, practice, declines=witnesses.declines)
    joined = Joined(weights, calibration, below, witnesses.declines, witnesses.has_linear)
    return joined, _figures(confidences, practice, below)


def _heard(lesson: Lesson, witnesses: Witnesses, practised: Sequence[Drill]) -> Iterator[Testimony]:
    read = lesson.bot.reader.read
    for start in range(0, len(practised), _TOGETHER):
        some = practised[start : start + _TOGETHER]
        texts = [drill.question for drill in some]
        yield from witnesses.hear(texts, [read(d.question, d.context) for d in some])


def _is_right(best: Ranked, wanted: frozenset[int]) -> bool:
    return bool(len(best.answers)) and int(best.answers[0]) in wanted


def _figures(confidences: NDArray[np.float64], practice: Practice, below: float) -> Figures:
    """Return what the fit says of itself, over the questions that it was fitted on."""
    made, asked = confidences[~practice.answerable], confidences[practice.answerable]
    return {
        "qa_practised": float(len(confidences)),
        "qa_decline_below": below,
        "qa_wrongly_declined": float((asked < below).mean()) if len(asked) else None,
        "qa_declined": float((made < below).mean()) if len(made) else None,
    }
