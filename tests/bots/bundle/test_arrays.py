"""Arrays of a bundle are read from the disk in place, and nothing but plain arrays is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from chatseq.bots.bundle.arrays import load_array

VALUES = np.arange(12, dtype=np.int32).reshape(3, 4)


def test_an_array_comes_back_as_it_was_and_stays_on_the_disk(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", VALUES)
    found = load_array(tmp_path / "a.npy")
    assert type(found) is np.ndarray
    assert isinstance(found.base, np.memmap)
    assert found.dtype == np.int32
    assert np.array_equal(found, VALUES)
    assert not found.flags.writeable


@pytest.mark.parametrize("shape", [(0,), (0, 3)])
def test_an_empty_array_is_read_too(tmp_path: Path, shape: tuple[int, ...]) -> None:
    np.save(tmp_path / "a.npy", np.zeros(shape, np.float32))
    assert load_array(tmp_path / "a.npy").shape == shape


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_array(tmp_path / "a.npy")


def test_objects_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(ValueError, match="objects"):
        load_array(tmp_path / "a.npy")


def test_an_archive_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "a.npy").open("wb") as stream:
        np.savez(stream, VALUES)
    with pytest.raises(ValueError, match=r"a\.npy holds no array"):
        load_array(tmp_path / "a.npy")


@pytest.mark.parametrize("data", [b"", b"hello", b"\x93NUMPY\x01\x00", b"\x80\x04."])
def test_what_is_no_array_is_a_value_error(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.npy").write_bytes(data)
    with pytest.raises(ValueError):  # noqa: PT011  (the caller says what is wrong, to users)
        load_array(tmp_path / "a.npy")


def test_an_array_that_was_cut_is_a_value_error(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", VALUES)
    data = (tmp_path / "a.npy").read_bytes()
    (tmp_path / "a.npy").write_bytes(data[:-1])
    with pytest.raises(ValueError):  # noqa: PT011
        load_array(tmp_path / "a.npy")
