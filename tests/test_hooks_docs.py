"""Every hook has a page, and the page says what the code says."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatseq import hookspecs
from chatseq.core.events import StepReport, ValidationReport
from chatseq.core.options import options_of
from chatseq.core.plugins import Registry, discover
from chatseq.hookspecs import PART_HOOKS
from chatseq.testing import broken, check_part

PAGES = Path(__file__).parents[1] / "docs" / "hooks"
HOOKS = [name for name in vars(hookspecs) if name.startswith("chatseq_")]
KINDS = {hook: kind for kind, hook in PART_HOOKS.items()}
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BUILDS = re.compile(r"A reference builds `\((.*?)\) -> ([\w.]+)`")


def page(hook: str) -> str:
    return (PAGES / f"{hook}.md").read_text(encoding="utf-8")


def blocks(hook: str) -> list[str]:
    return BLOCK.findall(page(hook))


def built_by(hook: str) -> tuple[str, str] | None:
    """Return the arguments of a reference and what it builds, from the docstring of the hook."""
    doc = " ".join(getattr(hookspecs, hook).__doc__.split())
    found = BUILDS.search(doc)
    return (found[1], found[2]) if found else None


def source_of(path: str) -> ast.ClassDef:
    module, _, name = path.rpartition(".")
    tree = ast.parse(inspect.getsource(importlib.import_module(module)))
    return next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == name)


def members(node: ast.ClassDef) -> dict[str, str]:
    """Return what a class offers to others, by name, with types and defaults."""
    found = {}
    for each in node.body:
        if isinstance(each, ast.AnnAssign):
            found[ast.unparse(each.target)] = ast.unparse(each)
        elif isinstance(each, ast.FunctionDef) and (each.name[0] != "_" or each.name[:2] == "__"):
            kind = "property " if each.decorator_list else ""
            arguments, gives = ast.unparse(each.args), ast.unparse(each.returns or each)
            found[each.name] = f"{kind}({arguments}) -> {gives}"
    return found


def stubs(hook: str) -> dict[str, ast.ClassDef]:
    """Return the classes that a page shows without a body."""
    trees = [ast.parse(block) for block in blocks(hook)[1:-1]]
    return {n.name: n for tree in trees for n in tree.body if isinstance(n, ast.ClassDef)}


def test_every_hook_has_a_page_and_every_page_a_hook() -> None:
    assert {path.stem for path in PAGES.glob("*.md")} == {*HOOKS, "README"}


def test_the_index_names_every_hook_with_its_kind() -> None:
    index = (PAGES / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[(\w+)\]\((\w+)\.md\) \| (?:`([\w-]+)`|–) \|", index, re.MULTILINE)
    assert [row[0] for row in rows] == HOOKS
    assert all(name == target for name, target, _ in rows)
    assert {row[0]: row[2] for row in rows if row[2]} == KINDS


@pytest.mark.parametrize("hook", HOOKS)
def test_a_page_begins_with_the_signature_of_its_hook(hook: str) -> None:
    text = inspect.getsource(getattr(hookspecs, hook))
    (function,) = [n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef)]
    wanted = f"def {hook}({ast.unparse(function.args)}) -> {ast.unparse(function.returns)}"
    assert page(hook).startswith(f"# {hook}\n\n```python\n{wanted}\n```\n")


@pytest.mark.parametrize("hook", [hook for hook in HOOKS if built_by(hook)])
def test_a_page_tells_what_a_reference_gets_and_builds(hook: str) -> None:
    built = built_by(hook)
    assert built is not None
    text = page(hook)
    assert f"## What a reference gets\n\n`({built[0]})`\n" in text
    assert f"## What it builds\n\n`{built[1]}`" in text
    positional = re.findall(r"\w+", built[0].partition("*")[0])
    section = text[text.index("## What a reference gets") : text.index("## What it builds")]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == positional


@pytest.mark.parametrize("hook", [hook for hook in HOOKS if built_by(hook)])
def test_the_built_in_parts_take_those_arguments(hook: str, registry: Registry) -> None:
    built = built_by(hook)
    assert built is not None
    wanted = re.findall(r"\w+", built[0].partition("*")[0])
    for part in registry.parts(KINDS[hook]).values():
        component = part.load()
        parameters = list(inspect.signature(component).parameters)
        found = [name for name in parameters if name not in options_of(component)]
        assert found == wanted, part.name


@pytest.mark.parametrize("hook", [hook for hook in HOOKS if built_by(hook)])
def test_a_page_shows_every_protocol_that_is_met(hook: str) -> None:
    built = built_by(hook)
    assert built is not None
    module = importlib.import_module(built[1].rpartition(".")[0])
    waiting, met = [built[1].rpartition(".")[2]], set()
    while waiting:
        name = waiting.pop()
        met.add(name)
        waiting += [other for other in protocols_given_by(module, name) if other not in met]
    assert met <= set(stubs(hook))


def protocols_given_by(module: types.ModuleType, name: str) -> Iterator[str]:
    """Yield the protocols of the same module that methods of one return."""
    for method in source_of(f"{module.__name__}.{name}").body:
        given = ast.unparse(method.returns) if isinstance(method, ast.FunctionDef) else ""
        found = getattr(module, given, None)
        if inspect.isclass(found) and getattr(found, "_is_protocol", False):
            yield given


SHOWN = [(hook, name) for hook in HOOKS if (PAGES / f"{hook}.md").is_file() for name in stubs(hook)]
HOMES = (
    "chatseq.core.exchange",
    "chatseq.repl.commands",
    "chatseq.model.contracts",
    "chatseq.bots.contracts",
)


@pytest.mark.parametrize(("hook", "name"), SHOWN)
def test_what_a_page_shows_is_what_the_code_has(hook: str, name: str) -> None:
    built = built_by(hook)
    homes = [built[1].rpartition(".")[0], *HOMES] if built else list(HOMES)
    found = (getattr(importlib.import_module(home), name, None) for home in homes)
    shown = next(component for component in found if component)
    wanted = members(source_of(f"{shown.__module__}.{name}"))
    assert members(stubs(hook)[name]) == wanted
    for word in wanted:
        if not word.startswith("__"):
            assert f"`{word}`" in page(hook), f"{word} is not explained"


def test_enough_is_shown_that_these_tests_mean_something() -> None:
    assert len(SHOWN) > 20


@pytest.fixture
def example(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Registry]:
    """The registry with the example of a page, which stands in the folder of one-file plugins."""
    (tmp_path / "example.py").write_text(blocks(request.param)[-1], encoding="utf-8")
    yield discover([tmp_path])
    sys.modules.pop("chatseq_file_plugins.example", None)


@pytest.mark.parametrize(("example", "hook"), [(h, h) for h in KINDS], indirect=["example"])
def test_the_example_of_a_page_keeps_to_everything(example: Registry, hook: str) -> None:
    assert example.faults == []
    (part,) = [p for p in example.parts(KINDS[hook]).values() if p.plugin.name == "example"]
    outcomes = check_part(part.kind, part.load(), name=part.name)
    assert broken(outcomes) == []
    assert len(outcomes) >= 4
    assert part.name in page(hook).rpartition("```")[2], "the page does not say how to use it"


@pytest.mark.parametrize("example", ["chatseq_training_event"], indirect=True)
def test_the_observer_of_the_page_is_told(example: Registry, tmp_path: Path) -> None:
    step = StepReport(1, 1, 2.0, 10, 5.0, 0.1, 1.0, False, 0.5, 1.0)
    for event in (step, ValidationReport(7, 1, 1.0, 2.7, 0.25, best=True)):
        example.notify("chatseq_training_event", event=event, run=tmp_path)
    assert example.faults == []
    assert (tmp_path / "exact.txt").read_text() == "7 0.250\n"
