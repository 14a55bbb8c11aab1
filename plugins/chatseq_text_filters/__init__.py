"""Built-in text filters: what a question passes before anything reads it."""

from __future__ import annotations

from chatseq.hookspecs import Reference, hookimpl


@hookimpl
def chatseq_text_filters() -> dict[str, Reference]:
    return {
        "normalise": "chatseq_text_filters.normalise:Normalise",
        "scrub": "chatseq_text_filters.scrub:Scrub",
        "spell": "chatseq_text_filters.spell:Spell",
    }
