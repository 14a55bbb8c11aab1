"""What every attention must keep to; see chatseq.model.contracts.Attention."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from chatseq.model.contracts import Attended, Memory, take
from chatseq.testing.check import Context, Make, check, require
from chatseq.testing.checks import tensors
from chatseq.testing.checks.graphs import graph_equals_torch
from chatseq.testing.checks.tensors import (
    BATCH,
    BEAMS,
    INPUT,
    LOUD,
    MEMORY,
    QUERY,
    SOURCE,
    TARGET,
    all_close,
    build,
    close,
    finite,
    sizes,
)
from chatseq.testing.networks import PlainDecoder, PlainEncoder, PlainOutput
from chatseq.testing.rounds import Rounds

steadily = tensors.steadily
OTHER_WIDTH = 12  # of a query that is not as wide as the memory


def arguments() -> Iterator[tuple[int, int]]:
    """Yield the widths of query and memory."""
    yield QUERY, MEMORY


@check()
def its_shapes_are_those_of_the_contract(make: Make, context: Context) -> None:
    """Contexts as wide as `output_size` and a weight for each token come back for each query."""
    attention = _attention(make)
    for target, source in ((TARGET, SOURCE), (1, 1), (TARGET, 80)):
        mask = torch.ones(BATCH, source).bool()
        memory = Memory(torch.randn(BATCH, source, MEMORY), mask, torch.randn(BATCH, MEMORY))
        found = _attend(attention, torch.randn(BATCH, target, QUERY), memory)
        require(isinstance(found, Attended), f"it gives a {type(found).__name__}, no Attended")
        sizes(found.context, (BATCH, target, attention.output_size), "context")
        sizes(found.weights, (BATCH, target, source), "weights")
        rows = all(tensor.shape[0] == BATCH for tensor in found.state)
        require(rows, "the first axis of its state is not rows")


@check()
def what_it_prepares_begins_with_states_and_mask(make: Make, context: Context) -> None:
    """`prepare` gives tensors of the batch, the memory's states and mask first of all."""
    memory = tensors.sample_memory()
    prepared = tuple(_attention(make).prepare(memory))
    require(len(prepared) >= 2, f"it prepares {len(prepared)} tensors; states and mask come first")
    require(torch.equal(prepared[0], memory.states), "the first tensor prepared is not the states")
    require(torch.equal(prepared[1], memory.mask), "the second tensor prepared is not the mask")
    batch = all(tensor.shape[0] == BATCH for tensor in prepared)
    require(batch, "the first axis of what it prepares is not the batch")


@check()
def its_weights_sum_to_1(make: Make, context: Context) -> None:
    """The weights of each query are shares of the real tokens."""
    memory, query = tensors.sample_memory(), torch.randn(BATCH, TARGET, QUERY) * 3
    weights = _attend(_attention(make), query, memory).weights
    require(bool((weights >= 0).all()), "a weight is negative")
    close(weights.sum(2), torch.ones(BATCH, TARGET), "the weights do not sum to 1")


@check()
def padding_changes_nothing(make: Make, context: Context) -> None:
    """Padding has no weight; how much there is, and what stands there, changes nothing."""
    attention, memory, query = _attention(make), tensors.sample_memory(), _query()
    found = _attend(attention, query, memory)
    at_padding = found.weights.transpose(1, 2)[~memory.mask]
    require(not at_padding.any(), "padding has weight")
    more = _attend(attention, query, tensors.padded_more(memory))
    close(more.context, found.context, "more padding changes the context")
    close(more.weights[:, :, :SOURCE], found.weights, "more padding changes the weights")
    loud = memory._replace(states=memory.states.masked_fill(~memory.mask.unsqueeze(2), 50.0))
    what = "what stands at padding changes the context"
    close(_attend(attention, query, loud).context, found.context, what)


@check()
def batch_mates_change_nothing(make: Make, context: Context) -> None:
    """A row attends the same whatever other rows stand beside it."""
    attention, memory, query = _attention(make), tensors.sample_memory(), _query()
    together = _attend(attention, query, memory)
    for row in range(BATCH):
        alone = _attend(attention, query[row : row + 1], take(memory, torch.tensor([row])))
        found = (together.context[row : row + 1], together.weights[row : row + 1])
        all_close(found, (alone.context, alone.weights), "a row attends otherwise beside others")


@check()
def whole_target_equals_step_by_step(make: Make, context: Context) -> None:
    """All queries at once, as in training, give what one after the other does."""
    attention, memory, query = _attention(make), tensors.sample_memory(), _query()
    prepared, state = tuple(attention.prepare(memory)), attention.start(memory)
    whole = attention(query, prepared, state)
    for step in range(TARGET):
        one = attention(query[:, step : step + 1], prepared, state)
        state = one.state
        found = (one.context[:, 0], one.weights[:, 0])
        wanted = (whole.context[:, step], whole.weights[:, step])
        all_close(found, wanted, f"step {step + 1} alone gives otherwise than in the whole target")
    all_close(state, whole.state, "the state after single steps is not that of the whole target")


@check()
def beams_share_a_memory(make: Make, context: Context) -> None:
    """Several rows of a source over one memory give what a memory repeated for each row gives."""
    attention, memory, rows = _attention(make), tensors.sample_memory(), tensors.beam_rows()
    query, state = torch.randn(BATCH * BEAMS, TARGET, QUERY), take(attention.start(memory), rows)
    shared = attention(query, tuple(attention.prepare(memory)), state)
    repeated = attention(query, tuple(attention.prepare(take(memory, rows))), state)
    all_close(shared, repeated, "several rows a source give otherwise than a repeated memory")


@check()
def taken_states_go_on_as_they_were(make: Make, context: Context) -> None:
    """Rows that change their places with `take` go on as they would have in the old ones."""
    attention, memory, query = _attention(make), tensors.sample_memory(), _query()
    prepared, order = tuple(attention.prepare(memory)), torch.tensor(tensors.NEW_ORDER)
    state = attention(query, prepared, attention.start(memory)).state
    straight = attention(query, prepared, state)
    taken = attention(query[order], take(prepared, order), take(state, order))
    found = (taken.context, taken.weights)
    wanted = (straight.context[order], straight.weights[order])
    all_close(found, wanted, "rows whose state was taken elsewhere go on otherwise")


@check()
def other_widths_fit_or_are_refused(make: Make, context: Context) -> None:
    """A query that is not as wide as the memory fits, or is refused with a ValueError."""
    try:
        attention = build(make, OTHER_WIDTH, MEMORY)
    except ValueError as fault:
        require(bool(str(fault)), "other widths are refused without a word")
        return
    query = torch.randn(BATCH, TARGET, OTHER_WIDTH)
    found = _attend(attention, query, tensors.sample_memory())
    sizes(found.context, (BATCH, TARGET, attention.output_size), "context of a wider query")


@check()
def gradients_reach_every_parameter(make: Make, context: Context) -> None:
    """Every weight, the query and the memory can learn from the contexts."""
    attention, memory, query = _attention(make).train(), tensors.sample_memory(), _query()
    learning = {"the query": query.requires_grad_(), "the memory": memory.states.requires_grad_()}
    found = _attend(attention, query, memory)
    tensors.gradients_reach(attention, [found.context], learning)


@check()
def the_same_query_finds_the_same(make: Make, context: Context) -> None:
    """An answering attention has no chance in it, keeps nothing and writes into no argument."""
    attention, memory, query = _attention(make), tensors.sample_memory(), _query()
    prepared, state = tuple(attention.prepare(memory)), attention.start(memory)
    tensors.repeats(attention, (query, prepared, state))


@check()
def weights_survive_saving(make: Make, context: Context) -> None:
    """The state dict holds all that was learnt: stored and read again, it attends the same."""
    memory, query = tensors.sample_memory(), _query()
    tensors.survives_saving(make, (QUERY, MEMORY), lambda part: _attend(part, query, memory))


@check(Rounds.CHOICES)
def its_graph_equals_torch(make: Make, context: Context) -> None:
    """Exported to ONNX it gives the same numbers, also for other sizes than exported."""
    encoder = PlainEncoder(INPUT, hidden_size=MEMORY)
    decoder = PlainDecoder(INPUT, MEMORY, lambda query_size: build(make, query_size, MEMORY))
    graph_equals_torch(encoder, decoder, PlainOutput(INPUT, INPUT, True), context)


@check()
def tensors_are_made_where_its_inputs_are(make: Make, context: Context) -> None:
    """On another device it answers and learns there, and meets no tensor of the processor."""
    given = (_query(), tensors.sample_memory())
    tensors.made_elsewhere(_attention(make), given, _attend)


@check()
def half_precision_stays_finite(make: Make, context: Context) -> None:
    """In bfloat16 and float16 no number becomes NaN or infinite."""
    given = (_query(), tensors.sample_memory())
    tensors.finite_in_halves(_attention(make), given, _attend)


@check()
def extremes_stay_finite(make: Make, context: Context) -> None:
    """Very large queries and rows that are all padding give finite numbers and gradients."""
    attention, memory, query = _attention(make), tensors.sample_memory(), _query()
    with torch.no_grad():
        finite(_attend(attention, query * LOUD, memory), "an attention of very large queries")
    memory.mask[1], memory.states[1] = False, 0.0
    found = _attend(attention, query, memory)
    finite(found, "an attention over a row that is all padding")
    tensors.gradients_finite(attention, [found.context], "a row that is all padding")


def _attention(make: Make) -> Any:
    return build(make, QUERY, MEMORY)


def _query() -> Tensor:
    return torch.randn(BATCH, TARGET, QUERY)


def _attend(attention: Any, query: Tensor, memory: Memory) -> Attended:
    prepared, state = tuple(attention.prepare(memory)), attention.start(memory)
    found: Attended = attention(query, prepared, state)
    return found
