"""What is left to `make test-all` says why, and a thinned product still meets what it promises."""

from __future__ import annotations

from itertools import combinations, product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from selection import covering, refuse_without_a_reason, thinned
from sharing import made_once


def marked(name: str, *marks: pytest.MarkDecorator) -> Any:
    found = [mark.mark for mark in marks]
    return SimpleNamespace(
        nodeid=f"tests/test_x.py::{name}",
        iter_markers=lambda wanted: (mark for mark in found if mark.name == wanted),
    )


@pytest.mark.parametrize(
    "mark", [pytest.mark.slow, pytest.mark.slow(), pytest.mark.slow(" "), pytest.mark.slow(5)]
)
def test_a_slow_test_without_a_reason_is_refused_by_name(mark: pytest.MarkDecorator) -> None:
    good = marked("test_good", pytest.mark.slow("trains"), pytest.mark.skipif(True, reason="x"))
    with pytest.raises(pytest.UsageError) as refused:
        refuse_without_a_reason([good, marked("test_bad[1]", mark), marked("test_plain")])
    assert str(refused.value).splitlines()[1:] == ["tests/test_x.py::test_bad"]


def test_slow_tests_with_reasons_pass() -> None:
    refuse_without_a_reason([marked("a", pytest.mark.slow("trains a bot")), marked("b")])


def test_these_tests_themselves_are_looked_at(request: pytest.FixtureRequest) -> None:
    request.session.items.append(marked("test_bad", pytest.mark.slow))
    try:
        with pytest.raises(pytest.UsageError, match="test_bad"):
            request.config.hook.pytest_collection_modifyitems(
                session=request.session, config=request.config, items=request.session.items
            )
    finally:
        request.session.items.pop()


ROWS = [row for row in product("abcdefg", "0123456789", "uvwxyz", "+-") if row[:2] != ("a", "0")]


@pytest.mark.parametrize(("strength", "most"), [(1, 10), (2, 90)])
def test_a_covering_meets_every_group_of_values_and_is_small(strength: int, most: int) -> None:
    def groups(rows: list[Any]) -> set[Any]:
        return {group for row in rows for group in combinations(enumerate(row), strength)}

    chosen = [ROWS[at] for at in covering(ROWS, strength)]
    assert groups(chosen) == groups(ROWS)
    assert len(chosen) <= most
    assert chosen == [ROWS[at] for at in covering(ROWS, strength)]


def test_a_thinned_product_is_whole_and_says_why_the_rest_is_slow() -> None:
    found = thinned(ROWS, 2)
    assert [param.values for param in found] == ROWS
    slow = [param for param in found if param.marks]
    assert len(ROWS) - len(slow) == len(covering(ROWS, 2))
    for param in slow:
        refuse_without_a_reason([marked("x", *param.marks)])


def test_what_a_run_shares_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def make(folder: Path) -> None:
        made.append(folder)
        (folder / "file").write_text("made")

    made: list[Path] = []
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    workers: list[Any] = [
        SimpleNamespace(getbasetemp=lambda own=tmp_path / name: own) for name in ("gw0", "gw1")
    ]
    first, second = (made_once(worker, "thing", make) for worker in workers)
    assert first == second == tmp_path / "thing"
    assert (first / "file").read_text() == "made"
    assert len(made) == 1
