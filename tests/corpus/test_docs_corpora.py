"""The examples of docs/corpora.md are true, and every reader and option is in it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from chatseq.cli.main import run
from chatseq.core.options import options_of

DOCS = (Path(__file__).parents[2] / "docs" / "corpora.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECTIONS = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", DOCS, re.MULTILINE | re.DOTALL))
READERS = ("csv", "tsv", "jsonl", "json", "chatterbot", "text", "parallel", "conv", "trivia")


@pytest.mark.parametrize("name", READERS)
def test_the_example_of_a_format_shows_what_is_printed(name, write, capsys):
    section = SECTIONS[name]
    before = 0
    for block in BLOCK.finditer(section):
        if block[1] == "console":
            command, _, expected = block[2].partition("\n")
            assert run(shlex.split(command.removeprefix("$ chatseq "))) == 0
            assert capsys.readouterr().out == expected
            return
        file = re.findall(r"`([\w.]+)`", section[before : block.start()])[-1]
        write(file, block[2])
        before = block.end()
    pytest.fail("the section shows no command")


def test_every_reader_has_a_section_that_names_its_options(registry):
    parts = registry.parts("corpus-reader")
    built_in = [name for name, part in parts.items() if part.plugin.name == "chatseq_readers"]
    assert sorted(READERS) == sorted(built_in)
    for name in built_in:
        section = SECTIONS[name]
        shared = {"tsv": "csv", "json": "jsonl"}.get(name)
        told = section + (SECTIONS[shared] if shared else "")
        for option in options_of(parts[name].load()):
            assert f"`{option}" in told, f"{name}.{option}"
