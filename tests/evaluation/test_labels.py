"""Figures in plain words."""

from __future__ import annotations

from collections.abc import Mapping

from chatseq.evaluation.labels import Row, grouped
from chatseq.evaluation.report import FIGURES, Report


def rows_of(figures: Mapping[str, float | None]) -> list[Row]:
    return [row for group in grouped(figures) for row in group.rows]


def values(**figures: float | None) -> list[str]:
    return [row.value for row in rows_of(figures)]


def test_every_figure_of_a_report_has_words_of_its_own() -> None:
    rows = rows_of(Report(count=3).figures())
    assert len({row.label for row in rows}) == len(FIGURES)
    assert not {row.label for row in rows} & {"exact_match", "distinct_1", "auroc", "declined"}


def test_the_table_fits_a_terminal_of_80_columns() -> None:
    rows = rows_of(Report(count=1, perplexity_free_running=1.5e300).figures())
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    assert sum(widths) + 2 * len(widths) <= 80


def test_both_perplexities_are_told_apart_by_their_labels() -> None:
    first, second = rows_of({"perplexity_teacher_forced": 2.0, "perplexity_free_running": 3.0})
    assert first.label == "perplexity, teacher-forced"
    assert second.label == "perplexity, free-running"
    assert first.meaning != second.meaning


def test_shares_are_shown_in_per_cent_and_scores_as_they_are() -> None:
    assert values(exact_match=0.8333, wrongly_declined=1.0) == ["83.3 %", "100.0 %"]
    assert values(bleu=41.26, chrf=7.0, rouge_l=0.5) == ["41.3", "7.0", "0.500"]
    assert values(auroc=0.91, aurc=0.0625, brier=0.25) == ["0.910", "0.062", "0.250"]
    assert values(count=285, seconds=2.345) == ["285", "2.3"]


def test_a_perplexity_stays_readable_however_large() -> None:
    figures = (1.0342, 43.833, 123456.7)
    assert [values(perplexity_free_running=figure)[0] for figure in figures] == [
        "1.034",
        "43.83",
        "1.235e+05",
    ]


def test_a_figure_that_does_not_apply_is_a_dash() -> None:
    assert values(auroc=None, more=None) == ["-", "-"]


def test_figures_stand_in_groups_and_those_of_other_plugins_last_by_their_own_names() -> None:
    groups = grouped({"reply_length": 12.5, "aurc": 0.1, "count": 1, "exact_match": 1.0})
    assert [group.title for group in groups] == [
        "Asked",
        "Answers",
        "Confidence",
        "Of other plugins",
    ]
    assert groups[-1].rows == [("reply_length", "12.5", "")]


def test_a_report_has_every_group_of_its_own_and_no_other() -> None:
    titles = [group.title for group in grouped(Report(count=1).figures())]
    assert titles == ["Asked", "Answers", "Declining", "Confidence", "Language", "Dullness"]
    assert grouped({}) == []
