"""Recipes: everything that decides how a bot is made, as one checked value and one TOML file.

A part is a table with a `name`; its other keys are the part's options. `apply` overrides single
values by path, as `--set training.seed=7` does. The resolved recipe is stored with the weights.
"""

from __future__ import annotations

import re
import tomllib
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from chatseq.core.errors import ErrorKind, OldName, RecipeError, did_you_mean, nearest
from chatseq.core.exchange import MOST_CONTEXT_TURNS
from chatseq.core.options import check_part
from chatseq.core.plugins import Registry

RECIPES = Path(__file__).parents[1] / "recipes"

RESPONDER, OLD_RESPONDER = "responder", "qa"  # the section, and what it was called in 0.1.0

Table = dict[str, Any]
Named = Annotated[Table, Field(min_length=1)]  # {"name": ..., option: value}


def _device(word: str) -> str:
    if re.fullmatch(r"auto|cpu|cuda(:\d+)?", word, re.ASCII) is None:
        raise PydanticCustomError("device", "a device is auto, cpu, cuda or cuda:N, as cuda:1")
    return word


Device = Annotated[str, AfterValidator(_device)]


class Section(BaseModel):
    """A part of a recipe: frozen, and strict about its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DataSection(Section):
    """Which exchanges are learnt from."""

    validation_share: float = Field(default=0.1, ge=0, lt=1)  # of the distinct questions
    max_answer_tokens: int = Field(
        default=64, ge=2
    )  # exchanges with longer answers are left out, counted


class QuestionSection(Section):
    """How the encoder reads a question; see chatseq.text.question_encoder."""

    # What a question and its earlier turns pass first, in training and when asked; in this order.
    filters: tuple[Named, ...] = ()
    fold: bool = True  # read upper and lower case, width variants and quotes alike
    features: int = Field(default=24, ge=0)  # hashed n-grams a token at most; 0: none
    feature_buckets: int = Field(default=8192, ge=2)  # rows of their table
    max_tokens: int = Field(default=64, ge=2)  # longer questions are cut; context is counted
    # Earlier turns that are read before the question, at most as many as a corpus reader keeps.
    context_turns: int = Field(default=0, ge=0, le=MOST_CONTEXT_TURNS)


class ModelSection(Section):
    """The network."""

    embedding_size: int = Field(default=128, ge=1)
    dropout: float = Field(
        default=0.3, ge=0, lt=1
    )  # on embeddings and in front of the output layer
    pretrained: str | None = None  # file of word vectors that embeddings begin with
    # Add a vector of how many turns back a token was said; nothing without question.context_turns.
    turn_vectors: bool = False
    encoder: Named
    attention: Table | None = None  # None for decoders that only have the context vector
    decoder: Named
    output: Named = {"name": "tied"}


class TrainingSection(Section):
    """How the weights are found."""

    seed: int = Field(default=0, ge=0)
    max_epochs: int = Field(default=12, ge=1)
    min_steps: int = Field(default=0, ge=0)  # a small corpus is gone through more often for it
    minutes: float | None = Field(default=None, gt=0)  # wall clock; None: no limit
    batch_tokens: int = Field(
        default=2048, ge=1
    )  # question + answer tokens of a batch, padding counted
    learning_rate: float = Field(default=2e-3, gt=0)  # the highest, after the warm-up
    warmup_share: float = Field(default=0.1, ge=0, le=1)  # of all steps
    schedule: Literal["cosine", "linear", "constant", "inverse-sqrt", "exponential", "step"] = (
        "cosine"  # how the rate goes on after the warm-up
    )
    weight_decay: float = Field(default=0.01, ge=0)
    clip: float = Field(default=1.0, gt=0)  # largest norm of the gradient
    label_smoothing: float = Field(default=0.1, ge=0, lt=1)
    word_dropout: float = Field(
        default=0.0, ge=0, lt=1
    )  # share of question tokens left out at random
    subword_dropout: float = Field(default=0.0, ge=0, lt=1)  # share of merges left out at random
    typos: float = Field(default=0.0, ge=0, le=1)  # share of question words with a typing mistake
    word_swaps: float = Field(default=0.0, ge=0, le=1)  # share of questions in another word order
    scheduled_sampling: float = Field(
        default=0.0, ge=0, le=1
    )  # share of answer tokens fed in that are the model's own, at the end; 0: true ones alone
    sampling_rise: Literal["linear", "exponential", "sigmoid"] = "linear"  # to that share, from 0
    sampling_choice: Literal["sample", "argmax"] = "sample"  # which of its own tokens
    coverage_loss: float = Field(default=0.0, ge=0)  # weight; against looking at the same twice
    # Weight; against answering otherwise when other numbers are dropped out. A step takes longer.
    consistency_loss: float = Field(default=0.0, ge=0)
    ema: float = Field(default=0.0, ge=0, lt=1)  # decay of averaged weights; 0: the last weights
    validations: int = Field(default=10, ge=1)  # how often the validation part is looked at, in all
    patience: int = Field(default=5, ge=1)  # validations without improvement before stopping
    device: Device = "auto"  # auto: a GPU where torch sees one; see chatseq.engines.device
    # What forward pass and loss are calculated in; weights, sums and the optimiser stay in fp32.
    precision: Literal["fp32", "bf16"] = "fp32"
    # Of the processor; 0: all, or with a limit of time as many as just then learn fastest.
    threads: int = Field(default=1, ge=0)
    checkpoint_seconds: float = Field(default=30.0, gt=0)  # between checkpoints


class DecodingSection(Section):
    """How replies are searched for."""

    strategy: Named = {"name": "greedy"}
    adjusters: tuple[Named, ...] = ({"name": "ngram-block"},)
    max_length: int = Field(default=64, ge=1)  # tokens, the end mark counted


class EngineSection(Section):
    """How the network is executed when it chats."""

    name: Literal["onnx", "torch"] = "onnx"
    precision: Literal["fp32", "int8"] = "fp32"
    device: Device = "auto"  # auto: a GPU where this engine can use one
    threads: int = Field(default=1, ge=1)


class Recipe(Section):
    """Everything that decides how a bot is made and how it answers."""

    data: DataSection = DataSection()
    tokenizer: Named = {"name": "subword"}
    question: QuestionSection = QuestionSection()
    model: ModelSection
    training: TrainingSection = TrainingSection()
    decoding: DecodingSection = DecodingSection()
    engine: EngineSection = EngineSection()
    responder: Named = {"name": "qa"}  # what answers

    def apply(self, overrides: Iterable[str], *, where: str = "--set") -> Recipe:
        """Return the recipe with values replaced by `path=value`, the value read as TOML.

        A new `name` for a part drops the options of the part it replaces. An attention of
        `none` takes it out.

        Raises:
            RecipeError: a path does not exist or a value does not fit.
        """
        values = self.model_dump()
        for override in map(renamed, overrides):
            path, equals, text = override.partition("=")
            if not equals or not path.strip():
                raise RecipeError(
                    f"'{override}' is no setting. Write {where} path=value, "
                    "for example training.seed=7.",
                    kind=ErrorKind.SETTING_INVALID,
                    place=override.strip(),
                )
            _put(values, path.strip().split("."), _value(text.strip()), f"{where} {path.strip()}")
        return _checked(values, where)

    def check(self, registry: Registry, where: str) -> None:
        """Check that every part exists and takes its options, without building any.

        Raises:
            PartError: a part or an option is not known.
        """
        for kind, key, table in self.parts():
            check_part(registry, kind, table, where=f"in {where} [{key}]")

    def parts(self) -> Iterable[tuple[str, str, Table]]:
        """Yield each part that the recipe names: its kind, its key and its table."""
        for each in self.question.filters:
            yield "text-filter", "question.filters", each
        yield "tokenizer", "tokenizer", self.tokenizer
        yield "encoder", "model.encoder", self.model.encoder
        if self.model.attention is not None:
            yield "attention", "model.attention", self.model.attention
        yield "decoder", "model.decoder", self.model.decoder
        yield "output", "model.output", self.model.output
        yield "strategy", "decoding.strategy", self.decoding.strategy
        for adjuster in self.decoding.adjusters:
            yield "adjuster", "decoding.adjusters", adjuster
        yield "responder", "responder", self.responder

    def to_toml(self) -> str:
        """Return the recipe as a TOML file with every value written out."""
        import tomlkit

        return tomlkit.dumps(_without_none(self.model_dump(mode="json")))


def recipe_names() -> list[str]:
    """Return the names of the recipes that come with chatseq."""
    return sorted(file.stem for file in RECIPES.glob("*.toml"))


def load_recipe(name_or_file: str) -> Recipe:
    """Return a recipe by its name or from a TOML file.

    Raises:
        RecipeError: there is no such recipe, or it is not one.
    """
    file = Path(name_or_file)
    if file.suffix != ".toml":
        file = RECIPES / f"{name_or_file}.toml"
        if not file.is_file():
            names = recipe_names()
            hint = did_you_mean(name_or_file, names)
            raise RecipeError(
                f"No recipe named '{name_or_file}'.{hint} A file must end in .toml.",
                kind=ErrorKind.RECIPE_NOT_FOUND,
                place=name_or_file,
                choices=nearest(name_or_file, names),
            )
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        told = f"Cannot read the recipe {file}: {fault}. Check the path."
        raise RecipeError(told, kind=ErrorKind.RECIPE_NOT_FOUND, place=str(file)) from fault
    return parse_recipe(text, file.name)


def parse_recipe(text: str, where: str, *, tell_old: bool = True) -> Recipe:
    """Return the recipe in a TOML text.

    Args:
        tell_old: warn of names that have changed; not where nobody can change them, as in a bundle

    Raises:
        RecipeError: it is not TOML or holds a wrong key or value.
    """
    try:
        values = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as fault:
        told = f"{where} is not valid TOML: {fault}. Mend that line."
        raise RecipeError(told, place=where) from fault
    if OLD_RESPONDER in values and RESPONDER not in values:
        values[RESPONDER] = values.pop(OLD_RESPONDER)
        if tell_old:
            _tell_old(f"[{OLD_RESPONDER}]", f"[{RESPONDER}]")
    return _checked(values, where)


def renamed(override: str) -> str:
    """Return an override with the present name of its section."""
    head, dot, rest = override.lstrip().partition(".")
    if not dot or head != OLD_RESPONDER:
        return override
    _tell_old(f"{OLD_RESPONDER}.", f"{RESPONDER}.")
    return f"{RESPONDER}.{rest}"


def _tell_old(old: str, new: str) -> None:
    warnings.warn(f"'{old}' is now called '{new}'; the old name still works.", OldName, 2)


def _checked(values: Mapping[str, Any], where: str) -> Recipe:
    try:
        return Recipe.model_validate(values)
    except ValidationError as fault:
        raise _told(fault, where) from fault


def _told(fault: ValidationError, where: str) -> RecipeError:
    """Return the first mistake as a line with its key path."""
    error = fault.errors()[0]
    path = [str(key) for key in error["loc"]]
    key_path, invalid = ".".join(path), ErrorKind.SETTING_INVALID
    if error["type"] == "extra_forbidden":
        section = ".".join(path[:-1])
        return _unknown(path, path[-1], f"{where} [{section}]" if section else where)
    if error["type"] == "missing":
        return RecipeError(f"{where} lacks [{key_path}]. Add it.", kind=invalid, place=key_path)
    told = f"{key_path} cannot be {error['input']!r} in {where}: {error['msg']}. Change it."
    return RecipeError(told, kind=invalid, place=key_path)


def _unknown(path: list[str], shown: str, where: str) -> RecipeError:
    """Return the error about a key path whose last key does not exist."""
    known = _keys(path[:-1])
    return RecipeError(
        f"No setting named '{shown}' in {where}.{did_you_mean(path[-1], known)}",
        kind=ErrorKind.SETTING_UNKNOWN,
        place=".".join(path),
        choices=nearest(path[-1], known),
    )


def _keys(path: list[str]) -> list[str]:
    """Return the keys of the section at a path."""
    section: Any = Recipe
    for key in path:
        fields = getattr(section, "model_fields", {})
        section = fields[key].annotation if key in fields else None
    return list(getattr(section, "model_fields", {}))


def _put(values: Table, path: list[str], value: Any, where: str) -> None:
    *outer, last = path
    table: Any = values
    for depth, key in enumerate(outer):
        inner = table.get(key) if isinstance(table, dict) else None
        if inner is None and key == "attention":
            inner = table[key] = {}
        if not isinstance(inner, dict):
            raise _unknown(path[: depth + 1], ".".join(path), where)
        table = inner
    if last == "name" and table.get("name", value) != value:
        table.clear()  # another part takes other options
    if value == "none" and "attention" in path:
        values["model"]["attention"] = None
        return
    table[last] = value


def _value(text: str) -> Any:
    """Read a value as TOML, or as a plain string where it is none."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError):
        return text


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(inner) for key, inner in value.items() if inner is not None}
    return value
