"""The exchanges in a bundle: read one by one as they were written, without holding the others."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatseq.bots.bundle.pairs import PAIRS, PLACES, Pairs, write_pairs
from chatseq.core.exchange import Exchange

EXCHANGES = [
    Exchange("hello", "hi", source="faq.csv:2"),
    Exchange("and on Sundays?", "closed", ("when?", "at 9"), ("hours", "x"), "a:3"),
    Exchange("who wins", "", tags=("decline",)),
    Exchange("你好", "你好 😀\u2028", source="faq.csv:4"),
    Exchange('"quoted" \\ \x00', "two\nlines"),
    Exchange("half \ud83d of \\\udc00", "\udfff", context=("\ud800",)),
]  # fmt: skip


def written(folder: Path, exchanges: Sequence[Exchange] = EXCHANGES) -> Pairs:
    write_pairs(folder, exchanges)
    return Pairs(folder)


def test_every_exchange_comes_back_as_it_was(tmp_path: Path) -> None:
    pairs = written(tmp_path)
    assert len(pairs) == len(EXCHANGES)
    assert [pairs[at] for at in range(len(EXCHANGES))] == EXCHANGES


@given(
    texts=st.lists(st.text(st.characters(exclude_categories=("Cs",)), max_size=9), max_size=9),
)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_text_comes_back_as_it_was(tmp_path: Path, texts: list[str]) -> None:
    exchanges = [Exchange(text, text[::-1], context=(text,)) for text in texts]
    assert list(written(tmp_path, exchanges)) == exchanges


def test_they_are_a_sequence_like_any_other(tmp_path: Path) -> None:
    pairs = written(tmp_path)
    assert list(pairs) == EXCHANGES
    assert pairs[-1] == EXCHANGES[-1]
    assert pairs[-len(EXCHANGES)] == EXCHANGES[0]
    assert pairs[1:4:2] == EXCHANGES[1:4:2]
    assert pairs[::-1] == EXCHANGES[::-1]
    assert pairs[4:99] == EXCHANGES[4:]
    assert EXCHANGES[3] in pairs
    for at in (len(EXCHANGES), -len(EXCHANGES) - 1):
        with pytest.raises(IndexError, match="there are 6 pairs"):
            _ = pairs[at]


def test_a_line_is_one_line_whatever_the_text(tmp_path: Path) -> None:
    written(tmp_path)
    assert (tmp_path / PAIRS).read_bytes().count(b"\n") == len(EXCHANGES)


def test_what_is_empty_takes_no_room(tmp_path: Path) -> None:
    written(tmp_path, EXCHANGES[:1])
    line = (tmp_path / PAIRS).read_text(encoding="utf-8")
    assert line == '{"question":"hello","answer":"hi","source":"faq.csv:2"}\n'


def test_an_empty_corpus_has_no_pairs(tmp_path: Path) -> None:
    pairs = written(tmp_path, [])
    assert len(pairs) == 0
    assert list(pairs) == pairs[:] == []
    with pytest.raises(IndexError):
        _ = pairs[0]


@pytest.mark.parametrize("where", ["nowhere", None])
def test_there_are_none_where_none_were_written(tmp_path: Path, where: str | None) -> None:
    assert len(Pairs(tmp_path / where if where else None)) == 0


def test_exchanges_are_taken_from_any_iterable(tmp_path: Path) -> None:
    write_pairs(tmp_path, (exchange for exchange in EXCHANGES))
    assert list(Pairs(tmp_path)) == EXCHANGES


def test_the_same_exchanges_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        write_pairs(tmp_path / name, EXCHANGES)
    for file in (PAIRS, PLACES):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "other" / file).read_bytes()


def test_one_is_read_without_the_others(tmp_path: Path) -> None:
    count = 20_000
    write_pairs(tmp_path, (Exchange(f"question {at}", "x" * 200) for at in range(count)))
    assert (tmp_path / PAIRS).stat().st_size > 4_000_000
    tracemalloc.start()
    try:
        pairs = Pairs(tmp_path)
        assert pairs[count - 1].question == f"question {count - 1}"
        assert pairs[count // 2].question == f"question {count // 2}"
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 100_000


def test_places_are_looked_up_on_the_disk(tmp_path: Path) -> None:
    pairs = written(tmp_path)
    assert isinstance(pairs._places.base, np.memmap)
    assert isinstance(pairs._bytes, np.memmap)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-3])


def emptied(file: Path) -> None:
    file.write_bytes(b"")


def replaced(file: Path) -> None:
    np.save(file, np.zeros((2, 2), np.int64))


def without_places(file: Path) -> None:
    np.save(file, np.zeros(0, np.int64))


def objects(file: Path) -> None:
    np.save(file, np.array([{}], object), allow_pickle=True)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        (PAIRS, cut),
        (PAIRS, emptied),
        (PAIRS, Path.unlink),
        (PLACES, cut),
        (PLACES, emptied),
        (PLACES, replaced),
        (PLACES, without_places),
        (PLACES, objects),
    ],
)
def test_damaged_files_are_refused_when_they_are_opened(
    tmp_path: Path, name: str, damage: object
) -> None:
    write_pairs(tmp_path, EXCHANGES)
    damage(tmp_path / name)  # type: ignore[operator]
    with pytest.raises((OSError, ValueError)):
        Pairs(tmp_path)


def test_a_line_that_is_no_json_is_a_value_error(tmp_path: Path) -> None:
    write_pairs(tmp_path, EXCHANGES)
    data = (tmp_path / PAIRS).read_bytes()
    (tmp_path / PAIRS).write_bytes(b"[" * 9 + data[9:])
    pairs = Pairs(tmp_path)
    assert pairs[1] == EXCHANGES[1]
    with pytest.raises(ValueError):  # noqa: PT011  (bundles are checked by their checksums)
        _ = pairs[0]
