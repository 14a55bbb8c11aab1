"""Built-in plugin: the simplest encoder, which reads a question as a bag of words."""

from __future__ import annotations

from collections.abc import Mapping

from chatseq.hookspecs import Reference, hookimpl


@hookimpl
def chatseq_encoders() -> Mapping[str, Reference]:
    """Name the encoder."""
    return {"average": "chatseq_average.encoder:AverageEncoder"}
