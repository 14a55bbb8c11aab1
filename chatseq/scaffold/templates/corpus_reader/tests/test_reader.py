"""The corpus reader `your-part` keeps to what chatseq asks of readers, and reads as it should."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from chatseq.corpus.contracts import BadRows, Source
from chatseq.corpus.sources import open_sources
from chatseq.core.errors import CorpusError
from chatseq.core.exchange import Exchange
from chatseq.testing import contract_tests

from your_package.reader import YourPart

test_contract = contract_tests("corpus-reader", YourPart, name="your-part")

TEXT = """\
# Our questions
Q: Are you open on Sunday?
A: Yes, from ten to four.

Q: Where are you?
Q: Do you deliver?
A: No.
"""


def source(folder: Path, text: str) -> Source:
    (folder / "faq.txt").write_text(text, encoding="utf-8")
    (found,) = open_sources(folder / "faq.txt")
    return replace(found, name="faq.txt")  # without the folder, which is another each time


def test_two_pairs_are_read_with_their_places(tmp_path: Path) -> None:
    bad = BadRows(skip=True)
    assert list(YourPart().read(source(tmp_path, TEXT), bad)) == [
        Exchange("Are you open on Sunday?", "Yes, from ten to four.", source="faq.txt:2"),
        Exchange("Do you deliver?", "No.", source="faq.txt:6"),
    ]
    assert bad.first == {"the question has no answer": "faq.txt:5"}


def test_a_question_without_an_answer_is_an_error_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(CorpusError) as caught:
        list(YourPart().read(source(tmp_path, TEXT), BadRows()))
    assert str(caught.value) == (
        "faq.txt:5: the question has no answer. Write a line Q: and one A: below it."
    )


def test_only_files_that_begin_so_are_claimed(tmp_path: Path) -> None:
    assert YourPart().sniff(source(tmp_path, "Q: one\nA: two\n")) == 80
    assert YourPart().sniff(source(tmp_path, "question,answer\none,two\n")) == 0
