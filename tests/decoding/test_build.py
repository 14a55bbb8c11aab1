"""Strategy and adjusters of a recipe are built in one place."""

from __future__ import annotations

import pytest

from chatseq.core.errors import PartError
from chatseq.core.plugins import Registry
from chatseq.core.recipe import load_recipe
from chatseq.decoding.build import build_decoding

STOPS = 'decoding.adjusters=[{name="stop-strings", strings=["."]}, {name="ngram-block"}]'


def test_the_parts_are_those_of_the_recipe_in_its_order(registry: Registry) -> None:
    recipe = load_recipe("tiny").apply(["decoding.strategy.name=beam", STOPS])
    built = build_decoding(registry, recipe)
    kinds = [type(part).__name__ for part in (built.strategy, *built.adjusters)]
    assert kinds == ["Beam", "StopStrings", "NgramBlock"]
    assert built.stops == (".",)


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("decoding.strategy.name=beem", r"'beem' in the bot 'faq' \[decoding\.strategy\]"),
        ("decoding.adjusters=[{name='no'}]", r"'no' in the bot 'faq' \[decoding\.adjusters\]"),
    ],
)
def test_an_error_tells_the_place(registry: Registry, setting: str, told: str) -> None:
    recipe = load_recipe("tiny").apply([setting])
    with pytest.raises(PartError, match=told):
        build_decoding(registry, recipe, where="in the bot 'faq'")
