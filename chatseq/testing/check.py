"""What a check of a part is, and what comes of one.

A check is a small function whose name is a sentence. It gets a way to build the part and a
context, and raises when the part does not keep to what the sentence says.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from chatseq.core.errors import ChatseqError
from chatseq.core.plugins import first_line
from chatseq.testing.rounds import Rounds
from chatseq.testing.subject import Subject

Make = Callable[..., Any]  # builds the part from what chatseq hands over, its options set


@dataclass(frozen=True, slots=True)
class Context:
    """What a check may need beside the part."""

    subject: Subject
    options: dict[str, Any]  # that `make` builds with
    changed: str  # what of them is tried, as told; empty in the first round
    _kept: ExitStack

    def folder(self) -> Path:
        """Return a new empty folder, which is gone after the check."""
        return Path(self._kept.enter_context(TemporaryDirectory(prefix="chatseq-check-")))


Run = Callable[[Make, Context], None]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that every part of a kind must keep to."""

    name: str  # a sentence
    proves: str  # in a line
    run: Run
    rounds: Rounds = Rounds.VALUES


class NotApplicable(Exception):  # noqa: N818  (an answer, not an error)
    """The check says nothing of this part; the text tells why."""


class Result(StrEnum):
    """What a check found."""

    KEPT = "kept"
    BROKEN = "broken"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one check."""

    check: Check
    result: Result
    reason: str = ""  # empty where the check is kept
    milliseconds: float = 0.0
    fault: BaseException | None = field(default=None, compare=False)


def check(rounds: Rounds = Rounds.VALUES) -> Callable[[Run], Check]:
    """Turn a function into a check: its name is the sentence, its docstring what is proved."""

    def decorated(run: Run) -> Check:
        name = run.__name__.replace("_", " ")
        proves = (run.__doc__ or "").strip().split("\n")[0].rstrip(".")
        return Check(name, proves, run, rounds)

    return decorated


def require(kept: bool, what: str) -> None:
    """Raise an AssertionError that says what is wrong, unless it is kept."""
    if not kept:
        raise AssertionError(what)


def told(fault: BaseException) -> str:
    """Return the line that tells a fault, whatever it is; never raises."""
    try:
        line = first_line(fault)
    except Exception:  # its own __str__ is broken
        return type(fault).__name__
    known = isinstance(fault, AssertionError | ChatseqError | NotApplicable)
    named = line == type(fault).__name__
    return line if known or named else f"{type(fault).__name__}: {line}"
