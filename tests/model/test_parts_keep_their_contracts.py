"""Every installed part of every kind keeps to what its kind must keep to, in all its options.

That each check can fail is shown in tests/kit.
"""

from __future__ import annotations

from contextlib import ExitStack
from functools import cache, partial
from typing import Any

import pytest

from chatseq.core.plugins import discover
from chatseq.hookspecs import PART_HOOKS
from chatseq.testing.check import Check, Context, Result
from chatseq.testing.checks import decoder as decoder_checks
from chatseq.testing.checks.tensors import MEMORY
from chatseq.testing.pytest_plugin import id_of
from chatseq.testing.run import checks_for, outcome_of, steadily, subject_of
from chatseq.testing.subject import Subject

PARTS = discover()
EVERY = [(kind, name) for kind in PART_HOOKS for name in PARTS.parts(kind)]


@cache
def subject(kind: str, name: str) -> Subject:
    return subject_of(kind, PARTS.find(kind, name).load(), name=name)


@pytest.mark.parametrize("kind", PART_HOOKS)
def test_there_are_parts_and_checks_of_every_kind(kind: str) -> None:
    assert PARTS.parts(kind)
    assert len(checks_for(kind)) >= 5


@pytest.mark.parametrize(
    ("kind", "name", "check"),
    [
        pytest.param(kind, name, check, id=f"{kind}-{name}-{id_of(check)}")
        for kind, name in EVERY
        for check in checks_for(kind)
    ],
)
def test_every_part_keeps_the_contract(kind: str, name: str, check: Check) -> None:
    outcome = outcome_of(check, subject(kind, name))
    if outcome.result is not Result.KEPT:  # also not applicable: the checks are made to apply
        raise AssertionError(f"{check.proves}: {outcome.reason}") from outcome.fault


def pairs() -> list[tuple[str, str]]:
    return [(d, a) for d in PARTS.parts("decoder") for a in PARTS.parts("attention")]


@pytest.mark.parametrize(("decoder", "attention"), pairs())
def test_every_decoder_works_with_every_attention(
    decoder: str, attention: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    component = subject("attention", attention).component
    mine = subject("decoder", decoder)
    way = {attention: lambda query_size: component(query_size, MEMORY)}
    monkeypatch.setattr(decoder_checks, "WAYS", way)
    with steadily("decoder"):
        if not mine.takes(mine.first):
            assert decoder.endswith("-context")
            return
        make: Any = partial(mine.component, **mine.first)
        decoder_checks.whole_target_equals_step_by_step.run(
            make, Context(mine, {}, "", ExitStack())
        )
        decoder_checks.beams_share_a_memory.run(make, Context(mine, {}, "", ExitStack()))
