"""Every installed part of a kind that has no folder of tests keeps to what its kind asks for.

That each check can fail is shown in tests/kit.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from contract_cases import FOLDERS, PARTS, assert_kept, cases, kinds_of_no_folder

from chatseq.hookspecs import PART_HOOKS
from chatseq.testing.check import Check
from chatseq.testing.run import checks_for


@pytest.mark.parametrize(("kind", "name", "check"), cases(kinds_of_no_folder()))
def test_every_part_keeps_the_contract(kind: str, name: str, check: Check) -> None:
    assert_kept(kind, name, check)


@pytest.mark.parametrize("kind", PART_HOOKS)
def test_there_are_parts_and_checks_of_every_kind(kind: str) -> None:
    assert PARTS.parts(kind)
    assert len(checks_for(kind)) >= 5


def test_every_folder_with_kinds_of_its_own_runs_their_checks() -> None:
    here = Path(__file__)
    modules = {file.parent.name: file for file in here.parent.glob(f"*/{here.name}")}
    assert set(modules) == set(FOLDERS)
    for folder, file in modules.items():
        assert f'cases(FOLDERS["{folder}"])' in file.read_text(encoding="utf-8")
    named = [kind for kinds in FOLDERS.values() for kind in kinds]
    assert sorted([*named, *kinds_of_no_folder()]) == sorted(PART_HOOKS)
