"""What a part says of itself, read from its source without importing it.

Listings must not import torch, so the docstring and the constructor of a class that a plugin names
by a string are taken from the syntax tree of its file.
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chatseq.plugins import Part


@dataclass(frozen=True, slots=True)
class OptionText:
    """An option as its source writes it."""

    name: str
    type: str
    default: str  # empty where the option must be given


@dataclass(frozen=True, slots=True)
class Description:
    """The words of a part about itself; empty where its source cannot be read."""

    doc: str = ""
    options: tuple[OptionText, ...] = ()

    @property
    def summary(self) -> str:
        """The first line of the docstring, without the closing period."""
        return self.doc.strip().split("\n")[0].rstrip(".")


def describe(part: Part) -> Description:
    """Return what a part's source says; never raises for a broken part."""
    if not isinstance(part.reference, str):
        return _of_object(part.reference)
    module, _, name = part.reference.partition(":")
    try:
        node = _definition(module, name)
    except (ImportError, OSError, SyntaxError, ValueError):
        return Description()
    return _of_node(node) if node is not None else Description()


def _definition(module: str, name: str) -> ast.ClassDef | ast.FunctionDef | None:
    spec = importlib.util.find_spec(module)  # imports the parent package only
    if spec is None or not spec.origin or not spec.origin.endswith(".py"):
        return None
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name:
            return node
    return None


def _of_node(node: ast.ClassDef | ast.FunctionDef) -> Description:
    doc = ast.get_docstring(node) or _help_of_command(node)
    init: ast.FunctionDef | None = node if isinstance(node, ast.FunctionDef) else None
    if isinstance(node, ast.ClassDef):
        members = [member for member in node.body if isinstance(member, ast.FunctionDef)]
        init = next((member for member in members if member.name == "__init__"), None)
    return Description(doc, _keyword_only(init) if init is not None else ())


def _help_of_command(node: ast.ClassDef | ast.FunctionDef) -> str:
    """Return the `help=` of a decorator, where a command keeps its first line."""
    for decorator in node.decorator_list:
        for keyword in getattr(decorator, "keywords", []):
            if keyword.arg == "help" and isinstance(keyword.value, ast.Constant):
                return str(keyword.value.value)
    return ""


def _keyword_only(function: ast.FunctionDef) -> tuple[OptionText, ...]:
    arguments = function.args
    return tuple(
        OptionText(
            argument.arg,
            ast.unparse(argument.annotation) if argument.annotation else "",
            ast.unparse(default) if default is not None else "",
        )
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    )


def _of_object(component: Callable[..., Any]) -> Description:
    """Describe a callable that is already there."""
    try:
        parameters = inspect.signature(component).parameters.values()
    except (TypeError, ValueError):
        parameters = ()  # type: ignore[assignment]
    options = tuple(
        OptionText(
            parameter.name,
            "" if parameter.annotation is parameter.empty else str(parameter.annotation),
            "" if parameter.default is parameter.empty else repr(parameter.default),
        )
        for parameter in parameters
        if parameter.kind is parameter.KEYWORD_ONLY
    )
    return Description(inspect.getdoc(component) or "", options)
