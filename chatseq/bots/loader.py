"""Load a trained bot from its bundle.

torch is imported only when the recipe's engine is `torch`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from chatseq.bots.bot import Bot, BotData
from chatseq.bots.bundle import Bundle, default_bot, find_bot, use_bundle
from chatseq.bots.overrides import apply_overrides
from chatseq.bots.responder import Correction
from chatseq.core.errors import BundleError, ErrorKind
from chatseq.core.options import build_part
from chatseq.core.plugins import Registry
from chatseq.core.recipe import Recipe
from chatseq.decoding.answers import Answers
from chatseq.engines.load import load_engine
from chatseq.text.tokenizer import Tokenizer


def load_bot(
    registry: Registry,
    name_or_folder: str | Path | None = None,
    *,
    overrides: Iterable[str] = (),
    where: str = "--set",
    corrections: Callable[[str], Sequence[Correction]] = lambda _: (),
) -> Bot:
    """Load a trained bot.

    Args:
        name_or_folder: None for the bot that was trained or chosen last
        overrides: settings as `path=value`; only decoding, engine and responder can still change
        corrections: gives what users of the bot with this name said was right

    Raises:
        BundleError: there is no such bot, or it is damaged or lacks a plugin.
        RecipeError: an override does not fit.
        PartError: an override names a part or an option that does not exist.
        EngineError: its network cannot run here.
    """
    folder = find_bot(str(name_or_folder)) if name_or_folder is not None else _default_folder()

    def build(bundle: Bundle) -> Bot:
        recipe = apply_overrides(bundle.recipe(), overrides, where=where)
        tokenizer = load_tokenizer(registry, bundle, recipe)
        engine = load_engine(bundle.folder, recipe, registry, tokenizer.size)
        data = BotData(
            name=bundle.name,
            model=bundle.model,
            answers=Answers(bundle.answers),
            folder=bundle.data_folder,
            corrections=partial(corrections, bundle.name),
        )
        return Bot(registry, recipe, tokenizer, engine, data).built()

    return use_bundle(folder, build, registry=registry)


def load_tokenizer(registry: Registry, bundle: Bundle, recipe: Recipe) -> Tokenizer:
    """Return the tokenizer that a bot has learnt.

    Raises:
        PartError: the plugin that it is of does not exist any more.
    """
    place = f"in the bot '{bundle.name}' [tokenizer]"
    part = build_part(registry, "tokenizer", recipe.tokenizer, where=place)
    tokenizer: Tokenizer = part.load(bundle.tokenizer_json())
    return tokenizer


def _default_folder() -> Path:
    name = default_bot()
    if name is None:
        told = "There is no bot yet. Train one: chatseq train FILE"
        raise BundleError(told, kind=ErrorKind.BOT_NOT_FOUND)
    return find_bot(name)
