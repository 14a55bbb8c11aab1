"""A part under check: how it is built, and with which options it is tried."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from chatseq.core.errors import ErrorKind, PartError, did_you_mean, nearest
from chatseq.core.options import REQUIRED, Option, options_of
from chatseq.testing.rounds import Rounds
from chatseq.testing.values import Value, first_value, near_numbers, other_values, small_value

# What a part may say for the checks, as attributes.
EXAMPLE_OPTIONS = "example_options"  # {option: [value, ...]}
EXAMPLE_FILE = "example_file"  # of a corpus reader: pairs -> (file name, text), or several files
ANSWERS_ELSEWHERE = "answers_elsewhere"  # where, if a reader finds none beside its question
NO_GRAPH = "no_graph"  # why a network cannot be written as an ONNX graph

Pairs = Sequence[tuple[str, str]]
# To a file name and its text, or to several: the one that is named first, then those beside it.
WriteFile = Callable[[Pairs], tuple[str, str] | Mapping[str, str]]
Arguments = Callable[[], Iterator[tuple[Any, ...]]]


class Round(NamedTuple):
    """The options with which a part is built while one value is tried."""

    options: dict[str, Any]
    changed: str = ""  # what is tried, as told: "layers=2"; empty in the first round
    belongs_to: Rounds = Rounds.FIRST  # and to those that hold them


@dataclass(frozen=True)
class Subject:
    """What is checked.

    Args:
        component: as its plugin names it, loaded
        name: the name in its plugin; empty where it has none yet
        given: values for its options, beside those that it names itself
        file: writes pairs in the format of a corpus reader
        arguments: what chatseq hands over to its constructor, in one or more ways of which a part
            may refuse some; None where the component itself is the part
    """

    kind: str
    component: Callable[..., Any]
    name: str = ""
    given: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    file: WriteFile | None = None
    arguments: Arguments | None = None

    @cached_property
    def options(self) -> dict[str, Option]:
        """Its options by name."""
        return {} if self.arguments is None else options_of(self.component)

    @cached_property
    def examples(self) -> dict[str, tuple[Any, ...]]:
        """The values that are named for its options.

        Raises:
            PartError: there is no such option, or no value is named.
        """
        named = {**getattr(self.component, EXAMPLE_OPTIONS, {}), **self.given}
        for name, values in named.items():
            if name not in self.options:
                hint = did_you_mean(name, self.options) or " It has no options."
                raise PartError(
                    f"Values are given for the option '{name}' it does not have.{hint}",
                    kind=ErrorKind.OPTION_UNKNOWN,
                    choices=nearest(name, self.options),
                )
            if isinstance(values, str) or not isinstance(values, Sequence) or not values:
                raise PartError(
                    f"The values of the option '{name}' are {values!r}. Give a list of at least "
                    "one value."
                )
        return {name: tuple(values) for name, values in named.items()}

    @cached_property
    def first(self) -> dict[str, Any]:
        """The options of the first round, those left out that are as they come.

        Raises:
            PartError: an option must be given, and no value is known.
        """
        found = {name: values[0] for name, values in self.examples.items()}
        for name, option in self.options.items():
            if option.default is REQUIRED and name not in found:
                found[name] = first_value(option, ())
                if found[name] is REQUIRED:
                    raise PartError(
                        f"The option '{name}' must be given, and the checks know no value for it. "
                        f"Name some in the part: {EXAMPLE_OPTIONS} = {{'{name}': [...]}}"
                    )
        return self._made_small(found)

    @cached_property
    def rounds(self) -> tuple[Round, ...]:
        """What is tried: the first options, then one other value at a time."""
        found = [Round(self.first)]
        as_it_comes = {**self.first}
        for name, option in self.options.items():
            if name in as_it_comes and name not in self.examples and option.default is not REQUIRED:
                del as_it_comes[name]
        if as_it_comes != self.first:
            found.append(Round(as_it_comes, "its own defaults", Rounds.ALL))
        return (*found, *self._variations())

    def rounds_of(self, wanted: Rounds) -> Iterator[Round]:
        """Yield the rounds that a check goes through."""
        order = list(Rounds)
        for each in self.rounds:
            if order.index(each.belongs_to) >= order.index(wanted):
                yield each

    def untried(self) -> Iterator[str]:
        """Yield the number options of which no other value than the first was taken."""
        tried = {each.changed.partition("=")[0] for each in self.rounds}
        for name, option in self.options.items():
            near = near_numbers(option, first_value(option, ()))
            if near and name not in tried and name not in self.examples:
                yield name

    def takes(self, options: Mapping[str, Any]) -> bool:
        """Return whether the part can be built with these options; a ValueError means no."""
        for arguments in self.arguments() if self.arguments else ():
            try:
                self.component(*arguments, **options)
            except ValueError:
                continue
            return True
        return False

    def _made_small(self, found: dict[str, Any]) -> dict[str, Any]:
        """Return the options with large sizes made small, as far as the part takes that."""
        small = {
            name: small_value(option)
            for name, option in self.options.items()
            if name not in found and small_value(option) != option.default
        }
        for fewer in ([*small], *([name] for name in small)):
            together = {**found, **{name: small[name] for name in fewer}}
            if small and self.takes(together):
                return together
        return found

    def _variations(self) -> Iterator[Round]:
        for name, option in self.options.items():
            for value in self._values(name, option):
                changed = f"{name}={value.value!r}"
                belongs_to = Rounds.CHOICES if value.is_choice else Rounds.VALUES
                yield Round({**self.first, name: value.value}, changed, belongs_to)

    def _values(self, name: str, option: Option) -> Iterator[Value]:
        start = Option(name, option.type, self.first.get(name, option.default))

        def takes(value: Any) -> bool:
            return self.takes({**self.first, name: value})

        return other_values(start, self.examples.get(name, ()), takes)
