"""Every installed part of a network keeps to what its kind must keep to, in all its options.

That each check can fail is shown in tests/kit.
"""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import Any

import pytest
from contract_cases import FOLDERS, PARTS, assert_kept, cases, subject
from selection import thinned

from chatseq.testing.check import Check, Context
from chatseq.testing.checks import decoder as decoder_checks
from chatseq.testing.checks.tensors import MEMORY
from chatseq.testing.run import steadily


@pytest.mark.parametrize(("kind", "name", "check"), cases(FOLDERS["model"]))
def test_every_part_keeps_the_contract(kind: str, name: str, check: Check) -> None:
    assert_kept(kind, name, check)


def pairs() -> list[tuple[str, str]]:
    return [(d, a) for d in PARTS.parts("decoder") for a in PARTS.parts("attention")]


@pytest.mark.parametrize(("decoder", "attention"), thinned(pairs()))
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
