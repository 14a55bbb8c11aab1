"""What every part that is built with options must keep to, whatever it does."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

from chatseq.core.options import REQUIRED, check_options
from chatseq.core.plugins import discover
from chatseq.testing.check import Context, Make, NotApplicable, check, require
from chatseq.testing.rounds import Rounds
from chatseq.testing.values import odd_numbers

_ARGS = re.compile(r"^\s*Args:\s*$(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)


@check(Rounds.FIRST)
def it_says_what_it_does(make: Make, context: Context) -> None:
    """The docstring of the component begins with a line for listings."""
    component = context.subject.component
    doc = component.__doc__ or ""
    require(bool(doc.strip()), f"{_name(component)} has no docstring of its own. Write one line.")


@check(Rounds.FIRST)
def every_option_is_documented(make: Make, context: Context) -> None:
    """Each option is told under `Args:` of the class or of its constructor."""
    sections = " ".join(_args_sections(context.subject.component))
    for name in context.subject.options:
        said = re.search(rf"\b{re.escape(name)}\b", sections)
        require(said is not None, f"the option '{name}' is not told under `Args:`. Add a line.")


@check(Rounds.FIRST)
def every_option_fits_a_recipe(make: Make, context: Context) -> None:
    """Each option has a type, and its default is a value of that type."""
    for name, option in context.subject.options.items():
        require(option.type is not Any, f"the option '{name}' has no type. Annotate it.")
        if option.default is not REQUIRED:
            given = {**context.subject.first, name: option.default}
            check_options(context.subject.component, given, what="part", where="by default")


@check(Rounds.ALL)
def every_value_of_every_option_is_taken(make: Make, context: Context) -> None:
    """The part is built with each choice of each option, and with another number for each."""
    subject = context.subject
    _built(make, context)
    for name in subject.untried():
        require(False, f"no other number near its default was taken for the option '{name}'. "
                       f"Name values: example_options = {{'{name}': [...]}}")  # fmt: skip


@check(Rounds.FIRST)
def values_it_cannot_take_are_a_value_error(make: Make, context: Context) -> None:
    """A number out of range is refused with a ValueError that says so, or is taken."""
    subject = context.subject
    for name, option in subject.options.items():
        for number in odd_numbers(option):
            for arguments in _arguments(context):
                try:
                    subject.component(*arguments, **{**subject.first, name: number})
                except ValueError as fault:
                    require(bool(str(fault)), f"{name}={number} is refused without a word")
                except Exception as fault:
                    raise AssertionError(
                        f"{name}={number} gives {type(fault).__name__}: {fault}. "
                        "Raise a ValueError that says what the option takes."
                    ) from fault


@check(Rounds.FIRST)
def its_name_is_free(make: Make, context: Context) -> None:
    """No other installed plugin has a part of this kind by this name."""
    subject = context.subject
    if not subject.name:
        raise NotApplicable("no name was given")
    registry = discover()
    others = [part for part in registry.contested() if _is_it(part.kind, part.name, context)]
    holder = registry.parts(subject.kind).get(subject.name)
    if holder is not None:
        others.append(holder)
    for part in others:
        if part.load() is not subject.component:
            raise AssertionError(
                f"the {subject.kind} '{subject.name}' is also provided by plugin "
                f"{part.plugin.name}. Choose another name."
            )


def _is_it(kind: str, name: str, context: Context) -> bool:
    return (kind, name) == (context.subject.kind, context.subject.name)


def _built(make: Make, context: Context) -> Any:
    """Return the part, built in the first of the ways that it takes."""
    refused: ValueError | None = None
    for arguments in _arguments(context):
        try:
            return make(*arguments)
        except ValueError as fault:
            refused = fault
    assert refused is not None  # noqa: S101  (there is at least one way)
    raise refused


def _arguments(context: Context) -> Iterator[tuple[Any, ...]]:
    ways = context.subject.arguments
    return ways() if ways is not None else iter(())


def _args_sections(component: Any) -> Iterator[str]:
    """Yield what stands under `Args:` in the docstrings that belong to the constructor."""
    classes = inspect.getmro(component) if inspect.isclass(component) else ()
    for owner in (component, *classes):
        for documented in (owner, vars(owner).get("__init__") if owner in classes else None):
            doc = inspect.cleandoc(getattr(documented, "__doc__", None) or "")
            yield from (found[1] for found in _ARGS.finditer(doc))


def _name(component: Any) -> str:
    return getattr(component, "__qualname__", type(component).__name__)
