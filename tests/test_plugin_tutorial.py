"""docs/plugin-tutorial.md is followed word for word, in an environment of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

TEXT = (Path(__file__).parents[1] / "docs" / "plugin-tutorial.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAME = re.compile(r"`([\w./-]+\.\w+)`[^`]*:\s*$")  # what a paragraph before a block ends with
VARIES = "…"
END = "--- the command ended with"
TOOLS = {
    "chatseq": "from chatseq.cli.main import main",
    "pip": "from pip._internal.cli.main import main",
    "pytest": "from pytest import main",
}


class Block(NamedTuple):
    """A block of the page, and the file that the words before it name."""

    kind: str
    text: str
    file: str


class Step(NamedTuple):
    """A command of a console block with what it prints."""

    command: str
    printed: str


def blocks() -> list[Block]:
    found, before = [], 0
    for match in BLOCK.finditer(TEXT):
        paragraph = TEXT[before : match.start()].strip().rpartition("\n\n")[2]
        named = NAME.search(paragraph)
        found.append(Block(match[1], match[2], named[1] if named else ""))
        before = match.end()
    return found


def steps(console: str) -> Iterator[Step]:
    for part in re.split(r"^\$ ", console, flags=re.MULTILINE)[1:]:
        command, _, printed = part.partition("\n")
        yield Step(command, printed)


def alike(printed: str, told: str) -> bool:
    """Whether a text is the told one, where `…` stands for anything."""
    pattern = ".*".join(map(re.escape, told.strip().split(VARIES)))
    return re.fullmatch(pattern, printed.strip(), re.DOTALL) is not None


class Shell:
    """A shell that stays open from one block to the next, as a reader's does."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )

    def run(self, command: str) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f'{{ {command}\n}} </dev/null\necho; echo "{END} $?"; pwd\n')
        self.process.stdin.flush()
        printed = []
        for line in self.process.stdout:
            if line.startswith(END):
                break
            printed.append(line)
        self.folder = Path(self.process.stdout.readline().rstrip("\n"))
        return "".join(printed)

    def close(self) -> None:
        self.process.communicate("exit\n", timeout=60)


def new_environment(folder: Path) -> dict[str, str]:
    """Make an environment that has all of this one's packages, and return how to enter it."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = folder / "bin" / "python"
    asked = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    done = subprocess.run(asked, check=True, capture_output=True, text=True)
    outer = sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    lines = [f"import site; site.addsitedir({path!r})" for path in outer]
    (Path(done.stdout.strip()) / "outer.pth").write_text("\n".join(lines), encoding="utf-8")
    for tool, line in TOOLS.items():
        script = folder / "bin" / tool
        script.write_text(f"#!{python}\nimport sys\n{line}\nsys.exit(main())\n", encoding="utf-8")
        script.chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PIP_NO_DEPS": "1",
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # means that there is none: what is here builds it
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "COLUMNS": "200",
    }


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    (tmp_path / "work").mkdir()
    opened = Shell(tmp_path / "work", new_environment(tmp_path / "environment"))
    yield opened
    opened.close()


def test_every_block_says_what_to_do_with_it() -> None:
    found = blocks()
    assert len(found) >= 15
    for block in found:
        assert block.kind in ("console", "python", "text", "toml")
        assert bool(block.file) != (block.kind == "console"), block
    for kind in ("attention", "strategy", "reader", "scorer"):
        assert f"tutorial_parts/{kind}.py" in {block.file for block in found}


def test_every_console_block_tells_commands_and_what_they_print() -> None:
    console = [block.text for block in blocks() if block.kind == "console"]
    assert all(text.startswith("$ ") for text in console)
    commands = [step.command for text in console for step in steps(text)]
    assert len(commands) >= 12
    assert not alike("one two", "one … three")
    assert alike("one 2 three\n", "one … three")


@pytest.mark.slow("goes through a whole tutorial in a shell")
@pytest.mark.skipif(os.name != "posix", reason="the page is for a POSIX shell")
def test_the_tutorial_works_word_for_word(shell: Shell) -> None:
    for block in blocks():
        if block.kind != "console":
            file = shell.folder / block.file
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text, encoding="utf-8")
            continue
        for step in steps(block.text):
            printed = shell.run(step.command)
            assert alike(printed, step.printed), f"$ {step.command}\n{printed}"
