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
_WORDS: dict[str, tuple[str, _Format, str]] = {
    "count": ("questions asked", _whole, ""),
    "exact_match": ("answered word for word", _share, "of the questions with an answer"),
    "bleu": ("BLEU", _points, "likeness by words, 0 to 100"),
    "chrf": ("chrF", _points, "likeness by characters, 0 to 100"),
    "rouge_l": ("ROUGE-L", _small, "words in common, in order, 0 to 1"),
    "perplexity_teacher_forced": ("perplexity, teacher-forced", _any, "answers after own words"),
    "perplexity_free_running": ("perplexity, free-running", _any, "answers after the bot's words"),
    "distinct_1": ("distinct words (distinct-1)", _small, "0 to 1, higher is more varied"),
    "distinct_2": ("distinct word pairs (distinct-2)", _small, "0 to 1, higher is more varied"),
    "most_frequent_reply": ("most frequent reply", _share, "of the replies; high is dull"),
    "declined": ("declined as wanted", _share, "of the questions to be declined"),
    "wrongly_declined": ("declined by mistake", _share, "of the questions with an answer"),
    "auroc": ("AUROC of the confidence", _small, "0.5 is guessing, 1 is perfect"),
    "seconds": ("seconds", _points, ""),
}


def labelled(figures: Mapping[str, float | None]) -> list[Row]:
    """Return the figures as rows, in their order; those of other plugins under their own names."""
    return [_row(name, value) for name, value in figures.items()]


def _row(name: str, value: float | None) -> Row:
    label, shown, meaning = _WORDS.get(name, (name, _any, ""))
    return Row(label, _NONE if value is None else shown(value), meaning)
