"""The transformer's encoder and decoder: equal to torch's own layers, whatever the options."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from chatseq.core.errors import PartError
from chatseq.core.plugins import Registry
from chatseq.core.recipe import load_recipe
from chatseq.model.build import build_model
from chatseq.model.contracts import Attended, Memory, take
from chatseq_transformer.decoder import TransformerDecoder
from chatseq_transformer.encoder import TransformerEncoder

WIDTH, HEADS, INNER = 8, 2, 12
BATCH, SOURCE, TARGET = 3, 5, 4
LENGTHS = (5, 2, 0)
SMALL = {"hidden_size": WIDTH, "heads": HEADS, "inner_size": INNER}
EVERY = [
    {"positions": positions, "norm": norm, "layers": layers}
    for positions in ("sinusoidal", "learned", "rotary")
    for norm in ("pre", "post")
    for layers in (1, 2)
]


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def mask_of(lengths: tuple[int, ...] = LENGTHS) -> Tensor:
    return torch.arange(SOURCE).unsqueeze(0) < torch.tensor(lengths).unsqueeze(1)


def memory_of(batch: int = BATCH) -> Memory:
    mask = mask_of((5, 2, 3)[:batch])
    return Memory(torch.randn(batch, SOURCE, WIDTH), mask, torch.randn(batch, WIDTH))


class Torchs(nn.Module):
    """torch's own multi-head attention, as an attention of chatseq."""

    output_size = WIDTH

    def __init__(self) -> None:
        super().__init__()
        self.own = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)

    def prepare(self, memory: Memory) -> tuple[Tensor, ...]:
        return memory.states, memory.mask

    def start(self, memory: Memory) -> tuple[Tensor, ...]:
        return ()

    def forward(
        self, query: Tensor, prepared: tuple[Tensor, ...], state: tuple[Tensor, ...]
    ) -> Attended:
        rows = torch.arange(len(prepared[0])).repeat_interleave(len(query) // len(prepared[0]))
        states, mask = take(prepared, rows)
        context, weights = self.own(query, states, states, key_padding_mask=~mask)
        return Attended(context, weights, state)


class Remembering(Torchs):
    """Adds the sum of the queries so far, so that it needs a history."""

    def start(self, memory: Memory) -> tuple[Tensor, ...]:
        zeros = memory.states.new_zeros(len(memory.mask), WIDTH)
        return zeros, zeros + 1

    def forward(
        self, query: Tensor, prepared: tuple[Tensor, ...], state: tuple[Tensor, ...]
    ) -> Attended:
        sums = state[0].unsqueeze(1) + query.cumsum(1)
        counts = state[1].unsqueeze(1) + torch.arange(1, query.shape[1] + 1).view(1, -1, 1)
        context, weights, _ = super().forward(query + sums / counts, prepared, ())
        return Attended(context, weights, (sums[:, -1], counts.expand_as(sums)[:, -1]))


def decoder_of(attention: type[Torchs] = Torchs, **options: Any) -> TransformerDecoder:
    return TransformerDecoder(WIDTH, WIDTH, lambda _: attention(), **{**SMALL, **options}).eval()


def run(decoder: TransformerDecoder, embedded: Tensor, memory: Memory) -> Any:
    with torch.no_grad():
        return decoder(embedded, decoder.start(memory), decoder.prepare(memory))


# torch's own layers.


def shake(module: nn.Module) -> None:
    """Set every parameter to random numbers, biases and norms too."""
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.5)


def copy(target: nn.Module, source: nn.Module, names: dict[str, str]) -> None:
    """Copy weights under other names, and check that none is left out."""
    given = source.state_dict()
    renamed = {}
    for name, tensor in given.items():
        stem = next(stem for stem in names if name.startswith(stem))
        renamed[names[stem] + name.removeprefix(stem)] = tensor
    target.load_state_dict(renamed)


SELF = {"self_attn.in_proj_": "project.", "self_attn.out_proj.": "join."}
INNER_NAMES = {"linear1.": "feed_forward.widen.", "linear2.": "feed_forward.narrow."}


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_an_encoder_layer_equals_torchs(norm: Any) -> None:
    theirs = nn.TransformerEncoderLayer(
        WIDTH, HEADS, INNER, batch_first=True, norm_first=norm == "pre"
    ).eval()
    shake(theirs)
    ours = TransformerEncoder(WIDTH, layers=1, norm=norm, **SMALL).eval()
    names = {stem: f"attention.{name}" for stem, name in SELF.items()} | INNER_NAMES
    names |= {"norm1.": "attention_joint.norm.", "norm2.": "feed_forward_joint.norm."}
    copy(ours.layers[0], theirs, names)
    embedded, mask = torch.randn(2, SOURCE, WIDTH), mask_of((5, 2))
    with torch.no_grad():
        wanted = theirs(ours.enter(embedded, 0).states, src_key_padding_mask=~mask)
        found = ours(embedded, mask, mask.long()).states
        torch.testing.assert_close(found[mask], ours.end(wanted)[mask], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_a_decoder_layer_equals_torchs(norm: Any) -> None:
    theirs = nn.TransformerDecoderLayer(
        WIDTH, HEADS, INNER, batch_first=True, norm_first=norm == "pre"
    ).eval()
    shake(theirs)
    ours = decoder_of(layers=1, norm=norm)
    names = {stem: f"self_attention.{name}" for stem, name in SELF.items()} | INNER_NAMES
    joints = {"norm1.": "own_joint", "norm2.": "question_joint", "norm3.": "inner_joint"}
    names |= {stem: f"{name}.norm." for stem, name in joints.items()}
    names["multihead_attn."] = "attention.own."
    eye = {"join.weight": torch.eye(WIDTH), "join.bias": torch.zeros(WIDTH)}
    theirs.register_module("join", nn.Linear(WIDTH, WIDTH))
    theirs.join.load_state_dict({name.removeprefix("join."): t for name, t in eye.items()})
    copy(ours.layers[0], theirs, names | {"join.": "join."})
    embedded, memory = torch.randn(BATCH, TARGET, WIDTH), memory_of()
    causal = nn.Transformer.generate_square_subsequent_mask(TARGET)
    with torch.no_grad():
        placed = ours.enter(embedded, 0).states
        wanted = theirs(
            placed,
            memory.states,
            tgt_mask=causal,
            tgt_is_causal=True,
            memory_key_padding_mask=~memory.mask,
        )
        found = run(ours, embedded, memory).hidden
        torch.testing.assert_close(found, ours.end(wanted), atol=1e-5, rtol=1e-5)


# The encoder.


@pytest.mark.parametrize("options", EVERY, ids=str)
def test_the_encoder_reads_a_row_as_if_it_were_alone(options: dict[str, Any]) -> None:
    encoder = TransformerEncoder(6, **SMALL, **options).eval()
    embedded, mask = torch.randn(BATCH, SOURCE, 6), mask_of()
    with torch.no_grad():
        memory = encoder(embedded.masked_fill(~mask.unsqueeze(2), 1e3), mask, mask.long())
        for row, length in enumerate(LENGTHS[:2]):
            alone = mask[row : row + 1, :length]
            found = encoder(embedded[row : row + 1, :length], alone, alone.long())
            torch.testing.assert_close(found.states[0], memory.states[row, :length])
            torch.testing.assert_close(memory.summary[row], found.states[0].mean(0))
    assert not memory.states[~mask].any()
    assert not memory.summary[2].any()  # of a row that is all padding


@pytest.mark.parametrize("positions", ["sinusoidal", "learned", "rotary"])
def test_the_order_of_the_tokens_matters(positions: Any) -> None:
    encoder = TransformerEncoder(WIDTH, layers=1, positions=positions, **SMALL).eval()
    embedded, mask = torch.randn(1, SOURCE, WIDTH), torch.ones(1, SOURCE, dtype=torch.bool)
    with torch.no_grad():
        there = encoder(embedded, mask, mask.long()).states
        back = encoder(embedded.flip(1), mask, mask.long()).states.flip(1)
    assert not torch.allclose(there, back, atol=1e-3)


def test_questions_longer_than_the_learnt_positions_are_read() -> None:
    encoder = TransformerEncoder(WIDTH, positions="learned", max_positions=2, **SMALL)
    mask = torch.ones(1, SOURCE, dtype=torch.bool)
    assert encoder(torch.randn(1, SOURCE, WIDTH), mask, mask.long()).states.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_few_bits_are_enough_for_rows_of_padding(dtype: torch.dtype) -> None:
    encoder = TransformerEncoder(WIDTH, **SMALL).eval().to(dtype)
    embedded = torch.randn(BATCH, SOURCE, WIDTH, dtype=dtype) * 100
    with torch.no_grad():
        memory = encoder(embedded, mask_of(), mask_of().long())
    assert memory.states.dtype == dtype
    assert memory.states.isfinite().all()


# The decoder.


@pytest.mark.parametrize("attention", [Torchs, Remembering])
@pytest.mark.parametrize("options", EVERY, ids=str)
def test_the_whole_target_equals_any_cut_into_steps(
    options: dict[str, Any], attention: type[Torchs]
) -> None:
    decoder, memory = decoder_of(attention, **options), memory_of()
    embedded = torch.randn(BATCH, TARGET, WIDTH)
    whole = run(decoder, embedded, memory)
    for cuts in ([1, 1, 1, 1], [2, 2], [1, 3], [3, 1]):
        state, prepared, first = decoder.start(memory), decoder.prepare(memory), 0
        for steps in cuts:
            with torch.no_grad():
                now = decoder(embedded[:, first : first + steps], state, prepared)
            wanted = whole.hidden[:, first : first + steps]
            torch.testing.assert_close(now.hidden, wanted, atol=1e-5, rtol=1e-5)
            state, first = now.state, first + steps
        for one, other in zip(state, whole.state, strict=True):
            torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


def test_the_state_begins_empty_and_grows_with_the_steps() -> None:
    decoder, memory = decoder_of(layers=2), memory_of()
    state = decoder.start(memory)
    assert [tuple(part.shape) for part in state] == [(BATCH, 2 * HEADS, 0, 4)] * 2
    for steps in (1, 2):
        embedded = torch.randn(BATCH, 1, WIDTH)
        state = decoder(embedded, state, decoder.prepare(memory)).state
        assert [tuple(part.shape) for part in state] == [(BATCH, 2 * HEADS, steps, 4)] * 2


def test_each_layer_has_an_attention_with_a_history_of_its_own() -> None:
    decoder, memory = decoder_of(Remembering, layers=2), memory_of()
    state = run(decoder, torch.randn(BATCH, 1, WIDTH), memory).state
    assert len(state) == 2 + 2 * 2
    assert not torch.allclose(state[2], state[4])  # sums of the queries of different layers
    assert torch.equal(state[3], state[5])  # counts
    assert (state[3] == 2).all()


class Pointing(Torchs):
    """Puts all weight on one token, another one in each layer."""

    made = 0

    def __init__(self) -> None:
        super().__init__()
        self.place = Pointing.made = Pointing.made + 1

    def forward(
        self, query: Tensor, prepared: tuple[Tensor, ...], state: tuple[Tensor, ...]
    ) -> Attended:
        found = super().forward(query, prepared, state)
        weights = torch.zeros_like(found.weights)
        weights[:, :, self.place] = 1.0
        return found._replace(weights=weights)


def test_the_weights_are_the_mean_of_all_layers() -> None:
    Pointing.made = 0
    weights = run(decoder_of(Pointing, layers=2), torch.randn(BATCH, 1, WIDTH), memory_of()).weights
    assert weights[0, 0].tolist() == [0.0, 0.5, 0.5, 0.0, 0.0]


def test_rows_of_a_source_share_its_memory() -> None:
    decoder, memory = decoder_of(Remembering, layers=2), memory_of()
    rows = torch.arange(BATCH).repeat_interleave(2)
    embedded, state = torch.randn(2 * BATCH, 1, WIDTH), take(decoder.start(memory), rows)
    with torch.no_grad():
        shared = decoder(embedded, state, decoder.prepare(memory))
        repeated = decoder(embedded, state, decoder.prepare(take(memory, rows)))
    torch.testing.assert_close(shared.hidden, repeated.hidden)


def test_dropout_acts_only_while_learning() -> None:
    decoder, memory = decoder_of(dropout=0.5), memory_of()
    embedded = torch.randn(BATCH, TARGET, WIDTH)
    assert torch.equal(*(run(decoder, embedded, memory).hidden for _ in range(2)))
    decoder.train()
    assert not torch.equal(*(run(decoder, embedded, memory).hidden for _ in range(2)))


# Options.


def test_the_input_may_be_of_another_width_and_the_inner_one_is_twice_the_hidden() -> None:
    decoder = TransformerDecoder(5, WIDTH, lambda _: Torchs(), hidden_size=WIDTH)
    assert run(decoder, torch.randn(BATCH, 2, 5), memory_of()).hidden.shape == (BATCH, 2, WIDTH)
    assert decoder.layers[0].feed_forward.widen.out_features == 2 * WIDTH


def test_a_decoder_without_an_attention_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no attention is named. Set model\.attention\.name=mult"):
        TransformerDecoder(WIDTH, WIDTH, None)


def test_the_refusal_names_the_part(registry: Registry) -> None:
    recipe = load_recipe("tiny").apply(["model.decoder.name=transformer", "model.attention=none"])
    with pytest.raises(PartError, match=r"decoder 'transformer' .*\[model.decoder\]: it attends"):
        build_model(registry, recipe, 70)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"hidden_size": 30}, r"hidden_size \(30\) must be a multiple of heads \(4\). .* 28 or 32"),
        ({"hidden_size": 3}, r"hidden_size \(3\) must be a multiple of heads \(4\). Set it to 4"),
        ({"hidden_size": 0}, r"hidden_size \(0\) must be at least 1"),
        ({"layers": 0}, r"layers \(0\) must be at least 1. Set it to 2 or 3"),
        ({"heads": 0}, r"heads \(0\) must be at least 1. Set it to 4"),
        ({"inner_size": 0}, r"inner_size \(0\) must be at least 1. Set it to 256"),
        ({"dropout": 1.0}, r"dropout \(1.0\) must be from 0 to below 1. Set it to 0.1"),
        ({"positions": "learned", "max_positions": 0}, r"max_positions \(0\) must be .* to 512"),
        (
            {"positions": "rotary", "hidden_size": 12},
            r"a head is 3 wide. Set hidden_size / heads to an even number, such as 4, or pos",
        ),
    ],
)
def test_values_that_do_not_fit_are_refused(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        TransformerEncoder(WIDTH, **options)
    with pytest.raises(ValueError, match=told):
        TransformerDecoder(WIDTH, WIDTH, lambda _: Torchs(), **options)
