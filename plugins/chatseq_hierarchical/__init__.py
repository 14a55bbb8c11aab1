"""Built-in plugin: an encoder for conversations, of words within turns and of turns."""

from __future__ import annotations

from collections.abc import Mapping

from chatseq.hookspecs import Reference, hookimpl


@hookimpl
def chatseq_encoders() -> Mapping[str, Reference]:
    """Name the encoder."""
    return {"hierarchical": "chatseq_hierarchical.encoder:HierarchicalEncoder"}
