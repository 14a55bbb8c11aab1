"""Every installed encoder, attention and decoder keeps the contract, in several options."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from chatseq.model.contracts import Attended, Memory, take
from chatseq.model.testing import MEMORY, check_attention, check_decoder, check_encoder
from chatseq.options import options_of
from chatseq.plugins import discover

PARTS = discover()


def names(kind: str) -> list[str]:
    return list(PARTS.parts(kind))


def attention_maker(name: str) -> Any:
    component = PARTS.find("attention", name).load()
    return lambda query_size: component(query_size, MEMORY)


def test_there_are_parts_of_every_kind() -> None:
    assert {"gru", "lstm"} <= set(names("encoder"))
    assert {"dot", "general", "additive"} <= set(names("attention"))
    assert {"gru", "lstm", "gru-context", "lstm-context"} <= set(names("decoder"))


@pytest.mark.parametrize("name", names("encoder"))
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("bidirectional", [True, False])
def test_every_encoder_keeps_the_contract(name: str, layers: int, bidirectional: bool) -> None:
    make = PARTS.find("encoder", name).load()
    wanted = {"hidden_size": 4, "layers": layers, "bidirectional": bidirectional}
    options = {option: value for option, value in wanted.items() if option in options_of(make)}
    check_encoder(lambda size: make(size, **options))


@pytest.mark.parametrize("name", names("attention"))
def test_every_attention_keeps_the_contract(name: str) -> None:
    check_attention(PARTS.find("attention", name).load())


@pytest.mark.parametrize("attention", names("attention"))
@pytest.mark.parametrize("name", [n for n in names("decoder") if not n.endswith("-context")])
@pytest.mark.parametrize("layers", [1, 2])
def test_every_attending_decoder_keeps_the_contract(name: str, attention: str, layers: int) -> None:
    make = PARTS.find("decoder", name).load()
    check_decoder(
        lambda *sizes: make(*sizes, hidden_size=8, layers=layers),
        attention_maker(attention),
    )


@pytest.mark.parametrize("name", [n for n in names("decoder") if n.endswith("-context")])
@pytest.mark.parametrize("layers", [1, 2])
def test_every_context_decoder_keeps_the_contract(name: str, layers: int) -> None:
    make = PARTS.find("decoder", name).load()
    check_decoder(lambda *sizes: make(*sizes, hidden_size=8, layers=layers), None)


# The checks themselves find faults.


class Faulty(nn.Module):
    """A uniform attention, right until something is spoilt."""

    output_size = 8

    def __init__(self, spoil: Callable[[Attended], Attended], learns: bool = False) -> None:
        super().__init__()
        self.spoil = spoil
        if learns:
            self.unused = nn.Parameter(torch.ones(2))

    def prepare(self, memory: Memory) -> tuple[Tensor, ...]:
        return memory.states, memory.mask

    def start(self, memory: Memory) -> tuple[Tensor, ...]:
        return ()

    def forward(
        self, query: Tensor, prepared: tuple[Tensor, ...], state: tuple[Tensor, ...]
    ) -> Attended:
        states, mask = prepared
        share = mask / mask.sum(1, keepdim=True).clamp(min=1)  # (batch, source)
        k = query.shape[0] // states.shape[0]
        weights = share.repeat_interleave(k, 0).unsqueeze(1).expand(-1, query.shape[1], -1)
        context = weights @ states.repeat_interleave(k, 0)
        return self.spoil(Attended(context, weights, state))


def test_an_honest_attention_passes_the_check() -> None:
    check_attention(lambda *_: Faulty(lambda found: found))


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda f: f._replace(context=f.context[..., :3]), "context is of shape"),
        (lambda f: f._replace(weights=f.weights * 0.5), "do not sum to 1"),
        (lambda f: f._replace(weights=f.weights + 0.1), "padding has weight"),
        (lambda f: f._replace(context=f.context + f.context.shape[1]), "step by step"),
    ],
)
def test_the_check_names_what_is_wrong(spoil: Callable[[Attended], Attended], told: str) -> None:
    with pytest.raises(AssertionError, match=told):
        check_attention(lambda *_: Faulty(spoil))


class MixesUpBeams(Faulty):
    """Gives the first row of each source to all rows of the batch in turn."""

    def forward(
        self, query: Tensor, prepared: tuple[Tensor, ...], state: tuple[Tensor, ...]
    ) -> Attended:
        batch = prepared[0].shape[0]
        order = torch.arange(query.shape[0]).view(batch, -1).t().flatten()
        return Attended(*take(super().forward(query, prepared, state)[:2], order), state)


def test_an_attention_that_mixes_up_beams_is_found() -> None:
    with pytest.raises(AssertionError, match="repeated memory"):
        check_attention(lambda *_: MixesUpBeams(lambda found: found))


def test_a_parameter_without_gradient_is_found() -> None:
    with pytest.raises(AssertionError, match="no gradient reaches unused"):
        check_attention(lambda *_: Faulty(lambda found: found, learns=True))
