"""Figures in plain words."""

from __future__ import annotations

from chatseq.evaluation.labels import labelled
from chatseq.evaluation.report import FIGURES, Report


def values(**figures: float | None) -> list[str]:
    return [row.value for row in labelled(figures)]


def test_every_figure_of_a_report_has_words_of_its_own() -> None:
    rows = labelled(Report(count=3).figures())
    assert len({row.label for row in rows}) == len(FIGURES)
    assert not {row.label for row in rows} & {"exact_match", "distinct_1", "auroc", "declined"}


def test_the_table_fits_a_terminal_of_80_columns() -> None:
    rows = labelled(Report(count=1, perplexity_free_running=1.5e300).figures())
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    assert sum(widths) + 2 * len(widths) <= 80


def test_both_perplexities_are_told_apart_by_their_labels() -> None:
    first, second = labelled({"perplexity_teacher_forced": 2.0, "perplexity_free_running": 3.0})
    assert first.label == "perplexity, teacher-forced"
    assert second.label == "perplexity, free-running"
    assert first.meaning != second.meaning


def test_shares_are_shown_in_per_cent_and_scores_as_they_are() -> None:
    assert values(exact_match=0.8333, wrongly_declined=1.0) == ["83.3 %", "100.0 %"]
    assert values(bleu=41.26, chrf=7.0, rouge_l=0.5, auroc=0.91) == [
        "41.3",
        "7.0",
        "0.500",
        "0.910",
    ]
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


def test_a_figure_of_another_plugin_keeps_its_name_and_comes_in_its_place() -> None:
    rows = labelled({"count": 1, "reply_length": 12.5})
    assert [tuple(row) for row in rows][1] == ("reply_length", "12.5", "")
