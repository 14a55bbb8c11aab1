"""Descriptions are read from source, so that listings never import a heavy library."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

import pytest

from chatseq.core.describe import OptionText, describe, options_told, papers_in, summary_of
from chatseq.core.options import options_of
from chatseq.core.plugins import Part, Plugin, Registry
from chatseq.hookspecs import PART_HOOKS

SOURCE = '''
"""A module (Elman 1990)."""
raise RuntimeError("this module must not be imported")

class Thing:
    """Do a thing.

    More words.

    Args:
        depth: how deep
            it is
        name: as it is called
    """

    def __init__(self, size: int, *, depth: int = 2, name: str) -> None: ...

@decorate(help="From a decorator.")
def command(): ...
'''

PACKAGE = {
    "__init__": "raise RuntimeError('not to be imported')",
    "bases": '''
from typing import Literal
Choice = Literal["a", "b"]

class Base:
    """Be a base (Press and Wolf 2017)."""

    def __init__(self, size: int, *, choice: Choice = "a", width: int = 3) -> None:
        """Build.

        Args:
            choice: a or b
            width: of it
        """
''',
    "parts": '''
from .bases import Base, Choice as Kind
from torch import nn

class Child(Base[int]):
    """Be a child (Luong et al. 2015, section 3.1, "general")."""

class Wider(nn.Module, Base):
    """Be wider."""

    def __init__(self, size: int, *, width: Kind = "b", **options: int) -> None:
        """Build.

        Args:
            width: another one
        """

class Circle(Circle):
    """Be one's own base."""
''',
}


def part(reference: object) -> Part:
    return Part("encoder", "thing", reference, Plugin("mine", object()))  # type: ignore[arg-type]


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "described_in_a_test.py").write_text(SOURCE, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    return "described_in_a_test"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    folder = tmp_path / "package_in_a_test"
    folder.mkdir()
    for name, text in PACKAGE.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    return folder.name


def test_docstring_and_options_come_from_the_source(module: str, tmp_path: Path) -> None:
    description = describe(part(f"{module}:Thing"))
    assert description.summary == summary_of(part(f"{module}:Thing")) == "Do a thing"
    assert description.prose == "Do a thing.\n\nMore words."
    assert description.options == (
        OptionText("depth", "int", "2", "how deep it is"),
        OptionText("name", "str", "", "as it is called"),
    )
    line = SOURCE.split("\n").index("class Thing:") + 1
    assert description.place == f"{tmp_path / 'described_in_a_test.py'}:{line}"
    assert module not in sys.modules


def test_the_paper_of_the_module_stands_in_where_a_class_names_none(module: str) -> None:
    assert describe(part(f"{module}:Thing")).papers == ("Elman 1990",)


def test_the_help_of_a_decorator_stands_in_for_a_docstring(module: str) -> None:
    assert describe(part(f"{module}:command")).summary == "From a decorator"
    assert summary_of(part(f"{module}:command")) == "From a decorator"


def test_a_class_has_the_options_and_papers_of_what_it_is_built_on(package: str) -> None:
    description = describe(part(f"{package}.parts:Child"))
    assert description.doc.startswith("Be a child")
    assert description.options == (
        OptionText("choice", "Literal['a', 'b']", "'a'", "a or b"),
        OptionText("width", "int", "3", "of it"),
    )
    assert description.papers == ("Luong et al. 2015, section 3.1", "Press and Wolf 2017")
    assert not {name for name in sys.modules if name.startswith(package)}


def test_options_that_are_handed_on_come_after_its_own(package: str) -> None:
    assert describe(part(f"{package}.parts:Wider")).options == (
        OptionText("width", "Literal['a', 'b']", "'b'", "another one"),
        OptionText("choice", "Literal['a', 'b']", "'a'", "a or b"),
    )


@pytest.mark.parametrize(
    "reference",
    ["no_such_module:Thing", "described_in_a_test:Absent", "sys:version", "chatseq.absent:Thing"],
)
def test_what_cannot_be_read_has_no_description(module: str, reference: str) -> None:
    assert describe(part(reference)).summary == summary_of(part(reference)) == ""


def test_a_class_that_is_built_on_itself_is_described(package: str) -> None:
    assert describe(part(f"{package}.parts:Circle")).summary == "Be one's own base"


def test_a_file_that_changes_is_read_again(module: str, tmp_path: Path) -> None:
    assert summary_of(part(f"{module}:Thing")) == "Do a thing"
    text = SOURCE.replace("Do a thing.", "Do another thing.")
    (tmp_path / f"{module}.py").write_text(text, encoding="utf-8")
    assert summary_of(part(f"{module}:Thing")) == "Do another thing"


def test_a_class_is_described_from_itself() -> None:
    class Local:
        """Be local (Kudo 2018)."""

        def __init__(self, *, width: int = 3, kind: Literal["x"] = "x") -> None:
            """Build.

            Args:
                width: in columns
            """

    description = describe(part(Local))
    assert description.summary == summary_of(part(Local)) == "Be local (Kudo 2018)"
    assert description.options[0] == OptionText("width", "int", "3", "in columns")
    assert description.options[1].name == "kind"
    assert description.papers == ("Kudo 2018",)
    assert description.place.rpartition(":")[0] == __file__


def test_what_a_class_inherits_is_told_too() -> None:
    class Base:
        """Be a base (Kudo 2018)."""

        def __init__(self, *, width: int = 3) -> None:
            """Build.

            Args:
                width: in columns
            """

    class Child(Base):
        """Be a child."""

    description = describe(part(Child))
    assert description.options == (OptionText("width", "int", "3", "in columns"),)
    assert description.papers == ("Kudo 2018",)


@pytest.mark.parametrize(
    ("text", "papers"),
    [
        ("Score it (Bahdanau et al. 2015, A.1.2).", ["Bahdanau et al. 2015, A.1.2"]),
        ("As (Press and\nWolf 2017) did.", ["Press and Wolf 2017"]),
        ("Paulus et al. (2017), section 2.5, forbid it", ["Paulus et al. 2017, section 2.5"]),
        ("(See et al. 2017, equations 8 and 9)", ["See et al. 2017, equations 8 and 9"]),
        ("Luong, Pham and Manning 2015", ["Luong, Pham and Manning 2015"]),
        ("Kumar & Byrne 2004; Kumar & Byrne 2004", ["Kumar & Byrne 2004"]),
        ("as van den Oord et al. 2016, section 2. It", ["van den Oord et al. 2016, section 2"]),
        ("(Fawcett 2006), Popović (2015)", ["Fawcett 2006", "Popović 2015"]),
        ("In 2015 there were 2016 of them", []),
        ("Since 1990, at least 2000 tokens", []),
    ],
)
def test_papers_are_found_by_author_and_year(text: str, papers: list[str]) -> None:
    assert list(papers_in(text)) == papers


def test_what_is_told_of_arguments_ends_with_their_section() -> None:
    doc = """Do.

    Args:
        *rest: all others
        size (int): how large;
            more of it

            and more: with a colon
        kind: one

    Raises:
        ValueError: never
    """
    assert options_told(doc) == {
        "rest": "all others",
        "size": "how large; more of it and more: with a colon",
        "kind": "one",
    }
    assert options_told("No arguments: none") == {}


def test_what_is_read_of_the_built_in_parts_is_what_is_there(registry: Registry) -> None:
    found = 0
    for kind in [kind for kind in PART_HOOKS if "command" not in kind]:
        for each in registry.parts(kind).values():
            if each.plugin.origin != "chatseq":
                continue
            description = describe(each)
            assert description.summary, f"{kind} {each.name}"
            assert summary_of(each) == description.summary
            options = list(options_of(each.load()))
            assert [option.name for option in description.options] == options
            found += len(options)
    assert found > 50
