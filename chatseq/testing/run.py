"""Which checks there are for a kind of part, and running them."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from functools import lru_cache, partial
from types import ModuleType
from typing import Any

from chatseq.core.options import check_options
from chatseq.core.plugins import Part, no_kind
from chatseq.hookspecs import PART_HOOKS
from chatseq.testing.check import Check, Context, NotApplicable, Outcome, Result, told
from chatseq.testing.subject import Round, Subject, WriteFile

LOADS = Check("it can be imported", "The module is there and holds the name", lambda *_: None)


@lru_cache
def checks_for(kind: str) -> tuple[Check, ...]:
    """Return the checks for a kind of part, in the order in which they help most.

    What they need is imported here: torch for the kinds that are networks, and for no other.

    Raises:
        PartError: there is no such kind.
    """
    module = _module(kind)
    common = importlib.import_module("chatseq.testing.checks.every_part")
    general = _checks_in(common) if hasattr(module, "arguments") else (common.its_name_is_free,)
    return (*general, *_checks_in(module))


def check_part(
    kind: str,
    component: Callable[..., Any],
    *,
    name: str = "",
    options: Mapping[str, Sequence[Any]] | None = None,
    file: WriteFile | None = None,
) -> list[Outcome]:
    """Check a part against everything that its kind must keep to.

    Args:
        component: the class, function or command, as a plugin names it
        name: its name in the plugin, to see whether that is free
        options: values to try for its options, the first of them also while others are tried;
            needed where an option has no default
        file: of a corpus reader, from pairs to a file name and its text in that format

    Raises:
        PartError: there is no such kind.
    """
    checks = checks_for(kind)
    subject = subject_of(kind, component, name=name, options=options, file=file)
    return [outcome_of(check, subject) for check in checks]


def check_installed(part: Part) -> list[Outcome]:
    """Check a part that a plugin brings; one that cannot be imported has that as its outcome."""
    began = time.perf_counter()
    try:
        component = part.load()
    except KeyboardInterrupt:
        raise
    except BaseException as fault:  # also SystemExit: a plugin must not end the program
        return [_outcome(LOADS, Result.BROKEN, told(fault), began, fault)]
    loaded = _outcome(LOADS, Result.KEPT, "", began)
    return [loaded, *check_part(part.kind, component, name=part.name)]


def broken(outcomes: Iterable[Outcome]) -> list[str]:
    """Return a line for every check that is broken: `assert broken(check_part(...)) == []`."""
    return [
        f"{outcome.check.name}: {outcome.reason}"
        for outcome in outcomes
        if outcome.result is Result.BROKEN
    ]


def subject_of(
    kind: str,
    component: Callable[..., Any],
    *,
    name: str = "",
    options: Mapping[str, Sequence[Any]] | None = None,
    file: WriteFile | None = None,
) -> Subject:
    """Return what `outcome_of` checks; see `check_part`."""
    arguments = getattr(_module(kind), "arguments", None)
    return Subject(kind, component, name, options or {}, file, arguments)


def outcome_of(check: Check, subject: Subject) -> Outcome:
    """Run one check in all its rounds; whatever the part raises is an outcome."""
    began = time.perf_counter()
    round_ = Round({})
    try:
        with steadily(subject.kind):
            for round_ in subject.rounds_of(check.rounds):
                _run(check, subject, round_)
    except KeyboardInterrupt:
        raise
    except NotApplicable as answer:
        return _outcome(check, Result.NOT_APPLICABLE, told(answer), began)
    except BaseException as fault:  # also SystemExit: a part must not end the program
        while_trying = f"with {round_.changed}: " if round_.changed else ""
        return _outcome(check, Result.BROKEN, while_trying + told(fault), began, fault)
    return _outcome(check, Result.KEPT, "", began)


def steadily(kind: str) -> AbstractContextManager[object]:
    """Return what keeps a kind's checks the same every time and without trace."""
    make: Callable[[], AbstractContextManager[object]] = getattr(
        _module(kind), "steadily", nullcontext
    )
    return make()


def _run(check: Check, subject: Subject, round_: Round) -> None:
    with ExitStack() as kept:
        if subject.arguments is None:
            check.run(lambda: subject.component, Context(subject, {}, "", kept))
            return
        component, given = subject.component, round_.options
        options = check_options(component, given, what=f"{subject.kind} under check", where="here")
        check.run(partial(component, **options), Context(subject, options, round_.changed, kept))


def _outcome(
    check: Check, result: Result, reason: str, began: float, fault: BaseException | None = None
) -> Outcome:
    milliseconds = round((time.perf_counter() - began) * 1000, 1)
    return Outcome(check, result, reason, milliseconds, fault)


def _module(kind: str) -> ModuleType:
    if kind not in PART_HOOKS:
        raise no_kind(kind)
    return importlib.import_module(f"chatseq.testing.checks.{kind.replace('-', '_')}")


def _checks_in(module: ModuleType) -> tuple[Check, ...]:
    return tuple(each for each in vars(module).values() if isinstance(each, Check))
