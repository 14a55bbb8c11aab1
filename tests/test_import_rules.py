"""Each rule about imports finds its fault, in sources that were made for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from import_rules import beyond, circles, imports, named_plugins, upward

Make = Callable[..., None]
LAYERS = ({"core"}, {"bots"}, {"cli"})
TYPED = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    "


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Return what writes modules of a small project, the dots of their names being slashes."""

    def make(**files: str) -> None:
        for name, text in files.items():
            top, _, rest = name.partition("__")
            base = tmp_path if top == "chatseq" else tmp_path / "plugins"
            file = base / top / f"{rest.replace('__', '/')}.py"
            file.parent.mkdir(parents=True, exist_ok=True)
            (file.parent / "__init__.py").touch()
            file.write_text(text, encoding="utf-8")

    return make


@pytest.mark.parametrize(
    "line",
    [
        "from chatseq.cli.main import run",
        "from chatseq.cli import main",
        "import chatseq.cli.main",
        f"{TYPED}from chatseq.cli.main import run",
        "def late():\n    from chatseq.cli.main import run",
    ],
)
def test_an_import_that_points_up_is_found_wherever_it_stands(
    make: Make, tmp_path: Path, line: str
) -> None:
    make(chatseq__core__files=line, chatseq__cli__main="from chatseq.bots import bot")
    found = imports(tmp_path)
    assert upward(found, LAYERS) == ["chatseq.core.files imports chatseq.cli.main"]


def test_nobody_below_looks_at_the_door_of_the_package(make: Make, tmp_path: Path) -> None:
    make(chatseq__core__files="import chatseq", chatseq____init__="from chatseq.cli import main")
    assert upward(imports(tmp_path), LAYERS) == ["chatseq.core.files imports chatseq"]


@pytest.mark.parametrize("way", ["", TYPED, "def late():\n    "])
def test_a_circle_is_found_wherever_its_imports_stand(make: Make, tmp_path: Path, way: str) -> None:
    make(
        chatseq__bots__bot="from chatseq.bots.contracts import Responder",
        chatseq__bots__contracts="import chatseq.bots.fit",
        chatseq__bots__fit=f"{way}from chatseq.bots import bot",
        chatseq__bots__alone="from chatseq.bots import bot",
    )
    ring = ["chatseq.bots.bot", "chatseq.bots.contracts", "chatseq.bots.fit"]
    assert circles(imports(tmp_path)) == [ring]


def test_two_circles_through_one_module_are_both_found(make: Make, tmp_path: Path) -> None:
    make(
        chatseq__a="from chatseq import b, c",
        chatseq__b="import chatseq.a",
        chatseq__c="import chatseq.a",
    )
    found = {frozenset(way) for way in circles(imports(tmp_path))}
    assert found == {frozenset({"chatseq.a", "chatseq.b"}), frozenset({"chatseq.a", "chatseq.c"})}


def test_a_plugin_that_looks_into_the_core_is_found(make: Make, tmp_path: Path) -> None:
    make(
        chatseq__core__secret="",
        chatseq__hookspecs="",
        chatseq_mine__part=f"import chatseq.hookspecs\n{TYPED}from chatseq.core import secret",
    )
    wrong = ["chatseq_mine.part imports chatseq.core.secret"]
    assert beyond(imports(tmp_path), {"chatseq.hookspecs"}, {}) == wrong


def test_a_plugin_that_builds_on_another_must_say_so(make: Make, tmp_path: Path) -> None:
    make(chatseq_mine__part="from chatseq_rnn import layers", chatseq_rnn__layers="")
    found = imports(tmp_path)
    assert beyond(found, (), {}) == ["chatseq_mine.part imports chatseq_rnn.layers"]
    assert beyond(found, (), {"chatseq_mine": {"chatseq_rnn"}}) == []


def test_a_core_that_names_a_plugin_is_found(make: Make, tmp_path: Path) -> None:
    make(chatseq__bots__bot="import chatseq_rnn.layers", chatseq_rnn__layers="")
    assert named_plugins(imports(tmp_path)) == ["chatseq.bots.bot imports chatseq_rnn.layers"]
