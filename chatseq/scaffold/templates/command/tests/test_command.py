"""The command `chatseq your-part` keeps to what chatseq asks of commands, and counts."""

from __future__ import annotations

import json
from pathlib import Path

from chatseq.testing import contract_tests
from click.testing import CliRunner

from your_package.command import first_words

test_contract = contract_tests("command", first_words, name="your-part")

TEXT = "question,answer\nWho is it?,a bot\nWhat is it?,a bot\nwho knows?,nobody\n"


def test_first_words_are_counted(tmp_path: Path) -> None:
    corpus = tmp_path / "small.csv"
    corpus.write_text(TEXT, encoding="utf-8")
    shown = CliRunner().invoke(first_words, [str(corpus), "--json"])
    assert shown.exit_code == 0
    assert json.loads(shown.output) == {"who": 2, "what": 1}
    shown = CliRunner().invoke(first_words, [str(corpus), "--top", "1"])
    assert shown.output.split() == ["word", "questions", "who", "2"]
