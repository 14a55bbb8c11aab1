"""docs/answers.md against the code: every option with its default, every file, every label."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from qa_fakes import fit

from chatseq.core.exchange import ReplySource
from chatseq_qa.responder import QaResponder

ROOT = Path(__file__).resolve().parents[2]
DOC = (ROOT / "docs" / "answers.md").read_text("utf-8")


def test_every_option_stands_there_with_its_default() -> None:
    told = dict(re.findall(r"^\| `(\w+)` \| (.+?) \| .+ \|$", DOC, re.MULTILINE))
    shown = {None: "as fitted", "": "empty"}
    options = {
        name: shown.get(parameter.default, str(parameter.default))
        for name, parameter in inspect.signature(QaResponder).parameters.items()
        if name != "bot"
    }
    assert told == options


def test_every_file_stands_there(tmp_path: Path) -> None:
    fit(tmp_path)
    written = {file.name for file in tmp_path.iterdir()}
    told = set(re.findall(r"`((?:ensemble|answer-|linear)[\w-]*\.\w+)`", DOC))
    assert told == {name for name in written if name.startswith(("ensemble", "answer-", "linear"))}


def test_every_label_stands_there() -> None:
    told = re.findall(r"^\| `(\w+)` \| [^|]+ \|$", DOC, re.MULTILINE)
    assert set(told) - {"source"} == {source.value for source in ReplySource}


def test_other_papers_that_it_names_exist() -> None:
    for name in re.findall(r"\]\((\w+\.md)\)", DOC):
        assert (ROOT / "docs" / name).is_file()
