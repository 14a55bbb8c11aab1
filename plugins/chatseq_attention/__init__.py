"""Built-in plugin: the attentions, each with a normaliser of choice where it has one."""

from __future__ import annotations

from collections.abc import Mapping

from chatseq.hookspecs import Reference, hookimpl


@hookimpl
def chatseq_attentions() -> Mapping[str, Reference]:
    """Name the attentions."""
    return {
        "dot": "chatseq_attention.multiplicative:DotAttention",
        "scaled-dot": "chatseq_attention.multiplicative:ScaledDotAttention",
        "general": "chatseq_attention.multiplicative:GeneralAttention",
        "additive": "chatseq_attention.additive:AdditiveAttention",
        "concat": "chatseq_attention.additive:ConcatAttention",
        "multi-head": "chatseq_attention.multi_head:MultiHeadAttention",
        "local-p": "chatseq_attention.local:LocalPredictiveAttention",
        "location": "chatseq_attention.coverage_location:LocationAttention",
        "coverage": "chatseq_attention.coverage_location:CoverageAttention",
        "monotonic": "chatseq_attention.monotonic:MonotonicAttention",
    }
