"""docs/retrieval.md tells the truth: its block runs, and its options are those of the code."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from chatseq.core.options import options_of
from chatseq_qa import postings
from chatseq_qa import question_index as index
from chatseq_qa.index_ngrams import _MOST_CHARACTERS
from chatseq_qa.retrieval import RetrievalResponder

TEXT = (Path(__file__).parents[2] / "docs" / "retrieval.md").read_text(encoding="utf-8")


def test_every_option_is_in_the_table_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+?) \|", TEXT, re.MULTILINE))
    found = {
        name: str(option.default) or "empty"
        for name, option in options_of(RetrievalResponder).items()
    }
    assert rows == found


def test_the_block_of_python_runs() -> None:
    [block] = re.findall(r"^    from .*?\n(?=\S)", TEXT, re.MULTILINE | re.DOTALL)
    code = compile(textwrap.dedent(block), "retrieval.md", "exec")
    assert "QuestionIndex.build" in block
    exec(code, {})  # noqa: S102


def test_the_numbers_in_the_text_are_those_of_the_code() -> None:
    plain = " ".join(TEXT.split())
    assert f"the first {_MOST_CHARACTERS} characters" in plain
    assert f"the {postings._LOOKED_UP} best so far" in plain
    assert (postings._READ_A_QUESTION, index._SHORTEST, index._LONGEST) == (3, 3, 4)
    assert "three entries for each question" in plain
    assert "pieces of three and four letters" in plain
    assert index._KIND_WEIGHTS.tolist() == [1.0, 0.5, index._KIND_WEIGHTS[2]]
    assert "for a pair the half of it, for a piece a fifth" in plain
    assert round(float(index._KIND_WEIGHTS[2]), 3) == 1 / 5
