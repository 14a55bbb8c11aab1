"""What the responder `qa` is fitted to when the network is trained; loaded at the end of training.

While questions are held out, the scorers are fitted on what the network learnt, so that weights and
calibration are fitted on questions which none of them has seen. Then the scorers are fitted again,
on the whole corpus.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from chatseq.bots.contracts import NO_CANDIDATE, FitData, Floats, Ints, Query, Scorer
from chatseq_qa.answered_corpus import write_answer_numbers
from chatseq_qa.calibration import FILE, Calibration, FittedEnsemble, ensemble_file
from chatseq_qa.calibration_examples import CalibrationExample, calibration_examples
from chatseq_qa.calibration_fit import CalibrationSet, fit_calibration, fit_weights, threshold
from chatseq_qa.ensemble import RankedAnswers, rank
from chatseq_qa.question_index import QuestionIndex
from chatseq_qa.scorer_group import ScoredCandidates, ScorerGroup, open_scorers

_MOST_BY_HEART = 5_000  # exchanges of a corpus in which answers do not recur
_TOGETHER = 64  # questions

Figures = Mapping[str, float | None]
Flags = NDArray[np.bool_]


def fit_responder(data: FitData, folder: Path, scorers: Mapping[str, Scorer]) -> Figures:
    """Write the index, what the scorers learn and what joins them; return figures about the fit.

    Of a corpus in which answers hardly recur, only the index is written.

    Args:
        scorers: by name, in the order of the recipe
    """
    QuestionIndex.build(folder, (exchange.question for exchange in data.train))
    before = ensemble_file(data.fitted) if data.fitted is not None else None
    if before is not None:
        _fit_scorers(data, folder, scorers)
        (folder / FILE).write_text(before.read_text(encoding="utf-8"), encoding="utf-8")
    elif data.fitted is None and (data.closed or len(data.train) <= _MOST_BY_HEART):
        _fit_scorers(data, folder, scorers)
        ensemble, figures = _fit_ensemble(data, scorers)
        (folder / FILE).write_text(ensemble.to_json(), encoding="utf-8")
        return figures
    return {}


def _fit_scorers(data: FitData, folder: Path, scorers: Mapping[str, Scorer]) -> None:
    write_answer_numbers(folder, data.answer_numbers)
    for scorer in scorers.values():
        scorer.fit(data, folder)


def _fit_ensemble(data: FitData, scorers: Mapping[str, Scorer]) -> tuple[FittedEnsemble, Figures]:
    declines = any(not exchange.answer.strip() for exchange in data.train)
    group = open_scorers(data.bot, scorers, declines=declines)
    priors = {name: scorer.prior_weight for name, scorer in group.scorers.items()}
    examples = calibration_examples(data)
    if not examples:  # nothing was held out, and nothing can be made of what was learnt
        unfitted = Calibration.unfitted(group.feature_names)
        return FittedEnsemble(priors, unfitted, declines=declines), {}
    scored = _joined(list(_scored(data, group, examples)))
    right = _right(data, examples, scored.candidates)
    weights = fit_weights(scored, right, priors)
    ranked = list(rank(scored, weights, group.feature_names))
    calibration_set = CalibrationSet(
        group.feature_names,
        np.array([each.features for each in ranked]),
        _best_is_right(ranked, scored.candidates, right),
        np.array([bool(_numbers(data, each)) for each in examples], np.bool_),
    )
    calibration = fit_calibration(calibration_set)
    confidences = np.array([calibration.confidence(each.features) for each in ranked])
    below = threshold(confidences, calibration_set, declines=declines)
    ensemble = FittedEnsemble(weights, calibration, below, declines=declines)
    return ensemble, _figures(confidences, calibration_set, below)


def _best_is_right(ranked: Sequence[RankedAnswers], candidates: Ints, right: Flags) -> Flags:
    """Tell of which examples the best answer is one of those wanted, (examples,)."""
    best = np.array([each.answers[0] if len(each.answers) else NO_CANDIDATE for each in ranked])
    is_best = (candidates == best[:, None]) & (candidates >= 0)
    found: Flags = (is_best & right).any(axis=1)
    return found


def _scored(
    data: FitData, group: ScorerGroup, examples: Sequence[CalibrationExample]
) -> Iterator[ScoredCandidates]:
    read = data.bot.reader.read
    for start in range(0, len(examples), _TOGETHER):
        batch = examples[start : start + _TOGETHER]
        yield group.score([Query(one.question, read(one.question, one.context)) for one in batch])


def _joined(parts: Sequence[ScoredCandidates]) -> ScoredCandidates:
    """Return the parts as one, their rows filled up to the longest."""
    width = max(part.candidates.shape[1] for part in parts)

    def filled(arrays: Sequence[Floats], value: float) -> Floats:
        rows = [
            np.pad(one, ((0, 0), (0, width - one.shape[1])), constant_values=value)
            for one in arrays
        ]
        joined: Floats = np.concatenate(rows)
        return joined

    first = parts[0]
    candidates: Ints = filled([part.candidates for part in parts], NO_CANDIDATE)  # type: ignore[misc, assignment]
    return ScoredCandidates(
        candidates,
        {name: filled([part.scores[name] for part in parts], 0.0) for name in first.scores},
        {name: filled([part.features[name] for part in parts], 0.0) for name in first.features},
    )


def _right(data: FitData, examples: Sequence[CalibrationExample], candidates: Ints) -> Flags:
    """Tell which candidates are right answers to each example, (examples, candidates)."""
    return np.stack(
        [np.isin(row, _numbers(data, one)) for row, one in zip(candidates, examples, strict=True)]
    )


def _numbers(data: FitData, example: CalibrationExample) -> list[int]:
    return [data.number_of[text] for text in example.answers if text in data.number_of]


def _figures(confidences: Floats, examples: CalibrationSet, below: float) -> Figures:
    """Return what the fit says of itself, over the questions that it was fitted on."""
    made, asked = confidences[~examples.answerable], confidences[examples.answerable]
    return {
        "calibration_questions": float(len(confidences)),
        "decline_below": below,
        "calibration_wrongly_declined": float((asked < below).mean()) if len(asked) else None,
        "calibration_declined": float((made < below).mean()) if len(made) else None,
    }
