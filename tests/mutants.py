"""For the tests of the kit: which checks find a part that is wrong on purpose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from chatseq.testing.check import Result
from chatseq.testing.checks import every_part
from chatseq.testing.run import check_part, checks_for


def found_by(kind: str, component: Callable[..., Any], **given: Any) -> dict[str, str]:
    """Return the checks that a part breaks, each with its reason."""
    outcomes = check_part(kind, component, **given)
    return {o.check.name: o.reason for o in outcomes if o.result is Result.BROKEN}


def names(kind: str) -> set[str]:
    """Return the names of the checks of a kind, those for every part left out."""
    common = vars(every_part).values()
    return {check.name for check in checks_for(kind) if check not in common}


class Mutant(NamedTuple):
    """A part that breaks one check, and what is told of it."""

    component: Callable[..., Any]
    told: str
    also: frozenset[str] = frozenset()  # checks that cannot but break together with it


def mutant(component: Callable[..., Any], told: str, *also: str) -> Mutant:
    """Return a mutant; other checks break with it only where they look at the same thing."""
    return Mutant(component, told, frozenset(also))


def assert_proved(kind: str, mutants: Mapping[str, Mutant]) -> None:
    """Assert that there is a mutant for each check of a kind, and for no other."""
    assert set(mutants) == names(kind)


def assert_found(kind: str, check: str, wrong: Mutant, **given: Any) -> None:
    """Assert that a check finds its mutant, tells why, and that no other check complains."""
    if wrong.component.__doc__ is None:
        wrong.component.__doc__ = "Be wrong in one way."
    found = found_by(kind, wrong.component, **given)
    assert set(found) == {check} | wrong.also, found
    assert wrong.told in found[check], found
