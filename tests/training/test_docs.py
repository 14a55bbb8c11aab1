"""docs/training.md tells the truth."""

from __future__ import annotations

import re
import types
from pathlib import Path

import pytest

from chatseq.bots.bundle.manifest import CARD, MANIFEST, REQUIRED
from chatseq.cli.train import train as command
from chatseq.core.paths import runs_folder
from chatseq.core.plugins import Plugin, Registry, discover
from chatseq.core.recipe import load_recipe
from chatseq.engines.graphs import ENCODER, STEP
from chatseq.model.compatibility import check_compatibility
from chatseq.training.choose_recipe import _MOST_FOR_FAQ
from chatseq.training.job import _FEWEST, _MAY_CHANGE, prepare
from chatseq.training.run import train
from chatseq.training.schedule import RISES, SCHEDULES
from chatseq.training.validation import _MOST_REPLIES

from .conftest import exchanges, small_recipe

TEXT = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")


def test_every_option_is_one_of_the_command() -> None:
    known = {option for parameter in command.params for option in parameter.opts}
    commands = re.sub(r"python benchmarks/.*", "", TEXT)  # which have options of their own
    assert set(re.findall(r"--[a-z][a-z-]+", commands)) <= known


def test_every_setting_exists() -> None:
    named = set(re.findall(r"`((?:training|data|model)(?:\.\w+)+)`", TEXT))
    recipe = load_recipe("tiny").model_dump()
    assert len(named) > 8
    for path in named:
        value = recipe
        for key in path.split("."):
            assert key in value, path
            value = value[key]


@pytest.mark.parametrize("line", [line for line in TEXT.splitlines() if "--set" in line])
def test_every_setting_shown_fits_the_recipe(line: str, registry: Registry) -> None:
    settings = re.findall(r"--set ([\w.]+=[\w.-]+)", line)
    check_compatibility(registry, load_recipe("faq").apply(settings))
    assert settings or "`--set`" in line


def test_every_schedule_and_rise_is_told() -> None:
    assert all(f"| `{name}`" in TEXT for name in SCHEDULES)
    assert all(f"`{name}`" in TEXT for name in RISES)


@pytest.mark.parametrize("number", [_FEWEST, f"{_MOST_FOR_FAQ:,}", _MOST_REPLIES])
def test_the_numbers_are_those_of_the_code(number: object) -> None:
    assert str(number) in TEXT


def test_what_may_differ_when_resuming_is_told() -> None:
    told = TEXT[TEXT.index("`--resume` wants") : TEXT.index("## What is stored")]
    assert all(name in told for name in _MAY_CHANGE)


def test_every_file_of_a_bot_is_listed() -> None:
    assert all(name in TEXT for name in (*REQUIRED, ENCODER, STEP, CARD, MANIFEST))


def test_the_plugin_of_the_page_works() -> None:
    source = TEXT[TEXT.index("    from chatseq.hookspecs") : TEXT.index("Its failure")]
    module = types.ModuleType("shown")
    lines = [line.removeprefix("    ") for line in source.split("\n")]
    exec("\n".join(lines), module.__dict__)  # noqa: S102  (the page's own example)
    registry = discover()
    registry.add(Plugin("shown", module))
    list(train(prepare(registry, exchanges(), small_recipe(), name="faq")))
    assert registry.faults == []
    assert float((runs_folder() / "faq" / "best.txt").read_text()) >= 0
