"""Which values of an option are worth trying, from its type and its default."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple

from chatseq.core.options import REQUIRED, Option

Takes = Callable[[Any], bool]  # whether the part can be built with this value

_LARGE = 32  # sizes from here on are made small, since checks build a part many times
_SMALL = 8


class Value(NamedTuple):
    """A value to try."""

    value: Any
    is_choice: bool  # one of a few documented ones; the part must take it


def first_value(option: Option, examples: tuple[Any, ...]) -> Any:
    """Return what an option has while others are tried; REQUIRED where nothing is known."""
    if examples:
        return examples[0]
    if option.default is not REQUIRED:
        return option.default
    return next((choice for choice in _choices(option.type)), REQUIRED)


def small_value(option: Option) -> Any:
    """Return a size that is quicker than the default, or the default."""
    is_size = type(option.default) is int and option.default >= _LARGE
    return _SMALL if is_size else option.default


def other_values(option: Option, examples: tuple[Any, ...], takes: Takes) -> Iterator[Value]:
    """Yield the values to try beside the first: the examples, or choices and a near number."""
    if examples:
        yield from (Value(value, True) for value in examples[1:])
        return
    first = first_value(option, examples)
    yield from (Value(choice, True) for choice in _choices(option.type) if choice != first)
    near = near_numbers(option, first)
    found = next((number for number in near if takes(number)), None)
    if found is not None:
        yield Value(found, False)


def near_numbers(option: Option, first: Any) -> list[int | float]:
    """Return numbers near the default; of most options, the first of them is a good value."""
    kinds = _members(option.type)
    if int in kinds:
        size = first if type(first) is int else _SMALL
        return _distinct([size + 1, 2 * size, size // 2, size - 1, 1, 2, 4], size, first)
    if float in kinds:
        share = float(first) if isinstance(first, int | float) else 1.0
        return _distinct([share / 2, share + 0.25, share * 2, 0.5, 1.0, 2.0], share, first)
    return []


def odd_numbers(option: Option) -> list[int | float]:
    """Return numbers that most parts cannot take, but should refuse in words."""
    kinds = _members(option.type)
    if float in kinds:
        return [-1.0, 0.0, float("nan"), float("inf")]
    return [-1, 0] if int in kinds else []


def _distinct(numbers: list[Any], start: Any, first: Any) -> list[Any]:
    other = [number for number in dict.fromkeys(numbers) if number != first or first is None]
    return other if first is not None else [start, *other]


def _choices(kind: Any) -> Iterator[Any]:
    for member in _members(kind):
        if typing.get_origin(member) is Literal:
            yield from typing.get_args(member)
        elif member is bool:
            yield from (True, False)
        elif member is types.NoneType:
            yield None


def _members(kind: Any) -> tuple[Any, ...]:
    """Return what a union is made of, or the type itself."""
    origin = typing.get_origin(kind)
    if origin is typing.Annotated:
        return _members(typing.get_args(kind)[0])
    if origin in (typing.Union, types.UnionType):
        return tuple(inner for part in typing.get_args(kind) for inner in _members(part))
    return (kind,)
