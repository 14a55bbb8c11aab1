"""The parts that come with chatseq, for tests that want them by name."""

from __future__ import annotations

from functools import cache

from chatseq.core.plugins import Plugin, Registry, discover

BUILT_IN = "chatseq"  # the distribution that brings the built-in plugins


@cache
def built_in_plugins() -> tuple[Plugin, ...]:
    """Return the plugins that come with chatseq; looked up once."""
    return tuple(plugin for plugin in discover().plugins if plugin.origin == BUILT_IN)


def builtin_registry(*plugins: object) -> Registry:
    """Return the parts that come with chatseq, and those of plugins that are given.

    What else is installed is not in it, so that a test says the same everywhere.

    Args:
        plugins: modules or objects with hooks, as an entry point names them

    Raises:
        ValueError: one of them does not fit its hooks.
    """
    registry = Registry()
    for plugin in built_in_plugins():
        registry.add(plugin)
    for number, module in enumerate(plugins):
        name = getattr(module, "__name__", f"{type(module).__name__}-{number}")
        registry.add(Plugin(name, module))
    if registry.faults:
        raise ValueError(str(registry.faults[0]))
    return registry
