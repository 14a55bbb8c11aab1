"""What every encoder must keep to; see chatseq.model.contracts.Encoder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor

from chatseq.model.contracts import Encoder, Memory
from chatseq.testing.check import Context, Make, check, require
from chatseq.testing.checks import tensors
from chatseq.testing.checks.graphs import graph_equals_torch
from chatseq.testing.checks.tensors import (
    BATCH,
    INPUT,
    LOUD,
    SOURCE,
    build,
    close,
    finite,
    sizes,
)
from chatseq.testing.networks import PlainAttention, PlainDecoder, PlainOutput
from chatseq.testing.rounds import Rounds

steadily = tensors.steadily
OTHER_SIZES = ((1, 1), (2, 9), (1, 80))  # batch, source


def arguments() -> Iterator[tuple[int]]:
    """Yield the width of the input."""
    yield (INPUT,)


@check()
def its_shapes_are_those_of_the_contract(make: Make, context: Context) -> None:
    """States, mask and summary come back, as wide as `output_size`, for any batch and length."""
    encoder = build(make, INPUT)
    for batch, source in ((BATCH, SOURCE), *OTHER_SIZES):
        embedded, mask = torch.randn(batch, source, INPUT), torch.ones(batch, source).bool()
        memory = encoder(embedded, mask, torch.zeros(batch, source).long())
        require(isinstance(memory, Memory), f"it gives a {type(memory).__name__}, no Memory")
        sizes(memory.states, (batch, source, encoder.output_size), "memory.states")
        sizes(memory.summary, (batch, encoder.output_size), "memory.summary")
        require(torch.equal(memory.mask, mask), "memory.mask is not the mask that was given")


@check()
def padding_changes_nothing(make: Make, context: Context) -> None:
    """How much padding a row has, and what stands there, does not change its memory."""
    encoder, (embedded, mask, turns) = build(make, INPUT), _batch()
    memory = encoder(embedded, mask, turns)
    longer = (
        torch.cat([part, torch.zeros_like(part[:, :3])], 1) for part in (embedded, mask, turns)
    )
    more = encoder(*longer)
    noisy = encoder(embedded.masked_fill(~mask.unsqueeze(2), 50.0), mask, turns)
    for other, what in ((more, "more padding"), (noisy, "what stands at padding")):
        close(other.states[:, :SOURCE][mask], memory.states[mask], f"{what} changes the states")
        close(other.summary, memory.summary, f"{what} changes the summary")


@check()
def the_memory_is_zero_at_padding(make: Make, context: Context) -> None:
    """The states hold zeros where there is no token."""
    _, mask, _ = batch = _batch()
    states = build(make, INPUT)(*batch).states
    require(not states[~mask].any(), "memory.states are not zero at padding")


@check()
def batch_mates_change_nothing(make: Make, context: Context) -> None:
    """A row is read the same whatever other rows stand beside it."""
    encoder, batch = build(make, INPUT), _batch()
    together = encoder(*batch)
    for row in range(BATCH):
        alone = encoder(*(tensor[row : row + 1] for tensor in batch))
        found = (tensor[row : row + 1] for tensor in together)
        tensors.all_close(found, alone, "a row is read otherwise beside other rows")


@check()
def earlier_turns_are_read_in_any_batch(make: Make, context: Context) -> None:
    """Questions with and without earlier turns stand in one batch, each read as it is alone."""
    encoder, (embedded, mask, _) = build(make, INPUT), _batch()
    turns = torch.tensor([[2, 2, 1, 0, 0], [1, 0, 0, 0, 0], [0, 0, 0, 0, 0]])
    memory = encoder(embedded, mask, turns)
    sizes(memory.states, (BATCH, SOURCE, encoder.output_size), "memory.states of several turns")
    for row in range(BATCH):
        alone = encoder(*(tensor[row : row + 1] for tensor in (embedded, mask, turns)))
        what = f"a question with {int(turns[row, 0])} earlier turns is read otherwise in a batch"
        close(memory.summary[row], alone.summary[0], what)
    many = torch.arange(SOURCE - 1, -1, -1).expand(BATCH, -1) * mask
    finite(encoder(embedded, mask, many * 20), "a question with many earlier turns")


@check()
def gradients_reach_every_parameter(make: Make, context: Context) -> None:
    """Every weight and the input can learn from states and summary."""
    encoder, (embedded, mask, _) = build(make, INPUT), _batch()
    turns = torch.tensor([[1, 1, 0, 0, 0], [1, 0, 0, 0, 0], [0, 0, 0, 0, 0]])
    embedded.requires_grad_()
    memory = encoder.train()(embedded, mask, turns)
    outputs = [memory.states, memory.summary]
    tensors.gradients_reach(encoder, outputs, {"the input": embedded})


@check()
def the_same_question_gives_the_same_memory(make: Make, context: Context) -> None:
    """An answering encoder has no chance in it, keeps nothing and writes into no argument."""
    tensors.repeats(build(make, INPUT), _batch())


@check()
def weights_survive_saving(make: Make, context: Context) -> None:
    """The state dict holds all that was learnt: stored and read again, it reads the same."""
    batch = _batch()
    tensors.survives_saving(make, (INPUT,), lambda encoder: encoder(*batch))


@check(Rounds.CHOICES)
def its_graph_equals_torch(make: Make, context: Context) -> None:
    """Exported to ONNX it gives the same numbers, also for other sizes than exported."""
    encoder: Encoder = build(make, INPUT)
    width = encoder.output_size
    decoder = PlainDecoder(INPUT, width, lambda query_size: PlainAttention(query_size, width))
    graph_equals_torch(encoder, decoder, PlainOutput(INPUT, INPUT, True), context)


@check()
def tensors_are_made_where_its_inputs_are(make: Make, context: Context) -> None:
    """On another device it answers and learns there, and meets no tensor of the processor."""
    tensors.made_elsewhere(build(make, INPUT), _batch(), _runs)


@check()
def half_precision_stays_finite(make: Make, context: Context) -> None:
    """In bfloat16 and float16 no number becomes NaN or infinite."""
    tensors.finite_in_halves(build(make, INPUT), _batch(), _runs)


@check()
def extremes_stay_finite(make: Make, context: Context) -> None:
    """Very large inputs and rows that are all padding give finite numbers and gradients."""
    encoder, (embedded, mask, turns) = build(make, INPUT), _batch()
    with torch.no_grad():
        finite(encoder(embedded * LOUD, mask, turns), "an encoder of very large inputs")
        finite(encoder(embedded * 0, mask, turns), "an encoder of zeros")
    mask[1] = False
    memory = encoder(embedded, mask, turns)
    what = "a row that is all padding"
    finite(memory, what)
    tensors.gradients_finite(encoder, [memory.states, memory.summary], what)


def _batch() -> tuple[Tensor, Tensor, Tensor]:
    """Return an embedded batch of single turns, its mask and its turns."""
    turns = torch.zeros(BATCH, SOURCE, dtype=torch.long)
    return torch.randn(BATCH, SOURCE, INPUT), tensors.sample_mask(), turns


def _runs(encoder: Any, *batch: Tensor) -> Iterable[Any]:
    memory: Memory = encoder(*batch)
    return memory
