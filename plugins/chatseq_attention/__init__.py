"""Built-in plugin: the attentions of Luong et al. 2015 and Bahdanau et al. 2015."""

from __future__ import annotations

from collections.abc import Mapping

from chatseq.hookspecs import Reference, hookimpl


@hookimpl
def chatseq_attentions() -> Mapping[str, Reference]:
    """Name the attentions."""
    return {
        "dot": "chatseq_attention.multiplicative:DotAttention",
        "general": "chatseq_attention.multiplicative:GeneralAttention",
        "additive": "chatseq_attention.additive:AdditiveAttention",
    }
