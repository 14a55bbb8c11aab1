"""Built-in plugin: the convolutional encoder."""

from __future__ import annotations

from collections.abc import Mapping

from chatseq.hookspecs import Reference, hookimpl


@hookimpl
def chatseq_encoders() -> Mapping[str, Reference]:
    """Name the convolutional encoder."""
    return {"convolutional": "chatseq_convolution.encoder:ConvolutionalEncoder"}
