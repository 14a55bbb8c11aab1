"""Who imports whom, read from sources without running them, and what is wrong with it.

An import counts wherever it stands: at the top of a module, in a function, or under TYPE_CHECKING,
which hides a circle from Python and not from a reader.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

CORE, PLUGINS = "chatseq", "plugins"
TOP = ("chatseq", "chatseq.__main__")  # the doors of the package: they may know all of it


class Import(NamedTuple):
    """That one module imports another."""

    by: str
    what: str  # a module of this project, or as it is written
    only_typed: bool  # it stands under TYPE_CHECKING

    def __str__(self) -> str:
        return f"{self.by} imports {self.what}"


def modules(root: Path) -> dict[str, Path]:
    """Return the modules of the core and of the built-in plugins by name, templates left out."""
    found = {}
    for folder in (root / CORE, root / PLUGINS):
        for file in sorted(folder.rglob("*.py")):
            relative = file.relative_to(root if folder.name == CORE else folder)
            if "templates" not in relative.parts:
                parts = relative.with_suffix("").parts
                found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def imports(root: Path) -> list[Import]:
    """Return all imports of the core and of the built-in plugins."""
    known = modules(root)
    found = [each for name, file in known.items() for each in _imports_of(name, file, known)]
    return [each for each in found if each.by != each.what]


def _imports_of(name: str, file: Path, known: Collection[str]) -> Iterator[Import]:
    for whats, only_typed in statements(file):
        inner = [what if what in known else what.rpartition(".")[0] for what in whats]
        for what in dict.fromkeys(inner):
            yield Import(name, what, only_typed)


def statements(file: Path) -> Iterator[tuple[list[str], bool]]:
    """Yield what each import of a file names, and whether it stands under TYPE_CHECKING."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    guarded = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield [f"{alias.name}." for alias in node.names], id(node) in guarded
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield [f"{node.module}.{alias.name}" for alias in node.names], id(node) in guarded


def is_within(module: str, package: str) -> bool:
    """Tell whether a module is a package or lies in it."""
    return module == package or module.startswith(f"{package}.")


def upward(found: Iterable[Import], layers: Sequence[Collection[str]]) -> list[str]:
    """Return the imports of the core that go from a layer to one above it.

    Args:
        layers: names below chatseq, the lowest layer first
    """
    level = {f"{CORE}.{name}": at for at, names in enumerate(layers) for name in names}

    def level_of(module: str) -> int:
        parts = module.split(".")
        return len(layers) if module in TOP else level.get(".".join(parts[:2]), -1)

    core = [each for each in found if is_within(each.by, CORE) and is_within(each.what, CORE)]
    return [str(each) for each in core if level_of(each.what) > level_of(each.by)]


def circles(found: Iterable[Import]) -> list[list[str]]:
    """Return for each module that knows itself the shortest way around, each circle once."""
    graph: dict[str, list[str]] = {}
    for each in found:
        graph.setdefault(each.by, []).append(each.what)
    ways = sorted(way for start in graph if (way := _way_back(graph, start)))
    return list({frozenset(way): way for way in reversed(ways)}.values())


def _way_back(graph: Mapping[str, Sequence[str]], start: str) -> list[str]:
    """Return the shortest way from a module to itself, empty where there is none."""
    came_from = {start: ""}
    queue = [start]
    for module in queue:
        for after in graph.get(module, ()):
            if after == start:
                way = [module]
                while came_from[way[0]]:
                    way.insert(0, came_from[way[0]])
                return way
            if after not in came_from:
                came_from[after] = module
                queue.append(after)
    return []


def named_plugins(found: Iterable[Import]) -> list[str]:
    """Return the imports of plugins by the core, which knows none by name."""
    core = [each for each in found if is_within(each.by, CORE)]
    return [str(each) for each in core if each.what.startswith(f"{CORE}_")]


def beyond(
    found: Iterable[Import], allowed: Collection[str], builds_on: Mapping[str, Collection[str]]
) -> list[str]:
    """Return the imports of plugins that nothing allows.

    Args:
        allowed: modules of the core that a plugin may import
        builds_on: plugin: the other plugins that it may import
    """
    faults = []
    for each in found:
        plugin, other = each.by.split(".")[0], each.what.split(".")[0]
        if plugin == CORE or other == plugin:
            continue
        from_core = other == CORE and each.what not in allowed
        from_plugin = other.startswith(f"{CORE}_") and other not in builds_on.get(plugin, ())
        if from_core or from_plugin:
            faults.append(str(each))
    return faults
