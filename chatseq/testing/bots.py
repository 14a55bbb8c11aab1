"""A bot without a trained network, for tests of responders."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from chatseq.bots.bot import Bot, BotData
from chatseq.bots.bundle.pairs import write_pairs
from chatseq.bots.contracts import FitData, Scorer
from chatseq.bots.responder import Correction
from chatseq.core.exchange import Exchange
from chatseq.core.plugins import Registry
from chatseq.core.recipe import Recipe
from chatseq.decoding.answers import Answers
from chatseq.engines.contracts import Array, Encoded, Engine, StepOutput
from chatseq.hookspecs import hookimpl
from chatseq.testing.engines import RandomEngine
from chatseq.testing.registry import builtin_registry
from chatseq.testing.responders import ScriptedResponder
from chatseq.testing.strategies import PlainStrategy
from chatseq.testing.tokenizers import LetterTokenizer

# What a responder learns from: two wordings of each question, some that are to be declined.
TAUGHT = tuple(
    Exchange(question, answer, source=f"taught.csv:{line}")
    for line, (question, answer) in enumerate(
        [
            ("hello", "hello there"),
            ("who are you", "i am a bot"),
            ("what can you do", "i answer questions"),
            ("good bye", "see you soon"),
            ("what is the best horse", ""),
            ("will it rain", ""),
            ("hello you", "hello there"),
            ("tell me who you are", "i am a bot"),
            ("what is it you can do", "i answer questions"),
            ("bye bye", "see you soon"),
            ("which horse will win", ""),
            ("how much rain is there", ""),
        ],
        start=2,
    )
)
_HELD_OUT = TAUGHT[::4]


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

    def step(
        self, tokens: Array, state: tuple[Array, ...], memory: tuple[Array, ...]
    ) -> StepOutput:
        """Advance every row by one token."""
        self.calls += 1
        return self._engine.step(tokens, state, memory)

    def array(self, values: object) -> Array:
        """Return an array."""
        return self._engine.array(values)


class _Parts:
    """The plugin of what the bot is made of and chatseq does not bring."""

    @hookimpl
    def chatseq_strategies(self) -> dict[str, object]:
        return {"plain": PlainStrategy}

    @hookimpl
    def chatseq_responders(self) -> dict[str, object]:
        return {"scripted": lambda bot: ScriptedResponder()}  # noqa: ARG005


_PARTS = _Parts()


def babbling_bot(
    engine: Engine | None = None,
    folder: Path | None = None,
    *,
    answers: Answers | None = None,
    corrections: Callable[[], Sequence[Correction]] = tuple,
    plugins: Sequence[object] = (),
) -> Bot:
    """Return a bot that answers every question with some letters, always with the same ones.

    Its registry holds the parts that come with chatseq, by their names.

    Args:
        folder: where its corpus lies, and what its responder learnt
        answers: that it was trained on; without them those of TAUGHT, where it has a folder
        corrections: gives what its users said was right; called for every question
        plugins: modules or objects with hooks, whose parts are in its registry, too
    """
    tokenizer = LetterTokenizer()
    registry = builtin_registry(_PARTS, *plugins) if plugins else _usual_registry()
    recipe = Recipe.model_validate(
        {
            "tokenizer": {"name": "letters"},
            "question": {"features": 0, "max_tokens": 24},
            "model": {"encoder": {"name": "none"}, "decoder": {"name": "none"}},
            "decoding": {"strategy": {"name": "plain"}, "adjusters": [], "max_length": 12},
            "responder": {"name": "scripted"},
        }
    )
    babbler = engine or RandomEngine(vocabulary_size=tokenizer.size, end_bonus=2.0)
    if answers is None and folder is not None:
        answers = Answers(lambda: {one.answer: None for one in TAUGHT})
    data = BotData(
        name="babbler", model="0" * 64, answers=answers, folder=folder, corrections=corrections
    )
    return Bot(registry, recipe, tokenizer, babbler, data)


@cache
def _usual_registry() -> Registry:
    """Return what most bots are made of; put together once."""
    return builtin_registry(_PARTS)


def teach(
    component: Callable[..., Any],
    folder: Path,
    options: Mapping[str, object],
    held_out: Sequence[Exchange] = _HELD_OUT,
) -> Mapping[str, float | None]:
    """Let a responder learn from a few exchanges as training does, and return its figures.

    What it writes lies in the folder then, for `babbling_bot`. One that does not learn has none.

    Args:
        component: the responder, as its plugin names it
        folder: an empty one
    """
    fit = getattr(component, "fit", None)
    if fit is None:
        return {}
    return _teach(lambda data, place: fit(data, place, options), folder, held_out)


def teach_scorer(scorer: Scorer, folder: Path, held_out: Sequence[Exchange] = _HELD_OUT) -> None:
    """Let a scorer learn from a few exchanges as training does; `babbling_bot(folder=...)` has it.

    Corpus, index and numbers of answers lie in the folder as the responder `qa` writes them.

    Args:
        folder: an empty one
    """
    joins: Any = builtin_registry().find("responder", "qa").load()

    def fit(data: FitData, place: Path) -> Mapping[str, float | None]:
        figures: Mapping[str, float | None] = joins.fit(data, place, {"scorers": ["nearest"]})
        scorer.fit(data, place)
        return figures

    _teach(fit, folder, held_out)


def _teach(
    fit: Callable[[FitData, Path], Mapping[str, float | None]],
    folder: Path,
    held_out: Sequence[Exchange],
) -> Mapping[str, float | None]:
    """Fit without what is held out, then on everything; return the figures of the first time."""
    train = [one for one in TAUGHT if one not in held_out]
    with tempfile.TemporaryDirectory() as place:
        part = Path(place) if held_out else folder
        write_pairs(part, train)
        data = FitData(babbling_bot(folder=part), train, held_out, closed=True, seed=0)
        figures = fit(data, part)
        if held_out:
            whole = (*train, *held_out)
            write_pairs(folder, whole)
            bot = babbling_bot(folder=folder)
            fit(FitData(bot, whole, (), closed=True, seed=0, fitted=part), folder)
    return figures
