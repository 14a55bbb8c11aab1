"""Imports point one way, and heavy libraries stay where they belong.

cli, repl, server -> api -> chat, training, evaluation -> bots -> engines, decoding, history, corpus
  -> model, text -> core
"""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from import_rules import (
    Import,
    beyond,
    circles,
    imports,
    is_within,
    named_plugins,
    statements,
    upward,
)

ROOT = Path(__file__).resolve().parents[1]

# A package may import from its own layer and from those below it.
LAYERS: list[set[str]] = [
    {"core", "hookspecs"},
    {"model", "text"},
    {"engines", "decoding", "history", "corpus"},
    {"bots"},
    {"chat", "training", "evaluation"},
    {"api", "composition"},
    {"cli", "repl", "server", "testing", "scaffold"},
]

# Library -> the only places that may import it.
HOMES: dict[str, tuple[str, ...]] = {
    "torch": (
        "chatseq/model/",
        "chatseq/training/",
        "chatseq/engines/torch_engine.py",
        "chatseq/engines/export.py",
        "chatseq/engines/device.py",  # inside a function: the engine for ONNX imports it too
        "chatseq/testing/elsewhere.py",
        "chatseq/testing/networks.py",
        "chatseq/testing/checks/",
        "chatseq/scaffold/templates/",
        "plugins/chatseq_rnn/",
        "plugins/chatseq_attention/",
        "plugins/chatseq_average/",
        "plugins/chatseq_convolution/",
        "plugins/chatseq_hierarchical/",
        "plugins/chatseq_output/",
        "plugins/chatseq_transformer/",
    ),
    "sqlalchemy": ("chatseq/history/",),
    "alembic": ("chatseq/history/",),
    "click": (
        "chatseq/cli/",
        "chatseq/testing/checks/command.py",
        "chatseq/scaffold/templates/command/",
    ),
    "prompt_toolkit": ("chatseq/repl/",),
    "onnxruntime": ("chatseq/engines/",),
    "bm25s": ("plugins/chatseq_qa/",),
    "sklearn": ("plugins/chatseq_qa/linear_classifier_fit.py",),
    "scipy": (
        "plugins/chatseq_qa/linear_classifier_fit.py",
        "plugins/chatseq_qa/calibration_fit.py",
    ),
}


def sources() -> list[Path]:
    return sorted([*(ROOT / "chatseq").rglob("*.py"), *(ROOT / "plugins").rglob("*.py")])


@cache
def found() -> tuple[Import, ...]:
    """Return who imports whom in the core and the built-in plugins."""
    return tuple(imports(ROOT))


def first_cells(page: str, heading: str) -> dict[str, str]:
    """Return the first and the second column of the table under a heading of a page."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    section = text.split(f"## {heading}\n")[1].split("\n## ")[0]
    return dict(re.findall(r"^\| `([\w.]+)` \| `?([\w.]+)", section, re.MULTILINE))


def authors_modules() -> set[str]:
    """Return the modules of the core that a built-in plugin may import."""
    built_in = first_cells("architecture.md", "What built-in plugins import beside that")
    return {*first_cells("api.md", "For authors of plugins"), *built_in}


def builds_on() -> dict[str, set[str]]:
    """Return the plugins that build on another, which each is told with its reason."""
    table = first_cells("architecture.md", "When a plugin may build on another")
    return {plugin: {other} for plugin, other in table.items()}


def test_imports_point_one_way() -> None:
    assert upward(found(), LAYERS) == []


def test_no_module_knows_itself_in_a_circle() -> None:
    assert circles(found()) == []


def test_plugins_import_what_is_meant_for_them_and_no_other_plugin_undeclared() -> None:
    assert beyond(found(), authors_modules(), builds_on()) == []


def test_what_is_declared_for_plugins_is_needed() -> None:
    used = {each.what for each in found() if each.by.split(".")[0] != "chatseq"}
    own = first_cells("architecture.md", "What built-in plugins import beside that")
    assert set(own) <= used
    pairs = {(each.by.split(".")[0], each.what.split(".")[0]) for each in found()}
    assert {(plugin, other) for plugin, some in builds_on().items() for other in some} <= pairs


def test_every_module_of_the_core_has_a_layer() -> None:
    known = {"__init__", "__main__", "recipes", "py"}.union(*LAYERS)
    names = {path.name.removesuffix(".py") for path in (ROOT / "chatseq").iterdir()}
    assert {name for name in names if not name.startswith(("__pycache__", "py."))} <= known


@pytest.mark.parametrize("library", HOMES)
def test_heavy_libraries_are_imported_only_in_their_homes(library: str) -> None:
    users = {
        str(file.relative_to(ROOT))
        for file in sources()
        for names, only_typed in statements(file)
        if not only_typed and library in {name.split(".")[0] for name in names}
    }
    assert {name for name in users if not name.startswith(HOMES[library])} == set()
    assert all(any(name.startswith(home) for name in users) for home in HOMES[library])


def test_the_core_knows_no_plugin_by_name() -> None:
    assert named_plugins(found()) == []


HEAVY = ("torch", "sqlalchemy", "onnxruntime", "prompt_toolkit", "pydantic", "numpy")


def loaded_by(*arguments: str) -> set[str]:
    """Run a command in a process of its own and return the heavy libraries it imported."""
    code = (
        "import sys\n"
        "from chatseq.cli.main import run\n"
        f"run({list(arguments)!r})\n"
        f"print('LOADED', *[name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    last = done.stdout.strip().split("\n")[-1].split()
    assert last[0] == "LOADED"
    return set(last[1:])


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("plugins", "list", "--json")])
def test_help_and_listings_import_nothing_heavy(arguments: tuple[str, ...]) -> None:
    assert loaded_by(*arguments) == set()


@pytest.mark.parametrize(
    "arguments",
    [
        ("history", "list"),
        ("history", "feedback", "list"),
        ("corpus", "check", "absent.csv"),
        ("bots", "list"),
    ],
)
def test_history_corpus_and_bots_never_import_torch(arguments: tuple[str, ...]) -> None:
    assert loaded_by(*arguments) & {"torch", "onnxruntime"} == set()


def test_the_kit_imports_of_cli_and_repl_only_what_slash_commands_are() -> None:
    kit = {
        (each.by, each.what)
        for each in found()
        if is_within(each.by, "chatseq.testing")
        and (is_within(each.what, "chatseq.cli") or is_within(each.what, "chatseq.repl"))
    }
    parts = ("commands", "dispatch", "loading", "session")
    checked = "chatseq.testing.checks.slash_command"
    assert kit == {(checked, f"chatseq.repl.{part}") for part in parts}


def test_only_the_command_that_checks_plugins_uses_the_kit() -> None:
    kit = "chatseq.testing"
    users = {e.by for e in found() if is_within(e.what, kit) and not is_within(e.by, kit)}
    assert users <= {"chatseq.cli.plugins_check"}
