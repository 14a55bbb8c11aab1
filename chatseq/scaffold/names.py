"""The names of a new package: whether they can be taken, and what is called how."""

from __future__ import annotations

import importlib.util
import keyword
import re
import sys
from collections.abc import Iterator
from importlib import metadata
from typing import NamedTuple

from chatseq.core.errors import PartError
from chatseq.core.plugins import Registry, no_kind
from chatseq.hookspecs import PART_HOOKS

LONGEST = 40  # characters
_FORM = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")
_TAKEN_BY_US = ("tests",)  # a folder of every new package


class Names(NamedTuple):
    """What a new package calls its things."""

    kind: str
    part: str  # "loud-words", also the name of the distribution
    package: str  # "loud_words", also the name of the plugin
    component: str  # "LoudWordsMetric"


def names_of(name: str, kind: str) -> Names:
    """Return the names that follow from the one that was given.

    Raises:
        PartError: there is no such kind, or it is no name.
    """
    if kind not in PART_HOOKS:
        raise no_kind(kind)
    if not _FORM.fullmatch(name) or len(name) > LONGEST:
        raise PartError(
            f"'{name}' cannot be the name of a package. Begin with a lower-case letter, go on with "
            f"lower-case letters, digits and '-', up to {LONGEST} characters, as in 'my-{kind}'."
        )
    words = re.split("[-_]", name)
    package = "_".join(words)
    if keyword.iskeyword(package) or package in _TAKEN_BY_US:
        raise PartError(
            f"'{name}' cannot be the name of a package: Python or the package itself needs the "
            f"word. Choose another, for example 'my-{name}'."
        )
    suffix = "".join(word.title() for word in kind.split("-"))
    component = "".join(word.title() for word in words).removesuffix(suffix) + suffix
    return Names(kind, "-".join(words), package, component)


def check_free(names: Names, registry: Registry) -> None:
    """Refuse names that something installed has.

    Raises:
        PartError: the module, the distribution, the plugin or the part is there already.
    """
    for what in _clashes(names, registry):
        raise PartError(f"{what}. Choose another name, for example 'my-{names.part}'.")


def _clashes(names: Names, registry: Registry) -> Iterator[str]:
    kind, part, package, _ = names
    plugins = {plugin.name for plugin in (*registry.plugins,)}
    plugins |= {plugin.name for plugin in registry.off} | {f.plugin for f in registry.faults}
    if package in plugins:
        yield f"A plugin named '{package}' is already installed"
    for each in (*registry.parts(kind).values(), *registry.contested()):
        if (each.kind, each.name) == (kind, part):
            yield f"The {kind} '{part}' is already there, from plugin {each.plugin.name}"
    for plugin in registry.off:
        if part in plugin.parts.get(kind, ()):
            yield f"The {kind} '{part}' is already there, from plugin {plugin.name} (switched off)"
    if _is_distribution(part):
        yield f"A package named '{part}' is already installed"
    if package in sys.stdlib_module_names or _is_module(package):
        yield f"Python already has a module named '{package}'"


def _is_distribution(name: str) -> bool:
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _is_module(name: str) -> bool:
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return False
    return spec is not None and spec.origin is not None  # a bare folder is no module yet
