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

from chatseq.bots.bundle.pairs import Pairs
from chatseq.bots.contracts import FitData
from chatseq_qa.calibration_examples import CalibrationExample, calibration_examples
from chatseq_qa.calibration_fit import CalibrationSet, fit_calibration, fit_weights, threshold
from chatseq_qa.ensemble import FILE, FittedEnsemble, RankedAnswers, ranked, read_ensemble
from chatseq_qa.linear_classifier import LinearClassifier, copy_linear, save
from chatseq_qa.linear_classifier_fit import known_grams, learn_linear
from chatseq_qa.question_index import QuestionIndex
from chatseq_qa.scorers import DECLINE, MOST_LINEAR, PAIR_ANSWERS, AnswerScorers, AnswerScores

_MOST_WORK = 12_000_000  # questions times answers; some 4 s a million
_MOST_BY_HEART = 5_000  # exchanges of a corpus in which answers do not recur
_LITTLE_MORE = 1.04  # times the questions; for so few more the classifier is not learnt again
_TOGETHER = 64  # questions

Figures = Mapping[str, float | None]


def fit_responder(data: FitData, folder: Path) -> Figures:
    """Write the index, the classifier and what joins them, and return figures about the fit.

    Of a corpus in which answers hardly recur, only the index is written.
    """
    QuestionIndex.build(folder, (exchange.question for exchange in data.train))
    if data.fitted is not None and (data.fitted / FILE).is_file():
        _learn_again(data, folder, data.fitted)
    elif data.fitted is None and (data.closed or len(data.train) <= _MOST_BY_HEART):
        return _learn_first(data, folder)
    return {}


def _learn_first(data: FitData, folder: Path) -> Figures:
    numbers = _numbers(data)
    work = len(data.train) * (_told(numbers) + 1)
    with_linear = data.closed and work <= _MOST_WORK  # of single examples it learns nothing
    _write(data, folder, numbers, with_linear=with_linear)
    declines = any(not exchange.answer.strip() for exchange in data.train)
    linear = LinearClassifier(folder) if with_linear else None
    witnesses = AnswerScorers(data.bot, folder, linear, declines=declines)
    joined, figures = _fitted(data, witnesses, numbers)
    (folder / FILE).write_text(joined.to_json(), encoding="utf-8")
    return figures


def _learn_again(data: FitData, folder: Path, fitted: Path) -> None:
    """Write the same for the whole corpus, joined as it was fitted."""
    joined = (fitted / FILE).read_text(encoding="utf-8")
    with_linear = read_ensemble(joined).linear
    little = len(data.train) <= _LITTLE_MORE * len(Pairs(fitted))
    _write(data, folder, _numbers(data), with_linear=with_linear and not little)
    if with_linear and little:
        copy_linear(fitted, folder)
    (folder / FILE).write_text(joined, encoding="utf-8")


def _numbers(data: FitData) -> Mapping[str, int]:
    """Return the numbers of the answers by their texts."""
    assert data.bot.answers is not None  # noqa: S101  (a trained bot has them)
    return {text: at for at, text in enumerate(data.bot.answers.texts)}


def _told(numbers: Mapping[str, int]) -> int:
    """Return how many answers the linear classifier tells apart."""
    return min(len(numbers), MOST_LINEAR)


def _write(data: FitData, folder: Path, numbers: Mapping[str, int], *, with_linear: bool) -> None:
    """Write the numbers of the answers, and the linear classifier.

    A question whose answer the bot does not know is one to be declined.
    """
    answers = [numbers.get(exchange.answer, DECLINE) for exchange in data.train]
    np.save(folder / PAIR_ANSWERS, np.array(answers, np.int32), allow_pickle=False)
    if not with_linear:
        return
    told = _told(numbers)
    questions = [exchange.question for exchange in data.train]
    known = known_grams(questions, told + 1)
    kept = [at for at, answer in enumerate(answers) if answer < told]
    classes = [told if answers[at] == DECLINE else answers[at] for at in kept]
    asked = [questions[at] for at in kept]
    save(folder, known, *learn_linear(known, asked, classes, told + 1, data.seed))


def _fitted(
    data: FitData, witnesses: AnswerScorers, numbers: Mapping[str, int]
) -> tuple[FittedEnsemble, Figures]:
    practised = calibration_examples(data)
    heard = list(_heard(data, witnesses, practised))
    wanted = [frozenset(numbers[a] for a in drill.answers if a in numbers) for drill in practised]
    weights = fit_weights(heard, wanted)
    best = [ranked(each, weights) for each in heard]
    practice = CalibrationSet(
        np.array([each.signs for each in best]),
        np.array([_is_right(*both) for both in zip(best, wanted, strict=True)], np.bool_),
        np.array([bool(known) for known in wanted], np.bool_),
    )
    calibration = fit_calibration(practice)
    confidences = np.array([calibration.confidence(signs) for signs in practice.signs])
    below = threshold(confidences, practice, declines=witnesses.declines)
    joined = FittedEnsemble(weights, calibration, below, witnesses.declines, witnesses.has_linear)
    return joined, _figures(confidences, practice, below)


def _heard(
    data: FitData, witnesses: AnswerScorers, practised: Sequence[CalibrationExample]
) -> Iterator[AnswerScores]:
    read = data.bot.reader.read
    for start in range(0, len(practised), _TOGETHER):
        some = practised[start : start + _TOGETHER]
        texts = [drill.question for drill in some]
        yield from witnesses.score(texts, [read(d.question, d.context) for d in some])


def _is_right(best: RankedAnswers, wanted: frozenset[int]) -> bool:
    return bool(len(best.answers)) and int(best.answers[0]) in wanted


def _figures(confidences: NDArray[np.float64], practice: CalibrationSet, below: float) -> Figures:
    """Return what the fit says of itself, over the questions that it was fitted on."""
    made, asked = confidences[~practice.answerable], confidences[practice.answerable]
    return {
        "qa_practised": float(len(confidences)),
        "qa_decline_below": below,
        "qa_wrongly_declined": float((asked < below).mean()) if len(asked) else None,
        "qa_declined": float((made < below).mean()) if len(made) else None,
    }
