"""A bot without a trained network, for tests of responders."""

from __future__ import annotations

from chatseq.chat.bot import Bot
from chatseq.engines.contracts import Array, Encoded, Engine, Stepped
from chatseq.hookspecs import hookimpl
from chatseq.plugins import Plugin, Registry
from chatseq.recipe import Recipe
from chatseq.testing.engines import RandomEngine
from chatseq.testing.responders import ScriptedResponder
from chatseq.testing.strategies import PlainStrategy
from chatseq.testing.tokenizers import LetterTokenizer


class CountingEngine:
    """An engine that counts how often it is asked.

    Args:
        engine: what it asks itself
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.calls = 0

    def encode(self, ids: Array, mask: Array, features: Array | None = None) -> Encoded:
        """Encode questions."""
        self.calls += 1
        return self._engine.encode(ids, mask, features)

    def step(self, tokens: Array, state: tuple[Array, ...], memory: tuple[Array, ...]) -> Stepped:
        """Advance every row by one token."""
        self.calls += 1
        return self._engine.step(tokens, state, memory)

    def array(self, values: object) -> Array:
        """Return an array."""
        return self._engine.array(values)


class _Parts:
    """The plugin whose parts the bot is made of."""

    @hookimpl
    def chatseq_strategies(self) -> dict[str, object]:
        return {"plain": PlainStrategy}

    @hookimpl
    def chatseq_responders(self) -> dict[str, object]:
        return {"scripted": lambda bot: ScriptedResponder()}  # noqa: ARG005


def babbling_bot(engine: Engine | None = None) -> Bot:
    """Return a bot that answers every question with some letters, always with the same ones."""
    tokenizer, registry = LetterTokenizer(), Registry()
    registry.add(Plugin("testing", _Parts()))
    recipe = Recipe.model_validate(
        {
            "tokenizer": {"name": "letters"},
            "question": {"features": 0, "max_tokens": 24},
            "model": {"encoder": {"name": "none"}, "decoder": {"name": "none"}},
            "decoding": {"strategy": {"name": "plain"}, "adjusters": [], "max_length": 12},
            "qa": {"name": "scripted"},
        }
    )
    babbler = engine or RandomEngine(vocabulary_size=tokenizer.size, end_bonus=2.0)
    return Bot(registry, recipe, tokenizer, babbler, name="babbler", model="0" * 64)
