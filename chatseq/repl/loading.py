"""Make a trained bot ready to chat."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from chatseq.core.plugins import Registry
from chatseq.repl.session import LoadBot, LoadedBot

if TYPE_CHECKING:
    from chatseq.bots.bot import Bot
    from chatseq.history.contracts import History

CHANGEABLE = ("decoding", "responder")  # sections of a recipe that a running chat can still change


def loader(registry: Registry, *, unsaved: Callable[[], History | None] = lambda: None) -> LoadBot:
    """Return what makes a bot ready by its name and overrides of its recipe.

    Args:
        unsaved: gives the history of the chat while it is not saved, for the corrections in it
    """

    def load(name: str, overrides: Sequence[str]) -> LoadedBot:
        import chatseq.chat.chat  # noqa: F401  (here, so that the first question need not wait)
        from chatseq.bots.loader import load_bot  # with the engine, half a second
        from chatseq.chat.corrections import Corrections

        known = Corrections(beside=unsaved)
        return loaded(load_bot(registry, name, overrides=overrides, corrections=known))

    return load


def loaded(bot: Bot) -> LoadedBot:
    """Return a bot as the chat sees it."""

    def change(overrides: Sequence[str]) -> LoadedBot:
        return loaded(bot.with_overrides(overrides))

    sections = bot.recipe.model_dump(mode="json", include=set(CHANGEABLE))
    settings = tuple(flattened(sections))
    return LoadedBot(bot.name, bot.responder, bot.strategy_name, settings, change)


def flattened(table: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the values of a table and of the tables in it as path and TOML text."""
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from flattened(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", as_toml(value)


def as_toml(value: object) -> str:
    """Return a value as `/set` takes it."""
    if isinstance(value, Mapping):
        inner = ", ".join(f"{key} = {as_toml(each)}" for key, each in value.items())
        return f"{{{inner}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(as_toml, value))}]"
    return json.dumps(value, ensure_ascii=False)
