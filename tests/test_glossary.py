"""docs/glossary.md names places that exist, and is found from the architecture."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"
ROWS = [
    line.strip("| \n").split(" | ")
    for line in (DOCS / "glossary.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| here")
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_each_word_lives_where_it_is_said_to(row: list[str]) -> None:
    words, elsewhere, meaning, place = row
    text = (DOCS.parent / place.strip("`")).read_text(encoding="utf-8").lower()
    assert any(word.lower().removesuffix("s") in text for word in re.split(r", | ", words))
    assert elsewhere
    assert meaning


def test_words_come_once() -> None:
    assert len({row[0].lower() for row in ROWS}) == len(ROWS) > 20


def test_the_architecture_links_the_glossary_and_the_textbook() -> None:
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    assert "(glossary.md)" in text
    assert "(textbook.md)" in text
