"""Built-in plugin: the parts of the transformer (Vaswani et al. 2017)."""

from __future__ import annotations

from collections.abc import Mapping

from chatseq.hookspecs import Reference, hookimpl


@hookimpl
def chatseq_encoders() -> Mapping[str, Reference]:
    """Name the encoder of self-attention layers."""
    return {"transformer": "chatseq_transformer.encoder:TransformerEncoder"}


@hookimpl
def chatseq_decoders() -> Mapping[str, Reference]:
    """Name the decoder of self-attention layers."""
    return {"transformer": "chatseq_transformer.decoder:TransformerDecoder"}
