"""What every output layer must keep to; see chatseq.model.contracts.Output."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor

from chatseq.model.contracts import Readout, Vocabulary
from chatseq.testing.check import Context, Make, check, require
from chatseq.testing.checks import tensors
from chatseq.testing.checks.graphs import graph_equals_torch
from chatseq.testing.checks.tensors import (
    INPUT,
    LOUD,
    MEMORY,
    QUERY,
    SOURCE,
    build,
    close,
    finite,
    sizes,
)
from chatseq.testing.networks import PlainAttention, PlainDecoder, PlainEncoder
from chatseq.testing.rounds import Rounds
from chatseq.text.tokenizer import END_ID, FIRST_FREE_ID, PAD_ID, START_ID

steadily = tensors.steadily
POSITIONS, VOCABULARY, UNUSED = 7, 11, 2  # the last ids belong to no token
HIDDENS = (INPUT, QUERY)  # as wide as the embedding, and wider
FORBIDDEN = -1e8  # what is not allowed lies below
LOW = 1e9 * (1 + 1e-6)  # and not much below -1e9, so that sums stay finite


def arguments() -> Iterator[tuple[int, int, bool]]:
    """Yield the widths of hidden vector and embedding, and whether there are weights."""
    for attends in (True, False):
        for hidden in HIDDENS:
            yield hidden, INPUT, attends


@check()
def its_shapes_are_those_of_the_contract(make: Make, context: Context) -> None:
    """A log-probability of each token comes back for each position, and a loss that is a number."""
    for output, readout, vocabulary in _examples(make):
        for positions in (POSITIONS, 1):
            some = _some(readout, slice(positions))
            sizes(output(some, vocabulary), (positions, VOCABULARY), "log-probabilities")
            loss = output.loss(some, _targets()[:positions], vocabulary, label_smoothing=0.1)
            sizes(loss, (), "loss")


@check()
def probabilities_sum_to_1_over_allowed_tokens(make: Make, context: Context) -> None:
    """What is allowed shares one; what is not has a log-probability near -1e9."""
    for output, readout, vocabulary in _examples(make):
        log_probs = output(readout, vocabulary).detach()
        allowed, others = log_probs[:, vocabulary.allowed], log_probs[:, ~vocabulary.allowed]
        require(bool((others <= FORBIDDEN).all()), f"a forbidden token has {float(others.max())}")
        require(bool((others >= -2 * LOW).all()), f"a forbidden token has {float(others.min())}")
        close(allowed.exp().sum(1), torch.ones(POSITIONS), "the probabilities do not sum to 1")


@check()
def its_loss_is_that_of_its_probabilities(make: Make, context: Context) -> None:
    """Without label smoothing the loss is the sum of what the chosen tokens cost."""
    for output, readout, vocabulary in _examples(make):
        loss = output.loss(readout, _targets(), vocabulary, label_smoothing=0.0)
        chosen = output(readout, vocabulary).gather(1, _targets().unsqueeze(1)).sum()
        close(loss, -chosen, "the loss is not the sum of the chosen log-probabilities", 1e-4)
        smooth = output.loss(readout, _targets(), vocabulary, label_smoothing=0.1)
        different = bool(smooth.isfinite()) and abs(float(smooth.detach() - loss.detach())) > 1e-4
        require(different, f"label smoothing makes {loss.item():.4f} to {smooth.item():.4f}")


@check()
def positions_change_nothing_for_each_other(make: Make, context: Context) -> None:
    """A position gets the same log-probabilities whatever other positions stand beside it."""
    for output, readout, vocabulary in _examples(make):
        together = output(readout, vocabulary)
        for at in range(POSITIONS):
            alone = _some(readout, slice(at, at + 1))
            what = "a position is read otherwise beside others"
            close(together[at : at + 1], output(alone, vocabulary), what, 1e-4)


@check()
def gradients_reach_every_parameter(make: Make, context: Context) -> None:
    """Every weight, the hidden vectors and the embedding can learn from the loss."""
    for output, readout, vocabulary in _examples(make):
        learning = {
            "the hidden vectors": readout.hidden.requires_grad_(),
            "the embedding": vocabulary.vectors.requires_grad_(),
            "the bias": vocabulary.bias.requires_grad_(),
        }
        loss = output.train().loss(readout, _targets(), vocabulary, label_smoothing=0.1)
        tensors.gradients_reach(output, [loss], learning)


@check()
def it_learns_what_it_is_told(make: Make, context: Context) -> None:
    """A step down the gradient makes the loss smaller."""
    for output, readout, vocabulary in _examples(make):
        readout.hidden.requires_grad_()
        before = output.loss(readout, _targets(), vocabulary, label_smoothing=0.0)
        before.backward()
        downhill = readout.hidden.grad
        assert downhill is not None  # noqa: S101  (as `backward` was called)
        with torch.no_grad():
            better = readout._replace(hidden=readout.hidden - 0.01 * downhill)
            after = output.loss(better, _targets(), vocabulary, label_smoothing=0.0)
        require(bool(after < before), f"a step makes the loss {before.item()} to {after.item()}")


@check()
def the_same_readout_gives_the_same(make: Make, context: Context) -> None:
    """An answering output layer has no chance in it, keeps nothing and writes into no argument."""
    for output, readout, vocabulary in _examples(make):
        tensors.repeats(output, (readout, vocabulary))


@check()
def weights_survive_saving(make: Make, context: Context) -> None:
    """The state dict holds all that was learnt: stored and read again, it gives the same."""
    for given in _taken(make):
        seen = _readout(make(*given), given[0]), _vocabulary()
        tensors.survives_saving(make, given, partial(_runs, seen))


@check(Rounds.CHOICES)
def its_graph_equals_torch(make: Make, context: Context) -> None:
    """Exported to ONNX it gives the same numbers, also for other sizes than exported."""
    output = build(make, INPUT, INPUT, True)
    decoder = PlainDecoder(INPUT, MEMORY, lambda query_size: PlainAttention(query_size, MEMORY))
    graph_equals_torch(PlainEncoder(INPUT, hidden_size=MEMORY), decoder, output, context)


@check()
def tensors_are_made_where_its_inputs_are(make: Make, context: Context) -> None:
    """On another device it answers and learns there, and meets no tensor of the processor."""
    for output, *seen in _examples(make):
        tensors.made_elsewhere(output, (*seen, _targets()), _scored)


@check()
def half_precision_stays_finite(make: Make, context: Context) -> None:
    """In mixed precision, bfloat16 and float16, no number becomes NaN or infinite."""
    for output, readout, vocabulary in _examples(make):
        for half in tensors.HALVES:
            with torch.autocast("cpu", dtype=half), torch.no_grad():
                loud = readout._replace(hidden=readout.hidden * 30)
                loss = output.loss(loud, _targets(), vocabulary, label_smoothing=0.1)
                finite([output(loud, vocabulary), loss], f"{half} with hidden vectors near 30")


@check()
def extremes_stay_finite(make: Make, context: Context) -> None:
    """Very large hidden vectors and weights of nothing give finite numbers and gradients."""
    for output, readout, vocabulary in _examples(make):
        with torch.no_grad():
            loud = output(readout._replace(hidden=readout.hidden * LOUD), vocabulary)
        finite([loud], "an output layer of very large hidden vectors")
        blind = readout._replace(weights=readout.weights * 0)
        loss = output.loss(blind, _targets(), vocabulary, label_smoothing=0.1)
        finite([loss], "the loss without attention")
        tensors.gradients_finite(output, [loss], "readouts without attention")


def _examples(make: Make) -> Iterator[tuple[Any, Readout, Vocabulary]]:
    """Yield the output layer in each size that it takes, with what it is given."""
    for given in _taken(make):
        output = build(make, *given)
        yield output, _readout(output, given[0]), _vocabulary()


def _taken(make: Make) -> list[tuple[int, int, bool]]:
    """Return the arguments that it takes; with attention it must take both widths."""
    taken, refusal = [], None
    for given in arguments():
        try:
            make(*given)
        except ValueError as fault:
            require(bool(str(fault)), f"{given} are refused without a word")
            refusal = fault
        else:
            taken.append(given)
    if refusal is not None and sum(attends for *_, attends in taken) < len(HIDDENS):
        raise refusal
    return taken


def _readout(output: Any, hidden_size: int) -> Readout:
    """Return what a decoder could have made; padding of the question is not looked at."""
    weights = torch.rand(POSITIONS, SOURCE)
    weights[:, -1] = 0.0
    source = torch.randint(FIRST_FREE_ID, VOCABULARY - UNUSED, (POSITIONS, SOURCE))
    source[:, -2], source[:, -1] = END_ID, PAD_ID
    return Readout(
        torch.randn(POSITIONS, hidden_size),
        torch.randn(POSITIONS, INPUT),
        weights / weights.sum(1, keepdim=True),
        source if output.copies else None,
    )


def _some(readout: Readout, positions: slice) -> Readout:
    hidden, embedded, weights, source = readout
    chosen = None if source is None else source[positions]
    return Readout(hidden[positions], embedded[positions], weights[positions], chosen)


def _runs(seen: tuple[Readout, Vocabulary], output: Any) -> list[Tensor]:
    return [output(*seen)]


def _scored(output: Any, readout: Readout, vocabulary: Vocabulary, targets: Tensor) -> list[Tensor]:
    loss = output.loss(readout, targets, vocabulary, label_smoothing=0.1)
    return [output(readout, vocabulary), loss]


def _vocabulary() -> Vocabulary:
    allowed = torch.ones(VOCABULARY).bool()
    allowed[PAD_ID] = allowed[START_ID] = allowed[-UNUSED:] = False
    return Vocabulary(torch.randn(VOCABULARY, INPUT), torch.randn(VOCABULARY), allowed)


def _targets() -> Tensor:
    return torch.arange(POSITIONS) % (VOCABULARY - UNUSED - END_ID) + END_ID
