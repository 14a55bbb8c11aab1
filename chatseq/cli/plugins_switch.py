"""`chatseq plugins off` and `on`: leave a plugin out from now on, and take it in again."""

from __future__ import annotations

import click

from chatseq.cli.main import registry_of
from chatseq.cli.output import say, tell
from chatseq.composition import SWITCHBOARD
from chatseq.core.disabled import read_disabled, switch_off, switch_on
from chatseq.core.errors import ErrorKind, PartError, did_you_mean, nearest
from chatseq.core.plugins import PartNames, Registry
from chatseq.hookspecs import PART_HOOKS


@click.command()
@click.argument("name")
@click.pass_context
def off(ctx: click.Context, name: str) -> None:
    """Switch a plugin off, also a built-in one: it is not even imported any more.

    What needs one of its parts then says so, and how to switch it on.
    """
    registry = registry_of(ctx)
    _tell_damage()
    if name in read_disabled().off:
        say(f"The plugin {name} is off already.")
        return
    parts = _parts_of(registry, _known(registry, name))
    if SWITCHBOARD in parts.get("command", ()):
        raise PartError(
            f"The plugin {name} cannot be switched off: it brings the command that would switch it "
            "on again. Switch off another one; see: chatseq plugins list"
        )
    switch_off(name, parts)
    say(f"Switched off {name}: {_listed(parts)}. Back on with: chatseq plugins on {name}")


@click.command()
@click.argument("name")
@click.pass_context
def on(ctx: click.Context, name: str) -> None:
    """Switch a plugin on again."""
    _tell_damage()
    stored = read_disabled().off
    if name in stored:
        switch_on(name)
        say(f"Switched on {name}: {_listed(stored[name])}.")
        return
    _known(registry_of(ctx), name)
    say(f"The plugin {name} is on already.")


def _known(registry: Registry, name: str) -> str:
    """Return the name if there is such a plugin.

    Raises:
        PartError: there is none; if it names a part, the plugin of that is told.
    """
    names = {plugin.name for plugin in registry.plugins}
    names |= {plugin.name for plugin in registry.off}
    names |= {fault.plugin for fault in registry.faults}
    if name in names:
        return name
    for kind in PART_HOOKS:
        part = registry.parts(kind).get(name)
        if part is not None:
            raise PartError(
                f"'{name}' is no plugin. The {kind} '{name}' belongs to plugin {part.plugin.name}, "
                "which can be switched as a whole: name that."
            )
    raise PartError(
        f"No plugin named '{name}'.{did_you_mean(name, names)}",
        kind=ErrorKind.PLUGIN_NOT_FOUND,
        place=name,
        choices=nearest(name, names),
    )


def _parts_of(registry: Registry, plugin: str) -> PartNames:
    found: dict[str, list[str]] = {}
    for kind in PART_HOOKS:
        for part in (*registry.parts(kind).values(), *registry.contested()):
            if part.kind == kind and part.plugin.name == plugin:
                found.setdefault(kind, []).append(part.name)
    return {kind: tuple(sorted(names)) for kind, names in found.items()}


def _listed(parts: PartNames) -> str:
    told = [f"{kind} {', '.join(names)}" for kind, names in parts.items()]
    return "; ".join(told) or "no parts"


def _tell_damage() -> None:
    damage = read_disabled().fault
    if damage:
        tell(damage)
