"""docs/evaluation.md tells the truth."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from evaluation_fakes import TableBot

from chatseq.core.exchange import Exchange
from chatseq.core.plugins import discover
from chatseq.evaluation.report import FIGURES, evaluate

DOCS = (Path(__file__).resolve().parents[2] / "docs" / "evaluation.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("figure", FIGURES)
def test_every_figure_is_in_the_table_of_figures(figure: str) -> None:
    table = DOCS.partition("## The figures")[2].partition("### ")[0]
    assert f"`{figure}`" in table


@pytest.mark.parametrize("figure", [name for name in FIGURES if name not in ("count", "seconds")])
def test_every_figure_has_a_section_that_defines_it(figure: str) -> None:
    headings = [line for line in DOCS.split("\n") if line.startswith("### ")]
    assert any(figure in heading.split() for heading in headings)


def test_the_metric_of_the_example_works_as_a_one_file_plugin(tmp_path: Path) -> None:
    block = DOCS.partition("    from chatseq.hookspecs import hookimpl")
    code = "".join(block[1:]).partition("\nSaved as a file")[0]
    (tmp_path / "reply_length.py").write_text(textwrap.dedent(code), encoding="utf-8")
    registry = discover([tmp_path])
    assert registry.faults == []
    report = evaluate(TableBot(), [Exchange("a", "b"), Exchange("abb", "b")], registry)
    assert report.more == {"reply_length": 2}
