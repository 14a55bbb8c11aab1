"""Find definitions in the source of modules, without importing any of them.

Listings must not import torch; a class that a plugin names by a string is therefore looked up in
the syntax tree of its file. What it is built on is followed within its own package and chatseq.
"""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

OURS = "chatseq"  # whose definitions every plugin may build on
_DEEPEST = 8  # imports that are followed from one name to the next

Definition = ast.ClassDef | ast.FunctionDef


@dataclass(frozen=True, slots=True)
class Module:
    """The source of a module."""

    name: str
    file: Path
    tree: ast.Module

    @property
    def doc(self) -> str:
        """Its docstring, empty where there is none."""
        return ast.get_docstring(self.tree) or ""


@dataclass(frozen=True, slots=True)
class Located:
    """A class or function in the source of its module."""

    module: Module
    node: Definition

    @property
    def doc(self) -> str:
        """Its docstring, empty where there is none."""
        return ast.get_docstring(self.node) or ""

    @property
    def constructor(self) -> ast.FunctionDef | None:
        """What it is called with: a function itself, or the `__init__` that a class writes."""
        if isinstance(self.node, ast.FunctionDef):
            return self.node
        members = (each for each in self.node.body if isinstance(each, ast.FunctionDef))
        return next((each for each in members if each.name == "__init__"), None)

    def lineage(self) -> Iterator[Located]:
        """Yield the class and all that it is built on, as far as their source can be read."""
        seen: set[tuple[str, str]] = set()
        waiting: list[Located] = [self]
        while waiting:
            found = waiting.pop(0)
            place = (found.module.name, found.node.name)
            if place in seen:
                continue
            seen.add(place)
            yield found
            waiting[:0] = found._bases()

    def _bases(self) -> list[Located]:
        if not isinstance(self.node, ast.ClassDef):
            return []
        bases = (b.value if isinstance(b, ast.Subscript) else b for b in self.node.bases)
        names = [base.id for base in bases if isinstance(base, ast.Name)]
        found = (_definition(self.module, name) for name in names)
        return [each for each in found if each]


def find(module: str, name: str) -> Located | None:
    """Return the definition of a name in a module; None where its source cannot be read."""
    read = read_module(module)
    return _definition(read, name) if read else None


def look_up(module: Module, name: str, depth: int = 0) -> tuple[Module, ast.AST] | None:
    """Return what a name stands for at the top of a module, and in which module that is.

    That is a class, a function or the value of an assignment; imports are followed.
    """
    for node in module.tree.body:
        if isinstance(node, Definition) and node.name == name:
            return module, node
        value = _assigned(node, name)
        if value is not None:
            return module, value
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if (alias.asname or alias.name) == name and depth < _DEEPEST:
                    other = _imported(module, node)
                    return look_up(other, alias.name, depth + 1) if other else None
    return None


def read_module(name: str) -> Module | None:
    """Return the source of a module; None where it cannot be read."""
    try:
        file = _file_of(name)
        return _parsed(name, file, file.stat().st_mtime_ns) if file else None
    except (ImportError, OSError, SyntaxError, ValueError, RecursionError):
        return None


def _definition(module: Module, name: str) -> Located | None:
    home, node = look_up(module, name) or (module, None)
    return Located(home, node) if isinstance(node, Definition) else None


@lru_cache(maxsize=128)
def _parsed(name: str, file: Path, changed: int) -> Module:  # noqa: ARG001  (part of the key)
    return Module(name, file, ast.parse(file.read_text(encoding="utf-8")))


def _assigned(node: ast.stmt, name: str) -> ast.expr | None:
    if isinstance(node, ast.Assign):
        targets: list[ast.expr] = node.targets
    elif isinstance(node, ast.AnnAssign):
        targets = [node.target]
    else:
        return None
    named = any(isinstance(target, ast.Name) and target.id == name for target in targets)
    return node.value if named else None


def _imported(module: Module, node: ast.ImportFrom) -> Module | None:
    """Return the module that is imported from, if it belongs to the same package or to chatseq."""
    name = node.module or ""
    if node.level:
        is_package = module.file.name == "__init__.py"
        package = module.name if is_package else module.name.rpartition(".")[0]
        name = importlib.util.resolve_name("." * node.level + name, package)
    near = name.partition(".")[0] in (module.name.partition(".")[0], OURS)
    return read_module(name) if near else None


def _file_of(module: str) -> Path | None:
    """Return the file of a module; not even the package around it is imported."""
    loaded = sys.modules.get(module)
    if loaded is not None:
        return _python(getattr(loaded, "__file__", None))
    top, *inner = module.split(".")
    spec = importlib.util.find_spec(top)
    if spec is None or not inner:
        return _python(spec.origin if spec else None)
    for folder in spec.submodule_search_locations or ():
        place = Path(folder, *inner)
        for file in (place.with_name(f"{place.name}.py"), place / "__init__.py"):
            if file.is_file():
                return file
    return None


def _python(file: str | None) -> Path | None:
    return Path(file) if file and file.endswith(".py") else None
