"""From a recipe to a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatseq.core.options import build_part
from chatseq.core.plugins import Registry
from chatseq.model.contracts import Attention, Decoder, Encoder, MakeAttention, Output
from chatseq.model.initialise import initialise
from chatseq.model.seq2seq import Seq2Seq

if TYPE_CHECKING:
    from chatseq.core.recipe import Recipe


def build_model(registry: Registry, recipe: Recipe, vocabulary_size: int) -> Seq2Seq:
    """Return a new network as the recipe describes it; its weights follow torch's seed.

    Raises:
        PartError: a part is not known or refuses its options.
    """
    model = join_parts(registry, recipe, vocabulary_size)
    initialise(model)
    return model


def join_parts(registry: Registry, recipe: Recipe, vocabulary_size: int) -> Seq2Seq:
    """Return the network with whatever weights torch gives it, which is quicker.

    Raises:
        PartError: a part is not known or refuses its options.
    """
    section, question = recipe.model, recipe.question
    embedding_size = section.embedding_size
    encoder: Encoder = build_part(
        registry, "encoder", section.encoder, embedding_size, where="in [model.encoder]"
    )
    decoder: Decoder = build_part(
        registry,
        "decoder",
        section.decoder,
        embedding_size,
        encoder.output_size,
        _attention_maker(registry, recipe, encoder.output_size),
        where="in [model.decoder]",
    )
    output: Output = build_part(
        registry,
        "output",
        section.output,
        decoder.output_size,
        embedding_size,
        section.attention is not None,
        where="in [model.output]",
    )
    return Seq2Seq(
        encoder,
        decoder,
        output,
        vocabulary_size=vocabulary_size,
        embedding_size=embedding_size,
        dropout=section.dropout,
        feature_buckets=question.feature_buckets if question.features else 0,
        earlier_turns=question.context_turns if section.turn_vectors else 0,
    )


def _attention_maker(registry: Registry, recipe: Recipe, memory_size: int) -> MakeAttention | None:
    spec = recipe.model.attention
    if spec is None:
        return None

    def make(query_size: int) -> Attention:
        attention: Attention = build_part(
            registry, "attention", spec, query_size, memory_size, where="in [model.attention]"
        )
        return attention

    return make
