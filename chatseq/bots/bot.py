"""A trained bot, ready to answer: its recipe, tokenizer, engine, strategy and responder together.

torch is imported only when the recipe's engine is `torch`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from pathlib import Path

from chatseq.bots.bundle import Bundle, default_bot, find_bot, use_bundle
from chatseq.bots.contracts import Correction, Responder
from chatseq.core.errors import BundleError, RecipeError
from chatseq.core.options import build_part
from chatseq.core.plugins import Registry
from chatseq.core.recipe import Recipe
from chatseq.decoding.answers import Answers
from chatseq.decoding.contracts import Adjuster, Strategy
from chatseq.decoding.growing_text import stops_of
from chatseq.decoding.search import Decoding
from chatseq.engines.contracts import Engine
from chatseq.engines.load import load_engine
from chatseq.text.question_encoder import Question, QuestionEncoder, pad_questions
from chatseq.text.tokenizer import Tokenizer

# What may change after training; the rest is in the weights and the graphs.
_CHANGEABLE = ("decoding", "engine", "responder")
_FIXED = ("engine.precision",)


class Bot:
    """A trained bot; `responder` answers, the other attributes are for those who build on it."""

    def __init__(
        self,
        registry: Registry,
        recipe: Recipe,
        tokenizer: Tokenizer,
        engine: Engine,
        *,
        name: str = "",
        model: str = "",
        answers: Answers | None = None,
        folder: Path | None = None,
        corrections: Callable[[], Sequence[Correction]] = tuple,
    ) -> None:
        """Put a bot together.

        Args:
            model: the checksum of the weights
            answers: that it was trained on; for strategies that say nothing else
            folder: where the corpus lies that it was trained on, and what its responder learnt
            corrections: gives what its users said was right; called for every question

        Raises:
            PartError: the recipe names a part or an option that does not exist.
        """
        self.name, self.model = name, model
        self.registry, self.recipe = registry, recipe
        self.tokenizer, self.engine, self.answers = tokenizer, engine, answers
        self.folder, self.corrections = folder, corrections
        self.reader = question_encoder(recipe, tokenizer)
        decoding = recipe.decoding
        where = f"in the bot '{name}' [decoding.%s]"
        self.strategy: Strategy = build_part(
            registry, "strategy", decoding.strategy, where=where % "strategy"
        )
        self.adjusters: list[Adjuster] = [
            build_part(registry, "adjuster", adjuster, where=where % "adjusters")
            for adjuster in decoding.adjusters
        ]
        self.stops = stops_of(self.adjusters)  # strings at which replies end

    @cached_property
    def responder(self) -> Responder:
        """What answers; built when it is first asked for.

        Raises:
            PartError: the recipe names a responder or an option of it that does not exist.
        """
        place = f"in the bot '{self.name}' [responder]"
        responder: Responder = build_part(
            self.registry, "responder", self.recipe.responder, self, where=place
        )
        return responder

    @property
    def strategy_name(self) -> str:
        """The name of the decoding strategy."""
        return str(self.recipe.decoding.strategy["name"])

    def search(self, questions: Sequence[Question], *, seed: int = 0) -> Decoding:
        """Begin to search for replies; nothing is generated before the first step is taken."""
        return Decoding(
            self.engine,
            pad_questions(questions, self.reader.features),
            self.strategy,
            self.adjusters,
            max_length=self.recipe.decoding.max_length,
            seed=seed,
            tokenizer=self.tokenizer,
            answers=self.answers,
        )

    def with_overrides(self, overrides: Iterable[str], *, where: str = "/set") -> Bot:
        """Return the bot with settings changed, its loaded network shared.

        Raises:
            RecipeError: a setting does not exist, is fixed by training, or belongs to the engine.
            PartError: the settings name a part or an option that does not exist.
        """
        recipe = changed(self.recipe, overrides, where=where)
        if recipe.engine != self.recipe.engine:
            raise RecipeError(
                f"The engine of a loaded bot cannot change. {where}. Start again with: "
                "--set engine.NAME=VALUE"
            )
        return _whole(
            Bot(
                self.registry,
                recipe,
                self.tokenizer,
                self.engine,
                name=self.name,
                model=self.model,
                answers=self.answers,
                folder=self.folder,
                corrections=self.corrections,
            )
        )


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
        recipe = changed(bundle.recipe(), overrides, where=where)
        place = f"in the bot '{bundle.name}' [tokenizer]"
        tokenizer = build_part(registry, "tokenizer", recipe.tokenizer, where=place).load(
            bundle.tokenizer_json()
        )
        engine = load_engine(bundle.folder, recipe, registry, tokenizer.size)
        answers = Answers(bundle.answers)
        return _whole(
            Bot(
                registry,
                recipe,
                tokenizer,
                engine,
                name=bundle.name,
                model=bundle.model,
                answers=answers,
                folder=bundle.data_folder,
                corrections=lambda: corrections(bundle.name),
            )
        )

    return use_bundle(folder, build, registry=registry)


def _whole(bot: Bot) -> Bot:
    """Build the responder now, so that what is wrong with it is told before a question is asked."""
    _ = bot.responder
    return bot


def question_encoder(recipe: Recipe, tokenizer: Tokenizer) -> QuestionEncoder:
    """Return what reads questions as the recipe says."""
    question = recipe.question
    return QuestionEncoder(
        tokenizer,
        fold=question.fold,
        features=question.features,
        buckets=question.feature_buckets,
        max_tokens=question.max_tokens,
        context_turns=question.context_turns,
    )


def changed(recipe: Recipe, overrides: Iterable[str], *, where: str) -> Recipe:
    """Return the recipe of a trained bot with settings changed that may still change.

    Raises:
        RecipeError: a setting does not exist, does not fit or is fixed by training.
    """
    wanted = list(overrides)
    if not wanted:
        return recipe
    new = recipe.apply(wanted, where=where)  # a misspelt setting is told first
    for override in wanted:
        path = override.partition("=")[0].strip()
        if path.split(".")[0] not in _CHANGEABLE or path in _FIXED:
            raise RecipeError(
                f"'{path}' is fixed once a bot is trained. {where} {override}. Change settings "
                f"under {', '.join(_CHANGEABLE)}, or train again: "
                f"chatseq train FILE --set {override}"
            )
    return new


def _default_folder() -> Path:
    name = default_bot()
    if name is None:
        raise BundleError("There is no bot yet. Train one: chatseq train FILE")
    return find_bot(name)
