"""Make a trained bot ready to chat."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chatseq.api import Bot
from chatseq.composition import load_answering
from chatseq.core.plugins import Registry

if TYPE_CHECKING:
    from chatseq.bots.responder import Responder
    from chatseq.history.contracts import History


@dataclass(frozen=True, slots=True)
class LoadedBot:
    """A bot that is ready to answer."""

    name: str
    responder: Responder
    strategy: str
    settings: tuple[tuple[str, str], ...]  # path and value of what `/set` can change
    change: Callable[[Sequence[str]], LoadedBot]  # gives the bot with overrides `path=value`


LoadBot = Callable[[str, Sequence[str]], LoadedBot]  # the bot's name, and overrides `path=value`


def loader(registry: Registry, *, unsaved: Callable[[], History | None] = lambda: None) -> LoadBot:
    """Return what makes a bot ready by its name and overrides of its recipe.

    Args:
        unsaved: gives the history of the chat while it is not saved, for the corrections in it
    """

    def load_named(name: str, overrides: Sequence[str]) -> LoadedBot:
        import chatseq.chat.chat  # noqa: F401  (here, so that the first question need not wait)

        return loaded(Bot(load_answering(registry, name, overrides, beside=unsaved)))

    return load_named


def loaded(bot: Bot) -> LoadedBot:
    """Return a bot as the chat sees it."""

    def change(overrides: Sequence[str]) -> LoadedBot:
        return loaded(bot.with_settings(overrides))

    settings = tuple(bot.settings.items())
    return LoadedBot(bot.name, bot.responder, bot.strategy, settings, change)
