"""Every installed tokenizer and text filter keeps to what its kind asks for, in all options.

That each check can fail is shown in tests/kit.
"""

from __future__ import annotations

import pytest
from contract_cases import FOLDERS, assert_kept, cases

from chatseq.testing.check import Check


@pytest.mark.parametrize(("kind", "name", "check"), cases(FOLDERS["text"]))
def test_every_part_keeps_the_contract(kind: str, name: str, check: Check) -> None:
    assert_kept(kind, name, check)
