"""What every decoder must keep to, with and without an attention; see contracts.Decoder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from chatseq.model.contracts import Attention, Decoded, MakeAttention, Memory, take
from chatseq.testing.check import Context, Make, check, require
from chatseq.testing.checks import tensors
from chatseq.testing.checks.graphs import graph_equals_torch
from chatseq.testing.checks.tensors import (
    BATCH,
    BEAMS,
    INPUT,
    LOUD,
    MEMORY,
    SOURCE,
    TARGET,
    all_close,
    build,
    close,
    finite,
    sizes,
)
from chatseq.testing.networks import (
    PlainAttention,
    PlainEncoder,
    PlainOutput,
    RememberingAttention,
)
from chatseq.testing.rounds import Rounds

steadily = tensors.steadily
LONG = 20  # steps, more than any example


def remembering(query_size: int) -> Attention:
    """Make an attention whose state must be carried along."""
    return RememberingAttention(query_size, MEMORY)


def plain(query_size: int) -> Attention:
    """Make an attention without a state."""
    return PlainAttention(query_size, MEMORY)


WAYS: dict[str, MakeAttention | None] = {"an attention": remembering, "no attention": None}


def arguments() -> Iterator[tuple[int, int, MakeAttention | None]]:
    """Yield the widths of input and memory, with an attention and without."""
    for way in WAYS.values():
        yield INPUT, MEMORY, way


@check()
def attention_is_used_or_refused(make: Make, context: Context) -> None:
    """Built with an attention and without, it works, or says in a ValueError what it needs."""
    memory, ways = tensors.sample_memory(), {**WAYS, "an attention without a state": plain}
    refused = []
    for told, way in ways.items():
        try:
            decoder = build(make, INPUT, MEMORY, way)
        except ValueError as fault:
            require(bool(str(fault)), f"{told} is refused without a word")
            refused.append(told)
        else:
            finite(_decode(decoder, _embedded(), memory), f"a decoder with {told}")
    require(len(refused) < len(ways), "it refuses to be built with an attention and without")
    some = "an attention" in refused, "an attention without a state" in refused
    require(some[0] == some[1], "it takes only attentions with a state, or only those without")


@check()
def its_shapes_are_those_of_the_contract(make: Make, context: Context) -> None:
    """Hidden vectors as wide as `output_size`, weights and a state of rows come back."""
    memory = tensors.sample_memory()
    for told, decoder in _decoders(make):
        for target in (TARGET, 1, LONG):
            found = _decode(decoder, torch.randn(BATCH, target, INPUT), memory)
            require(isinstance(found, Decoded), f"it gives a {type(found).__name__}, no Decoded")
            sizes(found.hidden, (BATCH, target, decoder.output_size), f"hidden with {told}")
            sizes(found.weights, (BATCH, target, SOURCE), f"weights with {told}")
            for state in (decoder.start(memory), found.state):
                rows = all(tensor.shape[0] == BATCH for tensor in state)
                require(rows, f"the first axis of the state with {told} is not rows")


@check()
def its_weights_are_shares_or_zeros(make: Make, context: Context) -> None:
    """The weights are what it looked at: shares of the real tokens, or zeros where it cannot."""
    memory = tensors.sample_memory()
    for told, decoder in _decoders(make):
        weights = _decode(decoder, _embedded(), memory).weights
        require(not weights.transpose(1, 2)[~memory.mask].any(), f"padding has weight with {told}")
        sums = weights.sum(2)
        if told != "no attention" or sums.any():
            close(sums, torch.ones_like(sums), f"the weights with {told} do not sum to 1")


@check(Rounds.ALL)
def whole_target_equals_step_by_step(make: Make, context: Context) -> None:
    """The whole target at once, as in training, gives what one token after the other does."""
    memory, embedded = tensors.sample_memory(), _embedded()
    for told, decoder in _decoders(make):
        prepared, state = tuple(decoder.prepare(memory)), decoder.start(memory)
        whole = decoder(embedded, state, prepared)
        for step in range(TARGET):
            one = decoder(embedded[:, step : step + 1], state, prepared)
            state = one.state
            found = (one.hidden[:, 0], one.weights[:, 0])
            wanted = (whole.hidden[:, step], whole.weights[:, step])
            all_close(found, wanted, f"step {step + 1} alone, with {told}, gives otherwise")
        what = f"the state after single steps, with {told}, is not that of the whole target"
        all_close(state, whole.state, what)


@check()
def padding_changes_nothing(make: Make, context: Context) -> None:
    """How much padding a question has does not change its answer."""
    memory, embedded = tensors.sample_memory(), _embedded()
    for told, decoder in _decoders(make):
        found = _decode(decoder, embedded, memory).hidden
        more = _decode(decoder, embedded, tensors.padded_more(memory)).hidden
        close(more, found, f"more padding of the question, with {told}, changes the answer")


@check()
def batch_mates_change_nothing(make: Make, context: Context) -> None:
    """A row decodes the same whatever other rows stand beside it."""
    memory, embedded = tensors.sample_memory(), _embedded()
    for told, decoder in _decoders(make):
        together = _decode(decoder, embedded, memory).hidden
        for row in range(BATCH):
            mine = take(memory, torch.tensor([row]))
            alone = _decode(decoder, embedded[row : row + 1], mine).hidden
            close(together[row : row + 1], alone, f"with {told}, a row differs beside others")


@check()
def beams_share_a_memory(make: Make, context: Context) -> None:
    """Several rows of a source over one memory give what a memory repeated for each row gives."""
    memory, rows = tensors.sample_memory(), tensors.beam_rows()
    embedded = torch.randn(BATCH * BEAMS, 1, INPUT)
    for told, decoder in _decoders(make):
        state = take(decoder.start(memory), rows)
        shared = decoder(embedded, state, tuple(decoder.prepare(memory)))
        repeated = decoder(embedded, state, tuple(decoder.prepare(take(memory, rows))))
        what = f"with {told}, several rows a source give otherwise than a repeated memory"
        all_close(shared, repeated, what)


@check()
def taken_states_go_on_as_they_were(make: Make, context: Context) -> None:
    """Rows that change their places with `take` go on as they would have in the old ones."""
    memory, order = tensors.sample_memory(), torch.tensor(tensors.NEW_ORDER)
    first, then = torch.randn(2, BATCH, 1, INPUT)
    for told, decoder in _decoders(make):
        prepared = tuple(decoder.prepare(memory))
        after = decoder(first, decoder.start(memory), prepared).state
        straight = decoder(then, after, prepared).hidden[order]
        taken = decoder(then[order], take(after, order), take(prepared, order)).hidden
        close(taken, straight, f"with {told}, rows whose state was taken elsewhere go on otherwise")


@check()
def gradients_reach_every_parameter(make: Make, context: Context) -> None:
    """Every weight, the tokens and the memory can learn from the hidden vectors."""
    for _, decoder in _decoders(make):
        memory, embedded = tensors.sample_memory(), _embedded().requires_grad_()
        for tensor in (memory.states, memory.summary):
            tensor.requires_grad_()
        hidden = _decode(decoder.train(), embedded, memory).hidden
        tensors.gradients_reach(decoder, [hidden], {"the tokens": embedded})
        learns = any(tensor.grad is not None for tensor in (memory.states, memory.summary))
        require(learns, "no gradient reaches the memory")


@check()
def the_same_tokens_give_the_same(make: Make, context: Context) -> None:
    """An answering decoder has no chance in it, keeps nothing and writes into no argument."""
    memory, embedded = tensors.sample_memory(), _embedded()
    for _, decoder in _decoders(make):
        prepared, state = tuple(decoder.prepare(memory)), decoder.start(memory)
        tensors.repeats(decoder, (embedded, state, prepared))


@check()
def weights_survive_saving(make: Make, context: Context) -> None:
    """The state dict holds all that was learnt: stored and read again, it decodes the same."""
    memory, embedded = tensors.sample_memory(), _embedded()
    for way in _taken(make):
        given = (INPUT, MEMORY, way)
        tensors.survives_saving(make, given, lambda part: _decode(part, embedded, memory))


@check(Rounds.CHOICES)
def its_graph_equals_torch(make: Make, context: Context) -> None:
    """Exported to ONNX it gives the same numbers, also for other sizes than exported."""
    decoder = build(make, INPUT, MEMORY, _taken(make)[0])
    output = PlainOutput(decoder.output_size, INPUT, decoder is not None)
    graph_equals_torch(PlainEncoder(INPUT, hidden_size=MEMORY), decoder, output, context)


@check()
def tensors_are_made_where_its_inputs_are(make: Make, context: Context) -> None:
    """On another device it answers and learns there, and meets no tensor of the processor."""
    given = (_embedded(), tensors.sample_memory())
    for _, decoder in _decoders(make):
        tensors.made_elsewhere(decoder, given, _decode)


@check()
def half_precision_stays_finite(make: Make, context: Context) -> None:
    """In bfloat16 and float16 no number becomes NaN or infinite."""
    given = (_embedded(), tensors.sample_memory())
    for _, decoder in _decoders(make):
        tensors.finite_in_halves(decoder, given, _decode)


@check()
def extremes_stay_finite(make: Make, context: Context) -> None:
    """Very large inputs and questions that are all padding give finite numbers and gradients."""
    for told, decoder in _decoders(make):
        memory, embedded = tensors.sample_memory(), _embedded()
        with torch.no_grad():
            loud = _decode(decoder, embedded * LOUD, memory)
        finite(loud, f"a decoder of very large inputs with {told}")
        memory.mask[1], memory.states[1] = False, 0.0
        found = _decode(decoder, embedded, memory)
        finite(found, f"a question that is all padding with {told}")
        tensors.gradients_finite(decoder, [found.hidden], "a question that is all padding")


def _decoders(make: Make) -> Iterator[tuple[str, Any]]:
    """Yield the decoder with each attention that it takes, and what that is."""
    taken = _taken(make)
    for told, way in WAYS.items():
        if way in taken:
            yield told, build(make, INPUT, MEMORY, way)


def _taken(make: Make) -> list[MakeAttention | None]:
    """Return the attentions that it takes.

    Raises:
        ValueError: it takes none.
    """
    taken: list[MakeAttention | None] = []
    refusal: ValueError | None = None
    for way in WAYS.values():
        try:
            make(INPUT, MEMORY, way)
        except ValueError as fault:
            refusal = fault
        else:
            taken.append(way)
    if not taken and refusal is not None:
        raise refusal
    return taken


def _embedded() -> Tensor:
    return torch.randn(BATCH, TARGET, INPUT)


def _decode(decoder: Any, embedded: Tensor, memory: Memory) -> Decoded:
    found: Decoded = decoder(embedded, decoder.start(memory), tuple(decoder.prepare(memory)))
    return found
