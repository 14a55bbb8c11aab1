"""Mixes of parts that make no sense are refused before training, with the parts and a reason."""

from __future__ import annotations

import re
import time
import types
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from chatseq.core.errors import ChatseqError, PartError, RecipeError
from chatseq.core.exchange import Exchange
from chatseq.core.plugins import Plugin, Registry, discover
from chatseq.core.recipe import Recipe, load_recipe, recipe_names
from chatseq.hookspecs import hookimpl
from chatseq.model.compatibility import check_compatibility
from chatseq.model.contracts import Attended, Decoded, Memory
from chatseq.training.job import prepare
from chatseq_attention.multiplicative import DotAttention
from chatseq_output.tied import TiedOutput
from chatseq_rnn.context_vector import GruContextDecoder
from chatseq_rnn.encoder import GruEncoder

WITHOUT_ATTENTION = ("model.attention=none", "model.decoder.name=gru-context")


def recipe(*settings: str) -> Recipe:
    return load_recipe("tiny").apply(
        [
            "model.embedding_size=8",
            "model.encoder.hidden_size=6",
            "model.decoder.hidden_size=12",
            *settings,
        ]
    )


def with_part(kind: str, component: type) -> Registry:
    """The installed plugins, and one with a part named 'mine'."""
    module = types.ModuleType("mine")
    hook: Callable[[], dict[str, Any]] = lambda: {"mine": component}  # noqa: E731
    setattr(module, f"chatseq_{kind}s", hookimpl(hook))
    registry = discover()
    registry.add(Plugin("mine", module))
    return registry


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_fits_in_little_time(registry: Registry, name: str) -> None:
    made = load_recipe(name)

    def seconds() -> float:
        started = time.process_time()
        check_compatibility(registry, made)
        return time.process_time() - started

    assert min(seconds() for _ in range(3)) < 0.3


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (["model.attention=none"], r"no attention is named. Set model.attention.name=general"),
        (["model.decoder.name=gru-context"], "cannot use an attention. Set model.attention=none"),
        (["model.attention.name=dot", "model.decoder.hidden_size=10"], "hidden_size=12"),
        (["model.encoder.layers=0"], r"layers \(0\) must be at least 1"),
    ],
)
def test_what_a_part_refuses_is_told(registry: Registry, settings: list[str], told: str) -> None:
    with pytest.raises(PartError, match=told):
        check_compatibility(registry, recipe(*settings))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (["model.attention=none"], "no attention is named"),
        (["decoding.strategy.name=beam", "decoding.strategy.size=0"], r"The strategy 'beam' can"),
        (["decoding.adjusters=[{name='ngram-block', size=0}]"], "The adjuster 'ngram-block' can"),
    ],
)
def test_it_is_told_before_a_tokenizer_is_learnt(
    registry: Registry, settings: list[str], told: str
) -> None:
    unreadable = [Exchange(None, None)]  # type: ignore[arg-type]  # would fail when it is read
    with pytest.raises(PartError, match=told):
        prepare(registry, unreadable, recipe(*settings), name="x")


class CrampedEncoder(GruEncoder):
    """Promises another width than it has."""

    def __init__(self, input_size: int) -> None:
        super().__init__(input_size, hidden_size=4)
        self.output_size = 6


class NarrowSummary(GruEncoder):
    def __init__(self, input_size: int) -> None:
        super().__init__(input_size, hidden_size=4)

    def forward(self, embedded: Tensor, mask: Tensor, turns: Tensor) -> Memory:
        memory = super().forward(embedded, mask, turns)
        return memory._replace(summary=memory.summary[:, :5])


class OneRowAttention(DotAttention):
    """Takes a question for its first token."""

    def __init__(self, query_size: int, memory_size: int) -> None:
        super().__init__(query_size, query_size)
        self.output_size = memory_size

    def forward(
        self, query: Tensor, prepared: tuple[Tensor, ...], state: tuple[Tensor, ...]
    ) -> Attended:
        found = super().forward(query, prepared, state)
        return found._replace(weights=found.weights[:, :, :1])


class WideAttention(OneRowAttention):
    """Multiplies what cannot be multiplied."""

    def prepare(self, memory: Memory) -> tuple[Tensor, ...]:
        return super().prepare(memory._replace(states=memory.states[:, :, :5]))


class FlatDecoder(GruContextDecoder):
    def forward(
        self, embedded: Tensor, state: tuple[Tensor, ...], prepared: tuple[Tensor, ...]
    ) -> Decoded:
        found = super().forward(embedded, state, prepared)
        return found._replace(hidden=found.hidden[:, 0])


class SilentOutput(TiedOutput):
    def loss(self, *given: object, **named: object) -> Tensor:
        raise KeyError


class ShortOutput(TiedOutput):
    def forward(self, *given: Any) -> Tensor:
        return super().forward(*given)[:, 1:]


@pytest.mark.parametrize(
    ("kind", "component", "settings", "told"),
    [
        ("encoder", CrampedEncoder, (), (r"The encoder 'mine' made states of the shape (2, 5, 8) "
         r"in [model], where (2, 5, 6) is needed. Choose another part, or mend it: chatseq plug")),
        ("encoder", NarrowSummary, (), r"The encoder 'mine' made a summary of the shape (2, 5) "),
        ("attention", OneRowAttention, (), ("The decoder 'gru' with the attention 'mine' made "
         "weights of the shape (2, 3, 1) in [model], where (2, 3, 5) is needed.")),
        ("attention", WideAttention, (), ("Trying the decoder 'gru' with the attention 'mine' on "
         "the encoder 'gru' in [model] failed: ")),
        ("decoder", FlatDecoder, ("model.attention=none",), ("The decoder 'mine' made vectors of "
         "the shape (2, 8) in [model], where (2, 3, 8) is needed.")),
        ("output", SilentOutput, (), ("Trying the output 'mine' on the decoder 'gru' with the "
         "attention 'general' in [model] failed: KeyError. Choose other parts or sizes")),
        ("output", ShortOutput, (), "The output 'mine' made log-probabilities of the shape (2, 7)"),
    ],
)  # fmt: skip
def test_what_plugins_mistake_is_told_with_the_parts(
    kind: str, component: type[nn.Module], settings: tuple[str, ...], told: str
) -> None:
    mixed = recipe(*settings, f"model.{kind}.name=mine")
    with pytest.raises(PartError, match=re.escape(told)) as caught:
        check_compatibility(with_part(kind, component), mixed)
    assert "\n" not in str(caught.value)


def test_errors_of_chatseq_are_told_as_they_are() -> None:
    class Particular(GruEncoder):
        def forward(self, embedded: Tensor, mask: Tensor, turns: Tensor) -> Memory:
            raise PartError("Only on Sundays. Come again.")

    with pytest.raises(PartError, match=r"^Only on Sundays"):
        check_compatibility(with_part("encoder", Particular), recipe("model.encoder={name='mine'}"))


def test_a_coverage_loss_without_an_attention_is_refused(registry: Registry) -> None:
    check_compatibility(registry, recipe("training.coverage_loss=0.5"))
    with pytest.raises(RecipeError) as caught:
        check_compatibility(registry, recipe(*WITHOUT_ATTENTION, "training.coverage_loss=0.5"))
    assert str(caught.value) == (
        "training.coverage_loss (0.5) cannot be learnt, since the decoder 'gru-context' gives no "
        "weights of attention. Set it to 0."
    )


def test_trying_uses_no_chance_and_leaves_no_gradient_mode_behind(registry: Registry) -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    check_compatibility(registry, recipe())
    assert torch.equal(torch.get_rng_state(), before)
    with pytest.raises(ChatseqError):
        check_compatibility(registry, recipe("model.attention=none"))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("features", [0, 3])
@pytest.mark.parametrize("settings", [(), WITHOUT_ATTENTION])
def test_mixes_that_make_sense_pass(
    registry: Registry, features: int, settings: tuple[str, ...]
) -> None:
    check_compatibility(registry, recipe(f"question.features={features}", *settings))


def test_copying_what_was_folded_is_told() -> None:
    class Copying(TiedOutput):
        copies = True

    registry = with_part("output", Copying)
    (remark,) = check_compatibility(registry, recipe("model.output.name=mine"))
    assert remark.startswith("The output 'mine' copies words as they are read, which is in lower")
    assert "--set question.fold=false" in remark
    assert (
        check_compatibility(registry, recipe("model.output.name=mine", "question.fold=false")) == ()
    )
    rows = [Exchange("a", "b")]
    assert remark in prepare(registry, rows, recipe("model.output.name=mine"), name="x").remarks
