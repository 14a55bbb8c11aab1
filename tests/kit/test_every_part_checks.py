"""The checks that every part with options goes through, shown on metrics, which need little."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from kit.small_parts import MeanLength
from mutants import assert_found, found_by, mutant

from chatseq.testing import check_part


class Options(MeanLength):
    """A metric with options of every sort.

    Args:
        unit: what is counted
        scale: the figure is multiplied by it
        words: are left out
        least: characters of a reply that counts
        half: counts only every other one
    """

    built: list[dict[str, Any]] = []  # noqa: RUF012
    example_options = {"words": [("a",), ("b", "c")]}  # noqa: RUF012

    def __init__(
        self,
        *,
        words: tuple[str, ...],
        unit: Literal["character", "word"] = "character",
        scale: float = 1.0,
        least: int | None = None,
        half: bool = False,
    ) -> None:
        super().__init__()
        if scale <= 0 or scale != scale:
            raise ValueError(f"scale ({scale}) must be more than 0.")
        given = {"words": words, "unit": unit, "scale": scale, "least": least, "half": half}
        self.built.append(given)


class SaysNothing(MeanLength):
    def __init__(self) -> None:
        super().__init__()


SaysNothing.__doc__ = ""


class TellsNoOption(MeanLength):
    """A metric whose options are a secret."""

    def __init__(self, *, secret: bool = False) -> None:
        super().__init__()


class HasNoType(MeanLength):
    """Take anything.

    Args:
        anything: whatever you like
    """

    def __init__(self, *, anything=None) -> None:  # type: ignore[no-untyped-def]
        super().__init__()


class BreaksOnAChoice(MeanLength):
    """Offer what is not there.

    Args:
        unit: `character` or `word`
    """

    def __init__(self, *, unit: Literal["character", "word"] = "character") -> None:
        super().__init__()
        if unit == "word":
            raise ValueError("words are not counted yet")


class DividesAtOnce(MeanLength):
    """Divide by an option.

    Args:
        parts: in how many
    """

    def __init__(self, *, parts: int = 2) -> None:
        super().__init__()
        self.share = 1 / parts


class TakesOneNumber(MeanLength):
    """Take a number of a kind.

    Args:
        prime: a prime beyond a hundred
    """

    def __init__(self, *, prime: int = 101) -> None:
        super().__init__()
        if prime not in (101, 211):
            raise ValueError(f"prime ({prime}) must be 101 or 211.")


TAKEN = "every value of every option is taken"
MUTANTS = {
    "it says what it does": mutant(SaysNothing, "has no docstring"),
    "every option is documented": mutant(TellsNoOption, "'secret' is not told"),
    "every option fits a recipe": mutant(HasNoType, "'anything' has no type"),
    TAKEN: mutant(TakesOneNumber, "no other number near its default"),
    "values it cannot take are a value error": mutant(DividesAtOnce, "parts=0 gives ZeroDivision"),
}


@pytest.mark.parametrize("check", MUTANTS)
def test_a_check_finds_its_mutant_and_is_alone(check: str) -> None:
    assert_found("metric", check, MUTANTS[check])


def test_a_choice_that_is_refused_is_told_in_every_check() -> None:
    found = found_by("metric", BreaksOnAChoice)
    assert found[TAKEN] == "with unit='word': ValueError: words are not counted yet"
    assert "looking changes nothing" in found


def test_a_name_that_is_taken_is_told() -> None:
    found = found_by("metric", MeanLength, name="bleu")
    assert found == {
        "its name is free": "the metric 'bleu' is also provided by plugin chatseq_metrics. "
        "Choose another name."
    }
    assert found_by("metric", MeanLength, name="mean-length") == {}


def test_a_part_under_its_own_name_is_no_clash() -> None:
    from chatseq_metrics.bleu import Bleu

    assert found_by("metric", Bleu, name="bleu") == {}


def test_without_a_name_nothing_is_said_of_it() -> None:
    [outcome] = [o for o in check_part("metric", MeanLength) if o.check.name == "its name is free"]
    assert (outcome.result, outcome.reason) == ("not applicable", "no name was given")


def test_every_value_worth_trying_of_every_option_is_tried() -> None:
    Options.built.clear()
    assert found_by("metric", Options) == {}
    tried = {name: [] for name in ("words", "unit", "scale", "least", "half")}  # type: ignore[var-annotated]
    for given in Options.built:
        for name, value in given.items():
            if value not in tried[name]:
                tried[name].append(value)
    assert tried["words"] == [("a",), ("b", "c")]
    assert tried["unit"] == ["character", "word"]
    assert {1.0, 0.5} <= set(tried["scale"])
    assert None in tried["least"]
    assert 8 in tried["least"]
    assert tried["half"] == [False, True]


def test_values_can_be_given_to_the_check() -> None:
    assert found_by("metric", TakesOneNumber, options={"prime": [101, 211]}) == {}
    found = found_by("metric", TakesOneNumber, options={"prime": [101, 7]})
    assert found[TAKEN] == "with prime=7: ValueError: prime (7) must be 101 or 211."


class NeedsWords(MeanLength):
    """Leave words out.

    Args:
        words: to leave out
    """

    def __init__(self, *, words: tuple[str, ...]) -> None:
        super().__init__()


def test_an_option_without_any_value_is_told_with_what_to_do() -> None:
    found = found_by("metric", NeedsWords)
    assert found[TAKEN] == (
        "The option 'words' must be given, and the checks know no value for it. "
        "Name some in the part: example_options = {'words': [...]}"
    )
    assert found_by("metric", NeedsWords, options={"words": [("a",)]}) == {}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"wrods": [1]}, "Values are given for the option 'wrods' it does not have. Did you mean"),
        ({"words": "a"}, "The values of the option 'words' are 'a'. Give a list"),
        ({"words": []}, "The values of the option 'words' are []. Give a list"),
    ],
)
def test_values_that_make_no_sense_are_told(options: Any, told: str) -> None:
    assert told in found_by("metric", NeedsWords, options=options)[TAKEN]
