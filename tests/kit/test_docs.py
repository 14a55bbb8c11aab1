"""docs/testing-plugins.md tells the truth: its blocks run, and it lists every check.

Run as a program, this file prints the list of the checks.
"""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatseq.cli.plugins_check import check as command
from chatseq.hookspecs import PART_HOOKS
from chatseq.testing import checks_for, pytest_plugin
from chatseq.testing.checks import every_part
from chatseq.testing.subject import ANSWERS_ELSEWHERE, EXAMPLE_FILE, EXAMPLE_OPTIONS, NO_GRAPH

PAGE = Path(__file__).resolve().parents[2] / "docs" / "testing-plugins.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = 9


def blocks() -> Iterator[str]:
    """Yield the indented blocks of Python."""
    for found in re.findall(r"(?:^    .*\n|^\n(?=(?:\n*)    ))+", TEXT, re.MULTILINE):
        code = textwrap.dedent(found).strip() + "\n"
        if code.startswith(("import", "from", "class")):
            yield code


def checks_listed() -> str:
    """Return the section that lists the checks, as it should be."""
    common = [each for each in checks_for("metric") if each in vars(every_part).values()]
    sections = [("Every part with options", common)]
    for kind in PART_HOOKS:
        own = [each for each in checks_for(kind) if each not in common]
        sections.append((kind.capitalize(), own))
    return "\n\n".join(
        f"### {title}\n\n" + "\n".join(f"- *{each.name}*: {each.proves}." for each in checks)
        for title, checks in sections
    )


def test_there_are_blocks_and_each_has_a_part_in_it() -> None:
    assert len(list(blocks())) == BLOCKS


@pytest.mark.slow("a process for every block of a page")
@pytest.mark.parametrize("number", range(BLOCKS))
def test_every_block_runs(number: int, tmp_path: Path) -> None:
    code = list(blocks())[number]
    (tmp_path / "test_block.py").write_text(code, encoding="utf-8")
    how = ["-m", "pytest", "-q", "-p", "no:cacheprovider"] if "contract_tests" in code else []
    done = subprocess.run(
        [sys.executable, *how, "test_block.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    if how:
        kind = re.search(r'contract_tests\("([\w-]+)"', code)
        assert kind is not None
        assert f"{len(checks_for(kind[1])) - 1} passed, 1 skipped" in done.stdout


def test_every_check_is_listed_with_what_it_proves() -> None:
    assert TEXT.partition("## The checks\n\n")[2].strip() == checks_listed()


def test_every_fixture_is_in_the_table() -> None:
    named = [name for name in vars(pytest_plugin) if name.startswith("chatseq_")]
    assert len(named) == 3
    for name in named:
        assert f"| `{name}` |" in TEXT


def test_what_a_part_may_say_for_the_checks_is_told() -> None:
    for attribute in (EXAMPLE_OPTIONS, EXAMPLE_FILE, ANSWERS_ELSEWHERE, NO_GRAPH):
        assert re.search(rf"^ +(?:def )?{attribute}\b", TEXT, re.MULTILINE)


def test_the_options_of_the_command_are_those_of_the_page() -> None:
    known = {option for parameter in command.params for option in parameter.opts}
    shown = re.findall(r"^    chatseq plugins check .*$", TEXT, re.MULTILINE)
    assert set(re.findall(r"--[a-z-]+", "\n".join(shown))) == {o for o in known if o[:2] == "--"}


if __name__ == "__main__":
    sys.stdout.write(checks_listed() + "\n")
