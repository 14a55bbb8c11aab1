"""The options of a part: the keyword-only arguments of its constructor, checked and built.

Positional arguments are what chatseq itself hands over (sizes, a bot); they are never options. An
option may name another part, as a recipe does, when its type says of which kind:

    def __init__(self, bot, *, inner: Annotated[dict[str, Any], PartOf("responder")])
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

from chatseq.core.errors import ErrorKind, PartError, did_you_mean, nearest
from chatseq.core.plugins import Part, Registry

REQUIRED = inspect.Parameter.empty


@dataclass(frozen=True, slots=True)
class PartOf:
    """Marks an option whose value is the table of a part, its name alone, or several of those."""

    kind: str


class NestedPart(NamedTuple):
    """A part that an option of another one names."""

    kind: str
    option: str
    table: Mapping[str, Any]  # {"name": ..., option: value}


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a part, for listings and checks."""

    name: str
    type: Any
    default: Any  # REQUIRED where there is none
    kind: str = ""  # of the part that its value names; empty: it names none

    @property
    def choices(self) -> tuple[str, ...]:
        """The values that it may have, where they can be listed."""
        if typing.get_origin(self.type) is not typing.Literal:
            return ()
        return tuple(map(str, typing.get_args(self.type)))

    @property
    def type_name(self) -> str:
        """The type as people write it, or the choices."""
        if self.kind:
            return f"the name and the options of a {self.kind}"
        if self.choices:
            return " or ".join(self.choices)
        return getattr(self.type, "__name__", str(self.type)).replace("typing.", "")


def options_of(component: Callable[..., Any]) -> dict[str, Option]:
    """Return the options of a component by name, in the order of its constructor."""
    target = component.__init__ if inspect.isclass(component) else component
    try:
        hints = typing.get_type_hints(target)
        marked = typing.get_type_hints(target, include_extras=True)
    except (NameError, TypeError):
        hints = marked = {}
    found = {}
    for parameter in inspect.signature(component).parameters.values():
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            name = parameter.name
            kind = _kind_named(marked.get(name))
            found[name] = Option(name, hints.get(name, Any), parameter.default, kind)
    return found


def check_options(
    component: Callable[..., Any], given: Mapping[str, Any], *, what: str, where: str
) -> dict[str, Any]:
    """Return the given options converted to their types.

    Args:
        what: the part as shown in messages, "attention 'general'"
        where: the place that gave them, "[model.attention]"

    Raises:
        PartError: an option is unknown, missing or of another type.
    """
    known = options_of(component)
    for name in given:
        if name not in known:
            hint = did_you_mean(name, known) or " It has no options."
            raise PartError(
                f"The {what} has no option '{name}' {where}.{hint}",
                kind=ErrorKind.OPTION_UNKNOWN,
                place=where,
                choices=nearest(name, known),
            )
    missing = [o.name for o in known.values() if o.default is REQUIRED and o.name not in given]
    if missing:
        raise PartError(
            f"The {what} needs the option '{missing[0]}' {where}. Add it there.",
            kind=ErrorKind.OPTION_MISSING,
            place=where,
            choices=missing,
        )
    return {name: _converted(known[name], value, what, where) for name, value in given.items()}


def build_part(
    registry: Registry,
    kind: str,
    spec: Mapping[str, Any],
    *arguments: object,
    where: str,
) -> Any:
    """Build the part that a table of a recipe describes.

    Args:
        spec: `{"name": ..., option: value, ...}`
        arguments: what chatseq hands over, positional

    Raises:
        PartError: no such part, a bad option, or a value that its constructor refuses.
    """
    name = str(spec.get("name", ""))
    component = registry.find(kind, name, where=where).load()
    given = {key: value for key, value in spec.items() if key != "name"}
    what = f"{kind} '{name}'"
    options = check_options(component, given, what=what, where=where)
    try:
        return component(*arguments, **options)
    except ValueError as fault:
        told = f"The {what} cannot be built {where}: {fault}"
        raise PartError(told, kind=ErrorKind.OPTION_INVALID, place=where) from fault


def check_part(registry: Registry, kind: str, spec: Mapping[str, Any], *, where: str) -> Part:
    """Check the name and the options of a part without building it, and return it.

    The parts that its options name are checked, too.
    """
    name = str(spec.get("name", ""))
    part = registry.find(kind, name, where=where)
    given = {key: value for key, value in spec.items() if key != "name"}
    check_options(part.load(), given, what=f"{kind} '{name}'", where=where)
    for nested in _named_in(part, given, where):
        place = f"in the {nested.option} of the {kind} '{name}' {where}"
        check_part(registry, nested.kind, nested.table, where=place)
    return part


def nested_parts(
    registry: Registry, kind: str, spec: Mapping[str, Any], *, where: str = ""
) -> Iterator[NestedPart]:
    """Yield the parts that the options of a part name, those named by default too, at any depth.

    Raises:
        PartError: one of them does not exist, or is no table with a name.
    """
    part = registry.find(kind, str(spec.get("name", "")), where=where)
    given = {key: value for key, value in spec.items() if key != "name"}
    for nested in _named_in(part, given, where):
        yield nested
        yield from nested_parts(registry, nested.kind, nested.table, where=where)


def _named_in(part: Part, given: Mapping[str, Any], where: str) -> Iterator[NestedPart]:
    for option in options_of(part.load()).values():
        value = given.get(option.name, option.default)
        if not option.kind or value is REQUIRED or value is None:
            continue
        for table in map(part_table, [value] if isinstance(value, Mapping | str) else value):
            if not isinstance(table, Mapping) or not isinstance(table.get("name"), str):
                raise PartError(
                    f"The option '{option.name}' of the {part.kind} '{part.name}' names no "
                    f"{option.kind}: {table!r} {where}. Write "
                    f'{option.name} = {{name = "NAME", OPTION = VALUE}}',
                    kind=ErrorKind.OPTION_INVALID,
                    place=where,
                )
            yield NestedPart(option.kind, option.name, table)


def part_table(value: Any) -> Any:
    """Return the table of a part that may be named by its name alone."""
    return {"name": value} if isinstance(value, str) else value


def _kind_named(marked: Any) -> str:
    """Return the kind of part that a type is marked with, also within a union."""
    if typing.get_origin(marked) is Annotated:
        for mark in typing.get_args(marked)[1:]:
            if isinstance(mark, PartOf):
                return mark.kind
    return next(filter(None, map(_kind_named, typing.get_args(marked))), "")


def _converted(option: Option, value: Any, what: str, where: str) -> Any:
    from pydantic import TypeAdapter, ValidationError  # 0.1 s that listings need not pay

    try:
        return TypeAdapter(option.type).validate_python(value)
    except ValidationError as fault:
        reason = fault.errors()[0]["msg"]
        raise PartError(
            f"The option '{option.name}' of the {what} cannot be {value!r} {where}: {reason}. "
            f"It takes {option.type_name}.",
            kind=ErrorKind.OPTION_INVALID,
            place=where,
            choices=option.choices,
        ) from fault
