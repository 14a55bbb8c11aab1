"""Descriptions are read from source, so that listings never import a heavy library."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from chatseq.describe import OptionText, describe
from chatseq.plugins import Part, Plugin

SOURCE = '''
raise RuntimeError("this module must not be imported")

class Thing:
    """Do a thing.

    More words.
    """

    def __init__(self, size: int, *, depth: int = 2, name: str) -> None: ...

@decorate(help="From a decorator.")
def command(): ...
'''


def part(reference: object) -> Part:
    return Part("encoder", "thing", reference, Plugin("mine", object()))  # type: ignore[arg-type]


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "described_in_a_test.py").write_text(SOURCE, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    return "described_in_a_test"


def test_docstring_and_options_come_from_the_source(module: str) -> None:
    description = describe(part(f"{module}:Thing"))
    assert description.summary == "Do a thing"
    assert description.options == (OptionText("depth", "int", "2"), OptionText("name", "str", ""))
    assert module not in sys.modules


def test_the_help_of_a_decorator_stands_in_for_a_docstring(module: str) -> None:
    assert describe(part(f"{module}:command")).summary == "From a decorator"


@pytest.mark.parametrize("reference", ["no_such_module:Thing", "described_in_a_test:Absent"])
def test_what_cannot_be_read_has_no_description(module: str, reference: str) -> None:
    assert describe(part(reference)).summary == ""


def test_a_class_is_described_from_itself() -> None:
    class Local:
        """Be local."""

        def __init__(self, *, width: int = 3) -> None: ...

    description = describe(part(Local))
    assert description.summary == "Be local"
    assert [option.name for option in description.options] == ["width"]
