"""The checks of `chatseq.testing` on every installed part: one case a part and check.

The tests of a folder run those of its own kinds; kinds that belong to no folder, such as new ones,
are run by tests/test_parts_keep_their_contracts.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import pytest

from chatseq.core.plugins import discover
from chatseq.hookspecs import PART_HOOKS
from chatseq.testing.check import Check, Result
from chatseq.testing.pytest_plugin import id_of
from chatseq.testing.run import checks_for, outcome_of, subject_of
from chatseq.testing.subject import Subject

PARTS = discover()
FOLDERS = {
    "corpus": ("corpus-reader",),
    "decoding": ("strategy", "adjuster"),
    "evaluation": ("metric",),
    "model": ("encoder", "attention", "decoder", "output"),
    "qa": ("responder", "scorer"),
    "text": ("tokenizer", "text-filter"),
}
AS_A_GRAPH = "its graph equals torch"
IN_MIXES = "an export of each part; tests/test_mixes.py makes graphs of them all in the fast run"


def kinds_of_no_folder() -> tuple[str, ...]:
    """Return the other kinds."""
    with_folder = {kind for kinds in FOLDERS.values() for kind in kinds}
    return tuple(kind for kind in PART_HOOKS if kind not in with_folder)


def cases(kinds: Iterable[str]) -> list[Any]:
    """Return a kind, the name of a part and a check, for `parametrize`."""
    return [
        pytest.param(
            *(kind, name, check),
            id=f"{kind}-{name}-{id_of(check)}",
            marks=pytest.mark.slow(IN_MIXES) if check.name == AS_A_GRAPH else (),
        )
        for kind in kinds
        for name in PARTS.parts(kind)
        for check in checks_for(kind)
    ]


@cache
def subject(kind: str, name: str) -> Subject:
    """Return what is checked of a part."""
    return subject_of(kind, PARTS.find(kind, name).load(), name=name)


def assert_kept(kind: str, name: str, check: Check) -> None:
    """Run a check; one that does not apply is a fault too, since the checks are made to apply."""
    outcome = outcome_of(check, subject(kind, name))
    if outcome.result is not Result.KEPT:
        raise AssertionError(f"{check.proves}: {outcome.reason}") from outcome.fault
