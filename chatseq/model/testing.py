"""What every encoder, attention and decoder must keep to, as checks that plugin authors can run.

    from chatseq.model.testing import check_attention

    def test_my_attention_keeps_the_contract():
        check_attention(lambda query_size, memory_size: MyAttention(query_size, memory_size))

Each check builds the part in small sizes and raises AssertionError with what is not kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from chatseq.model.contracts import Attention, Decoder, Encoder, MakeAttention, Memory, take

INPUT, MEMORY, QUERY = 6, 8, 8  # widths; memory and query are equal, as a dot product needs
BATCH, SOURCE, TARGET, BEAMS = 3, 5, 4, 2
LENGTHS = (5, 2, 3)  # tokens of each row; the others are padding
CLOSE = 1e-5

MakeEncoder = Callable[[int], Encoder]
MakeDecoder = Callable[[int, int, MakeAttention | None], Decoder]


def check_encoder(make: MakeEncoder) -> None:
    """Check shapes, padding, batches, gradients and extremes of an encoder.

    Args:
        make: from the width of the input
    """
    torch.manual_seed(0)
    encoder = make(INPUT)
    module = _module(encoder, "encoder")
    embedded, mask = torch.randn(BATCH, SOURCE, INPUT), _mask()
    turns = torch.tensor([[1, 1, 0, 0, 0], [1, 0, 0, 0, 0], [0, 0, 0, 0, 0]])
    memory = encoder(embedded, mask, turns)
    _sizes(memory.states, (BATCH, SOURCE, encoder.output_size), "memory.states")
    _sizes(memory.summary, (BATCH, encoder.output_size), "memory.summary")
    _require(torch.equal(memory.mask, mask), "memory.mask is not the mask that was given")
    _require(not memory.states[~mask].any(), "memory.states are not zero at padding")
    for row, length in enumerate(LENGTHS):
        alone = encoder(*(part[row : row + 1, :length] for part in (embedded, mask, turns)))
        what = f"a row of {length} tokens is read otherwise alone than padded in a batch"
        _close(alone.states[0], memory.states[row, :length], what)
        _close(alone.summary[0], memory.summary[row], what)
    noisy = embedded.masked_fill(~mask.unsqueeze(2), 1e3)
    _close(
        encoder(noisy, mask, turns).states,
        memory.states,
        "what stands at padding changes the memory",
    )
    _gradients_reach(module, [memory.states, memory.summary])
    _finite(encoder(embedded * 1e4, mask, turns), "an encoder of very large inputs")
    _finite(
        encoder(embedded, torch.zeros_like(mask), turns), "an encoder of a row that is all padding"
    )


def check_attention(make: Callable[[int, int], Attention]) -> None:
    """Check shapes, weights, beams, steps, gradients and extremes of an attention.

    Args:
        make: from the widths of query and memory
    """
    torch.manual_seed(0)
    attention = make(QUERY, MEMORY)
    module = _module(attention, "attention")
    memory, query = _memory(), torch.randn(BATCH, TARGET, QUERY)
    prepared, state = tuple(attention.prepare(memory)), attention.start(memory)
    found = attention(query, prepared, state)
    _sizes(found.context, (BATCH, TARGET, attention.output_size), "context")
    _sizes(found.weights, (BATCH, TARGET, SOURCE), "weights")
    _require(not found.weights.transpose(1, 2)[~memory.mask].any(), "padding has weight")
    _close(found.weights.sum(2), torch.ones(BATCH, TARGET), "the weights do not sum to 1")
    _check_steps(attention, query, prepared, state, found)
    _check_folding(attention, memory)
    _gradients_reach(module, [found.context])
    _finite(attention(query * 1e4, prepared, state), "an attention of very large queries")
    empty = memory._replace(mask=torch.zeros_like(memory.mask))
    nothing = attention(query, tuple(attention.prepare(empty)), attention.start(empty))
    _finite(nothing, "an attention over a row that is all padding")


def check_decoder(make: MakeDecoder, make_attention: MakeAttention | None) -> None:
    """Check shapes, steps, beams, gradients and extremes of a decoder.

    Args:
        make: from the widths of input and memory, and the maker of attentions
        make_attention: from the width of the query; None for decoders that have only the summary
    """
    torch.manual_seed(0)
    decoder = make(INPUT, MEMORY, make_attention)
    module = _module(decoder, "decoder")
    memory, embedded = _memory(), torch.randn(BATCH, TARGET, INPUT)
    prepared, state = tuple(decoder.prepare(memory)), decoder.start(memory)
    _require(all(tensor.shape[0] == BATCH for tensor in state), "state is not rows first")
    learnt = decoder(embedded, state, prepared)
    _sizes(learnt.hidden, (BATCH, TARGET, decoder.output_size), "hidden")
    _sizes(learnt.weights, (BATCH, TARGET, SOURCE), "weights")
    _gradients_reach(module, [learnt.hidden])
    module.eval()
    whole = decoder(embedded, state, prepared)
    stepwise, after = _decoded_by_steps(decoder, embedded, state, prepared)
    _close(stepwise, whole.hidden, "one step at a time gives otherwise than the whole target")
    for one, other in zip(after, whole.state, strict=True):
        _close(one, other, "the state after single steps differs from that of the whole target")
    _check_decoder_beams(decoder, memory, embedded)
    _finite(decoder(embedded * 1e4, state, prepared), "a decoder of very large inputs")


def _check_steps(
    attention: Attention,
    query: Tensor,
    prepared: tuple[Tensor, ...],
    state: tuple[Tensor, ...],
    whole: Any,
) -> None:
    for step in range(TARGET):
        context, weights, state = attention(query[:, step : step + 1], prepared, state)
        what = "attending step by step gives otherwise than all steps at once"
        _close(context[:, 0], whole.context[:, step], what)
        _close(weights[:, 0], whole.weights[:, step], what)


def _check_folding(attention: Attention, memory: Memory) -> None:
    """Rows of one source share its memory; that must equal a memory repeated for each row."""
    query = torch.randn(BATCH * BEAMS, TARGET, QUERY)
    rows = _beam_rows()
    folded = attention(query, tuple(attention.prepare(memory)), take(attention.start(memory), rows))
    repeated = take(memory, rows)
    plain = attention(query, tuple(attention.prepare(repeated)), attention.start(repeated))
    what = "several rows a source give otherwise than a repeated memory"
    _close(folded.context, plain.context, what)
    _close(folded.weights, plain.weights, what)


def _check_decoder_beams(decoder: Decoder, memory: Memory, embedded: Tensor) -> None:
    rows = _beam_rows()
    state, step = take(decoder.start(memory), rows), embedded[:, :1][rows]
    shared = decoder(step, state, tuple(decoder.prepare(memory)))
    repeated = decoder(step, state, tuple(decoder.prepare(take(memory, rows))))
    what = "several rows a source give otherwise than a repeated memory"
    _close(shared.hidden, repeated.hidden, what)
    _close(shared.weights, repeated.weights, what)


def _decoded_by_steps(
    decoder: Decoder, embedded: Tensor, state: tuple[Tensor, ...], prepared: tuple[Tensor, ...]
) -> tuple[Tensor, tuple[Tensor, ...]]:
    parts = []
    for step in range(TARGET):
        hidden, _, state = decoder(embedded[:, step : step + 1], state, prepared)
        parts.append(hidden)
    return torch.cat(parts, dim=1), state


def _memory() -> Memory:
    mask = _mask()
    states = torch.randn(BATCH, SOURCE, MEMORY) * mask.unsqueeze(2)
    return Memory(states, mask, torch.randn(BATCH, MEMORY))


def _mask() -> Tensor:
    return torch.arange(SOURCE).unsqueeze(0) < torch.tensor(LENGTHS).unsqueeze(1)


def _beam_rows() -> Tensor:
    return torch.arange(BATCH).repeat_interleave(BEAMS)


def _module(part: object, kind: str) -> nn.Module:
    _require(isinstance(part, nn.Module), f"the {kind} is not a torch.nn.Module")
    assert isinstance(part, nn.Module)  # noqa: S101  (for the type checker; told just above)
    return part


def _gradients_reach(module: nn.Module, outputs: Sequence[Tensor]) -> None:
    """Check that something is learnt by every parameter, from random gradients."""
    total = torch.stack([(tensor * torch.randn_like(tensor)).sum() for tensor in outputs]).sum()
    if total.requires_grad:
        total.backward()  # type: ignore[no-untyped-call]
    for name, parameter in module.named_parameters():
        gradient = parameter.grad
        _require(gradient is not None and bool(gradient.any()), f"no gradient reaches {name}")
        parameter.grad = None


def _sizes(tensor: Tensor, wanted: tuple[int, ...], name: str) -> None:
    found = tuple(tensor.shape)
    _require(found == wanted, f"{name} is of shape {found} and not {wanted}")


def _close(one: Tensor, other: Tensor, what: str) -> None:
    difference = float((one - other).detach().abs().max())
    _require(difference <= CLOSE, f"{what} (by {difference:.1e})")


def _finite(tensors: Iterable[Any], what: str) -> None:
    floats = [t for t in tensors if isinstance(t, Tensor) and t.is_floating_point()]
    _require(all(bool(t.isfinite().all()) for t in floats), f"{what} gives NaN or infinity")


def _require(kept: bool, what: str) -> None:
    if not kept:
        raise AssertionError(what)
