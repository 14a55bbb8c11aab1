"""Find plugins, check them against the hooks, set broken ones aside, and collect their parts.

Nothing is loaded at import and there is no global registry: `discover()` makes one, and tests make
their own from plain objects. No plugin is known by name here.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
import time
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pluggy

from chatseq import hookspecs
from chatseq.core.errors import ErrorKind, PartError, did_you_mean, nearest
from chatseq.hookspecs import PART_HOOKS, PROJECT, Reference

PartNames = Mapping[str, tuple[str, ...]]  # the names of parts by kind

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_REFERENCE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class Plugin:
    """A module or object that was registered, and where it came from."""

    name: str
    module: object
    version: str = ""
    origin: str = ""  # the distribution or the file
    import_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class PluginProblem:
    """Why a plugin was set aside, or why one of its parts cannot be used."""

    plugin: str
    hook: str
    what: str

    def __str__(self) -> str:
        where = f", hook {self.hook}" if self.hook else ""
        return f"Plugin {self.plugin}{where}: {self.what}"


@dataclass(frozen=True, slots=True)
class Disabled:
    """A plugin that its user has switched off; nothing of it is imported."""

    name: str
    parts: PartNames  # as they were when it was switched off; empty where that is not known
    version: str = ""
    origin: str = ""

    @property
    def way_back(self) -> str:
        """The command that switches it on."""
        return f"chatseq plugins on {self.name}"


@dataclass(frozen=True, slots=True)
class Part:
    """A named part that a plugin brings; the class behind it is imported by `load`."""

    kind: str
    name: str
    reference: Reference
    plugin: Plugin

    def load(self) -> Callable[..., Any]:
        """Import and return the class or callable.

        Raises:
            PartError: the module cannot be imported or does not have that name.
        """
        if not isinstance(self.reference, str):
            return self.reference
        module, _, attribute = self.reference.partition(":")
        try:
            loaded = getattr(importlib.import_module(module), attribute)
        except Exception as fault:  # whatever a plugin raises at import is its fault, not ours
            raise self._broken(f"{type(fault).__name__}: {first_line(fault)}") from fault
        if not callable(loaded):
            raise self._broken(f"{self.reference} is not callable")
        return loaded  # type: ignore[no-any-return]

    def _broken(self, what: str) -> PartError:
        return PartError(
            f"The {self.kind} '{self.name}' of plugin {self.plugin.name} cannot be loaded from "
            f"{self.reference}: {what}. Mend or remove the plugin; see: chatseq plugins doctor",
            kind=ErrorKind.PART_BROKEN,
            place=self.plugin.name,
        )


class Registry:
    """The plugins that fit, their parts by kind and name, and the faults of those that do not."""

    def __init__(self) -> None:
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self._plugins: dict[str, Plugin] = {}
        self._parts: dict[tuple[str, str], list[Part]] = {}
        self._off: dict[str, Disabled] = {}
        self.faults: list[PluginProblem] = []

    def add(self, plugin: Plugin) -> None:
        """Register a plugin, or set it aside with a fault; never raises for a plugin's mistake."""
        if plugin.name in self._plugins:
            other = self._plugins[plugin.name].origin or "another place"
            self.faults.append(PluginProblem(plugin.name, "", f"is already loaded from {other}"))
            return
        try:
            parts = self._checked_parts(plugin)
        except _Unfit as unfit:
            if self._manager.is_registered(plugin.module):
                self._manager.unregister(plugin.module)
            self.faults.append(PluginProblem(plugin.name, unfit.hook, unfit.what))
            return
        self._plugins[plugin.name] = plugin
        for part in parts:
            self._parts.setdefault((part.kind, part.name), []).append(part)
            self._report_duplicates(part)

    def set_aside(self, name: str, what: str) -> None:
        """Record a plugin that could not even be imported."""
        self.faults.append(PluginProblem(name, "", what))

    def leave_out(self, plugin: Disabled) -> None:
        """Record a plugin that is there and switched off."""
        self._off[plugin.name] = plugin

    @property
    def plugins(self) -> tuple[Plugin, ...]:
        """The plugins in use, by name."""
        return tuple(self._plugins[name] for name in sorted(self._plugins))

    @property
    def off(self) -> tuple[Disabled, ...]:
        """The plugins that are switched off, by name."""
        return tuple(self._off[name] for name in sorted(self._off))

    def parts(self, kind: str) -> dict[str, Part]:
        """Return the parts of one kind that have exactly one provider, sorted by name."""
        found = {
            name: providers[0]
            for (part_kind, name), providers in self._parts.items()
            if part_kind == kind and len(providers) == 1
        }
        return dict(sorted(found.items()))

    def contested(self) -> list[Part]:
        """Return the parts that more than one plugin provides; none of them can be used."""
        return [part for parts in self._parts.values() if len(parts) > 1 for part in parts]

    def find(self, kind: str, name: str, *, where: str = "") -> Part:
        """Return one part.

        Args:
            where: the file or key that asked for it, told in the error.

        Raises:
            PartError: there is no such part, its plugin is switched off, or more than one plugin
                provides it.
        """
        providers = self._parts.get((kind, name), [])
        if len(providers) == 1:
            return providers[0]
        place = f" {where}" if where else ""
        if providers:
            names = " and ".join(part.plugin.name for part in providers)
            raise PartError(
                f"Two plugins provide the {kind} '{name}'{place}: {names}. Remove one of them, or "
                f"switch it off: chatseq plugins off {providers[-1].plugin.name}",
                kind=ErrorKind.PART_CONTESTED,
                place=where,
                choices=(part.plugin.name for part in providers),
            )
        self.refuse_if_off(kind, name, where=where)
        known = self.parts(kind)
        hint = did_you_mean(name, known) + self._aside_hint() + self.off_hint()
        raise PartError(
            f"No {kind} named '{name}'{place}.{hint}",
            kind=ErrorKind.PART_NOT_FOUND,
            place=where,
            choices=nearest(name, known),
        )

    def refuse_if_off(self, kind: str, name: str, *, where: str = "") -> None:
        """Raise a PartError if the part belongs to a plugin that is switched off."""
        place = f" {where}" if where else ""
        for plugin in self.off:
            if name in plugin.parts.get(kind, ()):
                raise PartError(
                    f"The {kind} '{name}'{place} belongs to plugin {plugin.name}, which is "
                    f"switched off. Switch it on: {plugin.way_back}",
                    kind=ErrorKind.PLUGIN_OFF,
                    place=where,
                    choices=[plugin.name],
                )

    def off_hint(self) -> str:
        """Return the closing words of an error that a plugin which is off may be the cause of."""
        if not self._off:
            return ""
        return f" (switched off: {', '.join(sorted(self._off))}; see: chatseq plugins list)"

    def notify(self, hook: str, **arguments: object) -> None:
        """Tell every observer of a hook; an observer that raises is set aside with a fault."""
        for implementation in list(getattr(self._manager.hook, hook).get_hookimpls()):
            wanted = {name: arguments[name] for name in implementation.argnames}
            try:
                implementation.function(**wanted)
            except Exception as fault:
                what = f"{type(fault).__name__}: {first_line(fault)}"
                self.faults.append(PluginProblem(implementation.plugin_name, hook, what))
                self._manager.unregister(implementation.plugin)

    def _aside_hint(self) -> str:
        if not self.faults:
            return ""
        return f" ({len(self.faults)} plugin fault(s); see: chatseq plugins doctor)"

    def _checked_parts(self, plugin: Plugin) -> list[Part]:
        self._refuse_unknown_hooks(plugin)
        try:
            self._manager.register(plugin.module, name=plugin.name)
        except pluggy.PluginValidationError as fault:
            hook, what = _signature_fault(fault)
            raise _Unfit(hook, what) from fault
        return [part for kind, hook in PART_HOOKS.items() for part in self._ask(plugin, kind, hook)]

    def _refuse_unknown_hooks(self, plugin: Plugin) -> None:
        known = [name for name in vars(hookspecs) if name.startswith("chatseq_")]
        for name in dir(plugin.module):
            marked = self._manager.parse_hookimpl_opts(plugin.module, name) is not None
            if marked and name not in known:
                raise _Unfit(name, f"there is no such hook.{did_you_mean(name, known)}")
            if name in known and not marked:
                raise _Unfit(name, "is not marked; write @hookimpl above it")

    def _ask(self, plugin: Plugin, kind: str, hook: str) -> Iterator[Part]:
        for implementation in getattr(self._manager.hook, hook).get_hookimpls():
            if implementation.plugin is not plugin.module:
                continue
            try:
                named = implementation.function()
            except Exception as fault:
                raise _Unfit(hook, f"raised {type(fault).__name__}: {first_line(fault)}") from fault
            for name, reference in sorted(_checked_names(hook, named).items()):
                yield Part(kind, name, reference, plugin)

    def _report_duplicates(self, part: Part) -> None:
        providers = self._parts[part.kind, part.name]
        if len(providers) > 1:
            first = providers[0].plugin.name
            what = f"the {part.kind} '{part.name}' is also provided by plugin {first}"
            self.faults.append(PluginProblem(part.plugin.name, PART_HOOKS[part.kind], what))


class _Unfit(Exception):  # noqa: N818  (an answer, not an error)
    """A plugin does not fit a hook."""

    def __init__(self, hook: str, what: str) -> None:
        super().__init__(what)
        self.hook = hook
        self.what = what


class _Candidate(NamedTuple):
    """A plugin that was found and not yet imported."""

    name: str
    load: Callable[[], object]
    version: str
    origin: str


def no_kind(kind: str) -> PartError:
    """Return the error about a kind of part that does not exist."""
    return PartError(
        f"No kind of part named '{kind}'.{did_you_mean(kind, PART_HOOKS)}",
        kind=ErrorKind.PART_NOT_FOUND,
        place=kind,
        choices=nearest(kind, PART_HOOKS),
    )


def discover(
    folders: Iterable[Path] = (), *, off: Mapping[str, PartNames] = MappingProxyType({})
) -> Registry:
    """Return a registry of the installed plugins and of the one-file plugins in these folders.

    Order never matters: entry points and files are taken by name.

    Args:
        off: plugins that are left out, not even imported, and the parts that they had; what is
            stored of that is read by `chatseq.core.disabled.read_disabled`
    """
    registry = Registry()
    for candidate in _candidates(folders):
        name, load, version, origin = candidate
        if name in off:
            registry.leave_out(Disabled(name, off[name], version, origin))
        else:
            _add_guarded(registry, name, load, version=version, origin=origin)
    return registry


def _candidates(folders: Iterable[Path]) -> Iterator[_Candidate]:
    for entry in sorted(metadata.entry_points(group=PROJECT), key=lambda entry: entry.name):
        version = entry.dist.version if entry.dist else ""
        origin = entry.dist.name if entry.dist else ""
        yield _Candidate(entry.name, entry.load, version, origin)
    for folder in folders:
        for file in sorted(folder.glob("*.py")):
            yield _Candidate(file.stem, _file_loader(file), "", str(file))


def _add_guarded(
    registry: Registry, name: str, load: Callable[[], object], *, version: str, origin: str
) -> None:
    started = time.perf_counter()
    try:
        module = load()
    except (Exception, SystemExit) as fault:  # a plugin must not end the program by being imported
        what = f"cannot be imported: {type(fault).__name__}: {first_line(fault)}"
        registry.set_aside(name, what)
        return
    took = (time.perf_counter() - started) * 1000
    registry.add(Plugin(name, module, version=version, origin=origin, import_ms=took))


def _file_loader(file: Path) -> Callable[[], object]:
    def load() -> types.ModuleType:
        name = f"chatseq_file_plugins.{file.stem}"
        spec = importlib.util.spec_from_file_location(name, file)
        if spec is None or spec.loader is None:
            raise ImportError(f"{file} is not a Python file")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module  # dataclasses and string references look it up there
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
        return module

    return load


def _checked_names(hook: str, named: object) -> Mapping[str, Reference]:
    if not isinstance(named, Mapping):
        raise _Unfit(hook, f"must return {{name: reference}}, not {type(named).__name__}")
    for name, reference in named.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise _Unfit(hook, f"{name!r} is no name; use lower-case letters, digits and '-'")
        if isinstance(reference, str):
            if not _REFERENCE.fullmatch(reference):
                what = f"{reference!r} of '{name}' must look like 'package.module:Name'"
                raise _Unfit(hook, what)
        elif not callable(reference):
            kind = type(reference).__name__
            raise _Unfit(hook, f"'{name}' must be a class or a 'package.module:Name', not {kind}")
    return named


def _signature_fault(fault: pluggy.PluginValidationError) -> tuple[str, str]:
    """Return the hook and the reason out of pluggy's message of several lines."""
    text = str(fault)
    hook = re.search(r"hook '?(chatseq_\w+)'?", text)
    wrong = re.search(r"Argument\(s\) (\{.*?\})", text)
    what = f"takes unknown arguments {wrong[1]}" if wrong else first_line(fault)
    return (hook[1] if hook else ""), what


def first_line(fault: BaseException) -> str:
    """Return the first line of an exception's text, or its type where it has none."""
    lines = str(fault).strip().split("\n")
    return lines[0] or type(fault).__name__
