"""Build what the section [decoding] of a recipe names."""

from __future__ import annotations

from typing import NamedTuple

from chatseq.core.options import build_part
from chatseq.core.plugins import Registry
from chatseq.core.recipe import Recipe
from chatseq.decoding.contracts import Adjuster, Strategy
from chatseq.decoding.growing_text import stops_of


class DecodingParts(NamedTuple):
    """What chooses the tokens of replies; they hold options alone, so any number may search."""

    strategy: Strategy
    adjusters: tuple[Adjuster, ...]  # change the scores before the strategy sees them, in order

    @property
    def stops(self) -> tuple[str, ...]:
        """The strings at which replies end."""
        return stops_of(self.adjusters)


def build_decoding(registry: Registry, recipe: Recipe, *, where: str = "in") -> DecodingParts:
    """Build the strategy and the adjusters of a recipe.

    Args:
        where: begins the place that an error tells, such as "in the bot 'faq'"

    Raises:
        PartError: the recipe names a part or an option that does not exist, or one refuses a value.
    """
    section = recipe.decoding
    strategy: Strategy = build_part(
        registry, "strategy", section.strategy, where=f"{where} [decoding.strategy]"
    )
    adjusters: list[Adjuster] = [
        build_part(registry, "adjuster", table, where=f"{where} [decoding.adjusters]")
        for table in section.adjusters
    ]
    return DecodingParts(strategy, tuple(adjusters))
