"""docs/textbook.md names lines that compute what it says, and shapes that the networks have."""

from __future__ import annotations

import pytest
from textbook_page import MODULES, PAGE, CitationError, cited, line_of, page_of

from chatseq.core.plugins import Registry

TEXT = PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize(("file", "line", "fragment"), cited(TEXT))
def test_each_cited_line_computes_its_equation(file: str, line: int, fragment: str) -> None:
    now = line_of(file, fragment)
    assert line == now, f"it stands in {file}:{now}. Run: make docs"


def test_every_row_of_an_equation_cites_a_line() -> None:
    rows = [line for line in TEXT.splitlines() if ".py:" in line]
    assert len(rows) == len(cited(TEXT)) > 50


def test_each_recipe_of_a_paper_has_equations_and_shapes() -> None:
    for name in MODULES:
        section = TEXT.split(f"## {name}\n")[1].split("\n## ")[0]
        assert section.count(".py:") >= 8
        assert f"<!-- shapes: {name} -->" in section


def test_the_shapes_are_those_of_the_networks(registry: Registry) -> None:
    assert page_of(TEXT, registry) == TEXT, "Run: make docs"


def test_a_fragment_that_stands_nowhere_is_an_error() -> None:
    with pytest.raises(CitationError, match="0 lines hold 'no such line'"):
        line_of("chatseq/model/loss.py", "no such line")
