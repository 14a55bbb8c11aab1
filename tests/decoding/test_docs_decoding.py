"""docs/decoding.md: every part and option is in it, and every setting in it can be made."""

from __future__ import annotations

import itertools
import re
import shlex
import tomllib
from pathlib import Path

import pytest

from chatseq.core.options import build_part, options_of
from chatseq.core.plugins import Registry, discover
from chatseq.core.recipe import Recipe, load_recipe

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "decoding.md").read_text("utf-8")
COMMANDS = [
    line.strip().split("  # ")[0]
    for line in PAGE.splitlines()
    if line.startswith("    ") and "--s" in line
]
ROWS = {
    cells[0].strip("` "): set(re.findall(r"`(\w+)`", cells[-1]))
    for cells in (line.strip("|").split("|") for line in PAGE.splitlines())
    if len(cells) > 2 and cells[0].startswith(" `")
}
OWN = [
    (kind, name)
    for kind in ("strategy", "adjuster")
    for name, part in sorted(discover().parts(kind).items())
    if part.plugin.name == "chatseq_strategies"
]


def settings(command: str) -> list[str]:
    words = shlex.split(command)
    named = [
        f"decoding.strategy.name={after}"
        for at, after in itertools.pairwise(words)
        if at == "--strategy"
    ]
    return named + [after for at, after in itertools.pairwise(words) if at == "--set"]


def build(registry: Registry, recipe: Recipe) -> None:
    decoding = recipe.decoding
    build_part(registry, "strategy", decoding.strategy, where="in the page")
    for adjuster in decoding.adjusters:
        build_part(registry, "adjuster", adjuster, where="in the page")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_setting_of_the_page_can_be_made(registry: Registry, command: str) -> None:
    wanted = settings(command)
    assert wanted
    recipe = load_recipe("tiny").apply(wanted)
    assert recipe.decoding != load_recipe("tiny").decoding
    build(registry, recipe)


def test_the_table_of_a_recipe_on_the_page_can_be_built(registry: Registry) -> None:
    [block] = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    recipe = load_recipe("tiny")
    values = {**recipe.model_dump(), **tomllib.loads(block)}
    build(registry, Recipe.model_validate(values))


@pytest.mark.parametrize(("kind", "name"), OWN)
def test_every_part_is_on_the_page_with_all_its_options(
    registry: Registry, kind: str, name: str
) -> None:
    options = set(options_of(registry.find(kind, name).load()))
    assert ROWS[name] == options


@pytest.mark.parametrize(("kind", "name"), OWN)
def test_every_part_tells_its_options_and_where_it_comes_from(
    registry: Registry, kind: str, name: str
) -> None:
    component = registry.find(kind, name).load()
    doc = component.__doc__ or ""
    for option in options_of(component):
        assert re.search(rf"^ +{option}: ", doc, re.MULTILINE), option
    own = {"greedy", "banned-words", "required-words", "minimum-length", "stop-strings"}
    own |= {"forced-prefix"}
    assert name in own or re.search(r"\(?(19|20)\d\d\)?|et al", doc)


def test_lists_come_through_the_command_line_as_they_are_written() -> None:
    text = '[{name="banned-words", words=["foo", "b a r"]}, {name="minimum-length", tokens=2}]'
    recipe = load_recipe("tiny").apply([f"decoding.adjusters={text}"])
    assert recipe.decoding.adjusters == (
        {"name": "banned-words", "words": ["foo", "b a r"]},
        {"name": "minimum-length", "tokens": 2},
    )
    recipe = recipe.apply(
        ["decoding.strategy.name=sample", "decoding.strategy.temperature=0.8", "responder.seed=7"]
    )
    assert recipe.decoding.strategy == {"name": "sample", "temperature": 0.8}
    again = recipe.apply(["decoding.strategy.name=lexical", 'decoding.strategy.words=["a"]'])
    assert again.decoding.strategy == {"name": "lexical", "words": ["a"]}
