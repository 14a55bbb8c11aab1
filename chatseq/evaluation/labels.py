"""The figures of an evaluation in plain words, for tables and closing reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

_NONE = "-"  # the figure does not apply


class Row(NamedTuple):
    """One line of a table of figures; all three are texts to be shown."""

    label: str
    value: str
    meaning: str


class Group(NamedTuple):
    """Figures that are read together."""

    title: str
    rows: list[Row]


def _share(value: float) -> str:
    return f"{value:.1%}".replace("%", " %")


def _points(value: float) -> str:
    return f"{value:.1f}"


def _small(value: float) -> str:
    return f"{value:.3f}"


def _whole(value: float) -> str:
    return f"{value:.0f}"


def _any(value: float) -> str:
    return f"{value:.4g}"


_Format = Callable[[float], str]
_Words = dict[str, tuple[str, _Format, str]]
_ASKED: _Words = {
    "count": ("questions asked", _whole, ""),
    "seconds": ("seconds", _points, ""),
}
_ANSWERS: _Words = {
    "exact_match": ("answered word for word", _share, "of the questions with an answer"),
    "best_guess": ("right, if none were declined", _share, "of the questions with an answer"),
    "seen_exact_match": ("word for word, seen", _share, "of those in the training corpus"),
    "unseen_exact_match": ("word for word, unseen", _share, "of those that are not in it"),
}
_DECLINING: _Words = {
    "declined": ("declined as wanted", _share, "of the questions to be declined"),
    "wrongly_declined": ("declined by mistake", _share, "of the questions with an answer"),
    "suggested": ("unsure, with choices", _share, "of all questions"),
    "suggested_right": ("the right answer among them", _share, "where unsure and there is one"),
}
_CONFIDENCE: _Words = {
    "auroc": ("AUROC of the confidence", _small, "0.5 is guessing, 1 is perfect"),
    "auroc_right": ("AUROC, right against wrong", _small, "0.5 is guessing, 1 is perfect"),
    "aurc": ("AURC, risk over coverage", _small, "0 to 1, lower is better"),
    "expected_calibration_error": ("calibration error", _small, "0 is honest: 0.8 means 80 %"),
    "brier": ("Brier score", _small, "0 is perfect, 0.25 is doubt"),
}
_LANGUAGE: _Words = {
    "bleu": ("BLEU", _points, "likeness by words, 0 to 100"),
    "chrf": ("chrF", _points, "likeness by characters, 0 to 100"),
    "rouge_l": ("ROUGE-L", _small, "words in common, in order, 0 to 1"),
    "perplexity_teacher_forced": ("perplexity, teacher-forced", _any, "answers after own words"),
    "perplexity_free_running": ("perplexity, free-running", _any, "answers after the bot's words"),
}
_DULLNESS: _Words = {
    "distinct_1": ("distinct words (distinct-1)", _small, "0 to 1, higher is more varied"),
    "distinct_2": ("distinct word pairs (distinct-2)", _small, "0 to 1, higher is more varied"),
    "most_frequent_reply": ("most frequent reply", _share, "of the replies; high is dull"),
}
_GROUPS = {
    "Asked": _ASKED,
    "Answers": _ANSWERS,
    "Declining": _DECLINING,
    "Confidence": _CONFIDENCE,
    "Language": _LANGUAGE,
    "Dullness": _DULLNESS,
}
_OTHERS = "Of other plugins"
_WORDS = {name: words for group in _GROUPS.values() for name, words in group.items()}


def grouped(figures: Mapping[str, float | None]) -> list[Group]:
    """Return the figures in groups, those of other plugins last; no group is empty."""
    sorted_in: dict[str, list[str]] = {
        title: [name for name in words if name in figures] for title, words in _GROUPS.items()
    }
    sorted_in[_OTHERS] = [name for name in figures if name not in _WORDS]
    return [
        Group(title, [_row(name, figures[name]) for name in names])
        for title, names in sorted_in.items()
        if names
    ]


def _row(name: str, value: float | None) -> Row:
    label, shown, meaning = _WORDS.get(name, (name, _any, ""))
    return Row(label, _NONE if value is None else shown(value), meaning)
