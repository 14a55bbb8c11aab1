"""Built-in plugin: the output layers."""

from __future__ import annotations

from collections.abc import Mapping

from chatseq.hookspecs import Reference, hookimpl


@hookimpl
def chatseq_outputs() -> Mapping[str, Reference]:
    """Name the output layers."""
    return {
        "tied": "chatseq_output.tied:TiedOutput",
        "pointer": "chatseq_output.pointer:PointerOutput",
    }
