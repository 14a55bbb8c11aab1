"""Whether the parts of a recipe work together, tried out before a corpus is learnt from.

Parts know only their neighbours' widths, so most mixes that make no sense are refused by a part
itself when it is built. What is left, such as a plugin that mistakes an axis, shows when two tiny
questions go through the network.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor

from chatseq.core.errors import ChatseqError, PartError, RecipeError
from chatseq.core.plugins import Registry
from chatseq.core.recipe import Recipe
from chatseq.model.batch import Batch
from chatseq.model.build import join_parts
from chatseq.model.contracts import Decoded, Memory
from chatseq.model.seq2seq import Seq2Seq, turns_back
from chatseq.text.tokenizer import END_ID, PAD_ID, START_ID

_VOCABULARY = 8
_QUESTIONS = ((3, END_ID, 4, 5, END_ID), (6, END_ID, PAD_ID, PAD_ID, PAD_ID))  # one has two turns
_ANSWERS = ((5, 6, END_ID), (7, END_ID, PAD_ID))


def check_compatibility(registry: Registry, recipe: Recipe) -> tuple[str, ...]:
    """Build the network of a recipe and send two questions through it, forth and back.

    The weights keep their true sizes and the vocabulary is tiny, so that it costs little.

    Returns:
        what the user should know of the mix, a line each

    Raises:
        PartError: a part refuses its sizes or its options, or parts do not work together.
        RecipeError: a setting asks for what the parts cannot do.
    """
    with torch.random.fork_rng(devices=[]):
        tiny = recipe.apply(["question.feature_buckets=2"])
        model = join_parts(registry, tiny, _VOCABULARY)
        _check_network(model, PartNames.of(recipe), recipe)
    if model.output.copies and recipe.question.fold:
        name = recipe.model.output["name"]
        return (
            (
                f"The output '{name}' copies words as they are read, which is in lower case. "
                "To copy them as they are written: --set question.fold=false"
            ),
        )
    return ()


class PartNames(NamedTuple):
    """The parts as people know them."""

    encoder: str
    decoder: str
    output: str

    @classmethod
    def of(cls, recipe: Recipe) -> PartNames:
        model = recipe.model
        decoder = f"decoder '{model.decoder['name']}'"
        if model.attention is not None:
            decoder += f" with the attention '{model.attention['name']}'"
        return cls(
            f"encoder '{model.encoder['name']}'", decoder, f"output '{model.output['name']}'"
        )


def _check_network(model: Seq2Seq, names: PartNames, recipe: Recipe) -> None:
    batch = _batch(recipe)
    with _told(f"the {names.encoder}"):
        _check_memory(model, names, batch)
    with _told(f"the {names.decoder} on the {names.encoder}"):
        started = model.encode(batch.question_ids, batch.question_mask, batch.question_features)
        prepared = started.memory[1:] if model.output.copies else started.memory
        answers = model.embedding(batch.answer_ids)
        decoded = model.decoder(answers, started.state, prepared)
    _check_decoded(model, names, decoded, batch)
    if recipe.training.coverage_loss and not decoded.weights.requires_grad:
        raise RecipeError(
            f"training.coverage_loss ({recipe.training.coverage_loss:g}) cannot be learnt, since "
            f"the {names.decoder} gives no weights of attention. Set it to 0."
        )
    with _told(f"the {names.output} on the {names.decoder}"):
        model.loss(batch).total.backward()  # type: ignore[no-untyped-call]
        model.eval()
        start = torch.tensor([START_ID] * len(_QUESTIONS))
        log_probs = model.step(start, started.state, started.memory).log_probs
    _check_shape(f"{names.output} made log-probabilities", log_probs, (2, _VOCABULARY))


def _check_memory(model: Seq2Seq, names: PartNames, batch: Batch) -> None:
    ids, mask = batch.question_ids, batch.question_mask
    memory: Memory = model.encoder(model.embedding(ids), mask, turns_back(ids, mask))
    size = model.encoder.output_size
    _check_shape(f"{names.encoder} made states", memory.states, (*ids.shape, size))
    _check_shape(f"{names.encoder} made a mask", memory.mask, tuple(ids.shape))
    _check_shape(f"{names.encoder} made a summary", memory.summary, (ids.shape[0], size))


def _check_decoded(model: Seq2Seq, names: PartNames, decoded: Decoded, batch: Batch) -> None:
    rows, target = batch.answer_ids.shape
    size, source = model.decoder.output_size, batch.question_ids.shape[1]
    _check_shape(f"{names.decoder} made vectors", decoded.hidden, (rows, target, size))
    _check_shape(f"{names.decoder} made weights", decoded.weights, (rows, target, source))


def _check_shape(what: str, found: Tensor, wanted: tuple[int, ...]) -> None:
    if tuple(found.shape) != wanted:
        raise PartError(
            f"The {what} of the shape {tuple(found.shape)} in [model], where {wanted} is needed. "
            "Choose another part, or mend it: chatseq plugins check"
        )


@contextmanager
def _told(parts: str) -> Iterator[None]:
    """Tell which parts failed, whatever they raise."""
    try:
        yield
    except ChatseqError:
        raise
    except Exception as fault:  # a plugin may raise anything
        reason = str(fault).strip().split("\n")[0].rstrip(".") or type(fault).__name__
        raise PartError(
            f"Trying {parts} in [model] failed: {reason}. Choose other parts or sizes, or mend "
            "your own: chatseq plugins check"
        ) from fault


def _batch(recipe: Recipe) -> Batch:
    questions, answers = torch.tensor(_QUESTIONS), torch.tensor(_ANSWERS)
    features = None
    if recipe.question.features:
        features = questions.new_zeros(*questions.shape, recipe.question.features)
    return Batch(questions, questions != PAD_ID, features, answers, answers != PAD_ID)
