"""Imports point one way, and heavy libraries stay where they belong.

cli, repl, server -> api -> chat, training, evaluation -> bots -> engines, decoding, history, corpus
  -> model, text -> core
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

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
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}

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
def imports(file: Path) -> tuple[tuple[str, bool], ...]:
    return tuple(_imports(file))


def _imports(file: Path) -> Iterator[tuple[str, bool]]:
    """Yield each imported module and whether it is only imported for type checking."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    guarded = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, id(node) in guarded
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, id(node) in guarded


def part_of(module: str) -> str:
    """Return the first name below chatseq, `training` of `chatseq.training.run`."""
    return module.split(".")[1] if module.count(".") else ""


def upward(file: Path) -> list[str]:
    relative = file.relative_to(ROOT / "chatseq")
    here = LEVEL.get(relative.parts[0].removesuffix(".py"))
    if here is None:
        return []
    return [
        f"{relative} imports {module}"
        for module, guarded in imports(file)
        if not guarded and module.startswith("chatseq.") and LEVEL.get(part_of(module), 0) > here
    ]


def test_imports_point_one_way() -> None:
    found = [line for file in sources() if file.relative_to(ROOT).parts[0] == "chatseq"
             for line in upward(file)]  # fmt: skip
    assert found == []


def test_every_module_of_the_core_has_a_layer() -> None:
    known = set(LEVEL) | {"__init__", "__main__", "recipes", "py"}
    names = {path.name.removesuffix(".py") for path in (ROOT / "chatseq").iterdir()}
    assert {name for name in names if not name.startswith(("__pycache__", "py."))} <= known


@pytest.mark.parametrize("library", HOMES)
def test_heavy_libraries_are_imported_only_in_their_homes(library: str) -> None:
    found = [
        str(file.relative_to(ROOT))
        for file in sources()
        for module, guarded in imports(file)
        if not guarded and module.split(".")[0] == library
    ]
    assert [name for name in found if not name.startswith(HOMES[library])] == []


def test_the_core_knows_no_plugin_by_name() -> None:
    found = [
        f"{file.relative_to(ROOT)} imports {module}"
        for file in sources()
        if file.relative_to(ROOT).parts[0] == "chatseq"
        for module, _ in imports(file)
        if module.startswith("chatseq_")
    ]
    assert found == []


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
    found = {
        (str(file.relative_to(ROOT)), module)
        for file in (ROOT / "chatseq" / "testing").rglob("*.py")
        for module, _ in imports(file)
        if part_of(module) in ("cli", "repl")
    }
    checked = "chatseq/testing/checks/slash_command.py"
    parts = ("commands", "dispatch", "loading", "session")
    assert found == {(checked, f"chatseq.repl.{part}") for part in parts}


def test_only_the_command_that_checks_plugins_uses_the_kit() -> None:
    users = {
        str(file.relative_to(ROOT))
        for file in sources()
        for module, _ in imports(file)
        if part_of(module) == "testing" and not {"testing", "templates"} & set(file.parts)
    }
    assert users <= {"chatseq/cli/plugins_check.py"}
