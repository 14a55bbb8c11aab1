"""Options come from constructors: checked, converted, and explained when wrong."""

from __future__ import annotations

from typing import Literal

import pytest

from chatseq.core.errors import PartError
from chatseq.core.options import REQUIRED, build_part, check_options, options_of
from chatseq.core.plugins import Plugin, Registry
from chatseq.hookspecs import hookimpl


class Layered:
    """A part with a given size and three options."""

    def __init__(
        self,
        input_size: int,
        *,
        hidden_size: int,
        kind: Literal["sum", "mean"] = "sum",
        dropout: float = 0.0,
    ) -> None:
        if hidden_size % 2:
            raise ValueError(f"hidden_size ({hidden_size}) must be even")
        self.values = (input_size, hidden_size, kind, dropout)


def checked(**given: object) -> dict[str, object]:
    return check_options(Layered, given, what="encoder 'layered'", where="in r.toml [model]")


@pytest.fixture
def registry() -> Registry:
    class Module:
        @hookimpl
        def chatseq_encoders(self) -> dict[str, object]:
            return {"layered": Layered}

    made = Registry()
    made.add(Plugin("mine", Module()))
    return made


def test_options_are_the_keyword_only_arguments() -> None:
    options = options_of(Layered)
    assert list(options) == ["hidden_size", "kind", "dropout"]
    assert options["hidden_size"].default is REQUIRED
    assert options["dropout"].type_name == "float"
    assert options["kind"].type_name == "sum or mean"


def test_values_are_converted_to_the_type_of_the_option() -> None:
    assert checked(hidden_size="64", dropout=1) == {"hidden_size": 64, "dropout": 1.0}


def test_an_unknown_option_names_the_nearest() -> None:
    with pytest.raises(PartError) as caught:
        checked(hiden_size=64)
    assert str(caught.value) == (
        "The encoder 'layered' has no option 'hiden_size' in r.toml [model]. "
        "Did you mean 'hidden_size'?"
    )


def test_a_value_of_another_type_is_told_with_the_type_it_takes() -> None:
    with pytest.raises(PartError, match=r"'hidden_size' .* cannot be 'wide' .* It takes int"):
        checked(hidden_size="wide")
    with pytest.raises(PartError, match="'kind' .* cannot be 'max'"):
        checked(hidden_size=2, kind="max")


def test_a_missing_option_is_told() -> None:
    with pytest.raises(PartError, match="needs the option 'hidden_size' in r.toml"):
        checked(kind="sum")


def test_a_part_is_built_from_its_table(registry: Registry) -> None:
    table = {"name": "layered", "hidden_size": 8}
    built = build_part(registry, "encoder", table, 3, where="in r.toml")
    assert built.values == (3, 8, "sum", 0.0)


def test_a_value_that_the_constructor_refuses_becomes_one_line(registry: Registry) -> None:
    with pytest.raises(PartError) as caught:
        build_part(registry, "encoder", {"name": "layered", "hidden_size": 7}, 3, where="in r.toml")
    assert str(caught.value) == (
        "The encoder 'layered' cannot be built in r.toml: hidden_size (7) must be even"
    )
