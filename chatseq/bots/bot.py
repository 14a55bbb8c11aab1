"""A trained bot, ready to answer: recipe, tokenizer, engine, strategy and responder together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from chatseq.bots.filtering import FilteredCorrections, FilteringResponder
from chatseq.bots.overrides import apply_overrides
from chatseq.bots.responder import Correction, Responder
from chatseq.core.errors import ErrorKind, RecipeError
from chatseq.core.options import build_part
from chatseq.core.plugins import Registry
from chatseq.core.recipe import Recipe
from chatseq.decoding.answers import Answers
from chatseq.decoding.build import DecodingParts, build_decoding
from chatseq.decoding.contracts import Adjuster, Strategy
from chatseq.decoding.search import Decoding
from chatseq.engines.contracts import Engine
from chatseq.text.filters import TextFilters
from chatseq.text.question_encoder import Question, QuestionEncoder, pad_questions
from chatseq.text.tokenizer import Tokenizer

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class BotData:
    """What a bot has beside its network: a name, and what it was taught."""

    name: str = ""
    model: str = ""  # the checksum of the weights
    answers: Answers | None = None  # that it was trained on; for strategies that say nothing else
    folder: Path | None = None  # of its corpus, and of what its responder learnt
    corrections: Callable[[], Sequence[Correction]] = tuple  # gives what its users said was right
    opened: dict[type, object] = field(default_factory=dict, compare=False)  # see Bot.opened


@dataclass(frozen=True, eq=False, repr=False)
class Bot:
    """A trained bot; `responder` answers, the other attributes are for those who build on it.

    Its parts are built when they are first asked for, or all together by `built`, and raise a
    PartError when the recipe names a part or an option that does not exist. Whoever reads a
    question past the responder, with `reader`, lets it pass `filters` before.
    """

    registry: Registry
    recipe: Recipe
    tokenizer: Tokenizer
    engine: Engine
    data: BotData = field(default_factory=BotData)

    @property
    def name(self) -> str:
        """The name under which the bot lies."""
        return self.data.name

    @property
    def model(self) -> str:
        """The checksum of the weights, which names this very model."""
        return self.data.model

    @property
    def answers(self) -> Answers | None:
        """The answers that it was trained on."""
        return self.data.answers

    @property
    def folder(self) -> Path | None:
        """Where the corpus lies that it was trained on, and what its responder learnt."""
        return self.data.folder

    def corrections(self) -> Sequence[Correction]:
        """Return what its users said was right, newest first, as it stands now."""
        return self._corrections()

    @cached_property
    def _corrections(self) -> Callable[[], Sequence[Correction]]:
        given = self.data.corrections
        return FilteredCorrections(given, self.filters) if self.filters else given

    @cached_property
    def filters(self) -> TextFilters:
        """What a question passes before anything reads it, as in training."""
        tables, where = self.recipe.question.filters, f"in the bot '{self.name}'"
        return TextFilters.of(self.registry, tables, where=where)

    @cached_property
    def reader(self) -> QuestionEncoder:
        """What reads questions as they were read in training."""
        return question_encoder(self.recipe, self.tokenizer)

    @cached_property
    def decoding(self) -> DecodingParts:
        """What chooses the tokens of its replies."""
        return build_decoding(self.registry, self.recipe, where=f"in the bot '{self.name}'")

    @cached_property
    def responder(self) -> Responder:
        """What answers; questions pass the filters on their way to it."""
        place = f"in the bot '{self.name}' [responder]"
        responder: Responder = build_part(
            self.registry, "responder", self.recipe.responder, self, where=place
        )
        if self.filters:
            return FilteringResponder(responder, self.filters, bot=self.name)
        return responder

    def opened(self, kind: type[T], open_it: Callable[[], T]) -> T:
        """Return what lies in the data folder as a value of a type, opened once for all who ask.

        Args:
            open_it: opens it, when it is first asked for
        """
        if kind not in self.data.opened:
            self.data.opened[kind] = open_it()
        found = self.data.opened[kind]
        assert isinstance(found, kind)  # noqa: S101  (put there two lines above)
        return found

    @property
    def strategy(self) -> Strategy:
        """The decoding strategy."""
        return self.decoding.strategy

    @property
    def adjusters(self) -> tuple[Adjuster, ...]:
        """What changes the scores in front of the strategy, in order."""
        return self.decoding.adjusters

    @property
    def stops(self) -> tuple[str, ...]:
        """The strings at which replies end."""
        return self.decoding.stops

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

    def built(self) -> Bot:
        """Build every part now, so that what is wrong is told before a question is asked.

        Raises:
            PartError: the recipe names a part or an option that does not exist.
        """
        _ = self.filters, self.decoding, self.responder
        return self

    def with_overrides(self, overrides: Iterable[str], *, where: str = "/set") -> Bot:
        """Return the bot with settings changed, its loaded network shared.

        Raises:
            RecipeError: a setting does not exist, is fixed by training, or belongs to the engine.
            PartError: the settings name a part or an option that does not exist.
        """
        recipe = apply_overrides(self.recipe, overrides, where=where)
        if recipe.engine != self.recipe.engine:
            raise RecipeError(
                f"The engine of a loaded bot cannot change. {where}. Start again with: "
                "--set engine.NAME=VALUE",
                kind=ErrorKind.SETTING_FIXED,
                place="engine",
            )
        return replace(self, recipe=recipe).built()


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
