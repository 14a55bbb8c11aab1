"""`import chatseq` costs nothing, and its names are exactly those that docs/api.md promises."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import chatseq
from chatseq import hookspecs
from chatseq.core.errors import ErrorKind

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", DOCS, re.MULTILINE | re.DOTALL))
HEAVY = (
    "torch",
    "numpy",
    "pydantic",
    "sqlalchemy",
    "onnxruntime",
    "prompt_toolkit",
    "click",
    "rich",
    "sklearn",
    "tokenizers",
)


def first_cells(section: str) -> list[str]:
    """Return the code words in the first column of the tables of a section."""
    return re.findall(r"^\| `([^`]+)` \|", SECTIONS[section], re.MULTILINE)


def printed(code: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_importing_chatseq_and_its_names_imports_nothing_heavy() -> None:
    names = "from chatseq import Bot, train, read_corpus, evaluate, list_bots, installed_plugins"
    code = f"import sys\n{names}\nprint(*[n for n in {HEAVY!r} if n in sys.modules])"
    assert printed(code) == []


def test_a_bare_import_looks_nothing_up() -> None:
    found = printed("import sys, chatseq\nprint(*[n for n in sys.modules if 'chatseq' in n])")
    assert found == ["chatseq"]


def test_the_page_lists_exactly_the_public_names() -> None:
    assert first_cells("What is stable") == sorted(chatseq.__all__, key=str.lower)
    assert len(set(chatseq.__all__)) == len(chatseq.__all__)


@pytest.mark.parametrize("name", chatseq.__all__)
def test_every_public_name_is_there_listed_and_described(name: str) -> None:
    assert getattr(chatseq, name).__doc__
    assert name in dir(chatseq)


def test_another_name_is_refused_as_python_does() -> None:
    with pytest.raises(AttributeError, match="module 'chatseq' has no attribute 'bot'"):
        _ = chatseq.bot
    assert "import_module" not in chatseq.__all__


def test_the_page_lists_exactly_the_kinds_of_errors() -> None:
    assert first_cells("Errors") == [kind.value for kind in ErrorKind]


@pytest.mark.parametrize("module", first_cells("For authors of plugins"))
def test_every_module_that_authors_may_import_is_there(module: str) -> None:
    assert importlib.import_module(module).__doc__


def test_templates_and_pages_import_only_what_authors_may() -> None:
    allowed = {"chatseq", *first_cells("For authors of plugins")}
    pages = [*(ROOT / "chatseq/scaffold/templates").rglob("*.py"), *(ROOT / "docs").rglob("*.md")]
    found = {
        module
        for page in pages
        for module in re.findall(
            r"^\s*(?:from|import) (chatseq[\w.]*)", page.read_text(encoding="utf-8"), re.MULTILINE
        )
    }
    assert len(found) > 10
    assert {name for name in found if not name.startswith("chatseq_")} - allowed == set()


def test_the_page_tells_the_version_of_the_contracts() -> None:
    told = re.search(r"`CONTRACTS_VERSION` is (\d+)", DOCS)
    assert told is not None
    assert int(told[1]) == hookspecs.CONTRACTS_VERSION
