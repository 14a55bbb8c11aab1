"""CONTRIBUTING.md says that a part needs a class and a name in its plugin: it is taken at its word.

In a copy of the project one part of every kind that a network is made of is added, nothing else
is edited, `make docs` writes its page, and the tests of parts run.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]
COPIED = ("chatseq", "plugins", "tests", "docs", "corpora", "pyproject.toml")
NAME = "added-part"


class Addition(NamedTuple):
    """A part to add: where it is named, and the part that it is like."""

    kind: str
    plugin: str
    like: str

    def write_into(self, project: Path) -> None:
        """Write a class into a new file of the plugin, and name it in the hook."""
        folder = project / "plugins" / self.plugin
        module, _, parent = self.like.partition(":")
        (folder / f"added_{self.kind}.py").write_text(
            f'"""A part that was added."""\n\nfrom {self.plugin}.{module} import {parent}\n\n\n'
            f"class Added{parent}({parent}):\n"
            f'    """Do as `{parent}` does (Somebody et al. 2026)."""\n'
        )
        file = folder / "__init__.py"
        hook = re.compile(rf"(def chatseq_{self.kind}s\(.*?return {{)", re.DOTALL)
        line = f'"{NAME}": "{self.plugin}.added_{self.kind}:Added{parent}", '
        text, times = hook.subn(rf"\g<1>{line}", file.read_text(encoding="utf-8"))
        assert times == 1
        file.write_text(text, encoding="utf-8")


ADDITIONS = (
    Addition("encoder", "chatseq_average", "encoder:AverageEncoder"),
    Addition("attention", "chatseq_attention", "multiplicative:GeneralAttention"),
    Addition("decoder", "chatseq_transformer", "decoder:TransformerDecoder"),
    Addition("output", "chatseq_output", "tied:TiedOutput"),
)
HOLD_IT = (
    "tests/model",
    "tests/engines",
    "tests/test_mixes.py",
    "tests/test_parts_page.py",
    "tests/test_hooks_docs.py",
    "tests/core/test_plugins.py",
    "tests/cli/test_plugins_listing.py",
    "tests/cli/test_plugins_switch.py",
)
# Of these, the checks of the parts, the mixes of two of them, and what lists all that there is.
WANTED = (
    f"({NAME} and not learns)",
    f"(learns and {NAME}-{NAME})",
    "test_parts_page",
    "test_plugins",
    "built_in_parts_take",
    "every_attention_of",
    "any_two_parts",
    "can_copy",
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project with the additions and its page of parts written anew."""
    for name in COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    for addition in ADDITIONS:
        addition.write_into(tmp_path)
    run(tmp_path, "tests/parts_page.py")
    return tmp_path


def run(project: Path, *arguments: str) -> str:
    """Run Python on the modules of the copy and return what it printed."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=project,
        env={**os.environ, "PYTHONPATH": f"{project}{os.pathsep}{project / 'plugins'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow("runs the tests of a whole project with parts added")
def test_a_class_and_a_name_are_enough_to_add_a_part(project: Path) -> None:
    chosen = ["-k", " or ".join(WANTED), *HOLD_IT]
    told = run(project, "-m", "pytest", "-v", "-p", "no:cacheprovider", *chosen)
    for kind in (addition.kind for addition in ADDITIONS):
        checks = re.findall(rf"\[{kind}-{NAME}-[\w-]+\] PASSED", told)
        assert len(checks) > 5, f"the {kind} was not put to the checks of its kind"
    mixed = re.findall(r"learns_is_written_as_graphs_and_answers\[(\S+)\] PASSED", told)
    assert len([mix for mix in mixed if mix.count(NAME) > 1]) >= 3
    page = (project / "docs" / "parts.md").read_text(encoding="utf-8")
    assert page.count(f"| `{NAME}` | chatseq_") == len(ADDITIONS)
