"""Word vectors from a text file, as GloVe, word2vec and fastText publish them.

A line holds a word and its numbers, parted by spaces; a first line of two whole numbers (word2vec,
fastText) tells how many lines follow and how wide they are. The file is read line by line, and only
the lines of wanted words are looked into, so that a file of any size takes little memory.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Container, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from chatseq.core.errors import TrainingError
from chatseq.text.normalise import folded

_LONGEST_LINE = 2**16  # bytes; 2000 numbers of 30 digits
_HEAD = 2**12
_BYTE_ORDER_MARK = "\ufeff"
_WORD = re.compile(rb"[^ \t\r\n]+")

Vector = NDArray[np.float32]


class Vectors(NamedTuple):
    """The vectors of the words that were wanted, and what was wrong with the file."""

    by_word: dict[str, Vector]  # (width,) each
    bad: int = 0  # lines that were passed over
    first_bad: str = ""  # the first of them, with its place and what is wrong


def load_vectors(file: Path, wanted: Container[str], width: int) -> Vectors:
    """Return the vectors of wanted words.

    Of several lines for a word the first counts, since these files begin with the most frequent. A
    word that is wanted in lower case takes, if it must, the vector of a spelling with capitals.

    Args:
        width: numbers that every vector must have

    Raises:
        TrainingError: the file cannot be read, holds no vectors, or their width is another.
    """
    gathered = _Gathered(wanted, width)
    bad, first_bad = 0, ""
    with _told(file), _opened(file) as stream:
        for number, line in _lines(file, stream, width):
            try:
                gathered.add(line)
            except ValueError as fault:
                bad += 1
                first_bad = first_bad or f"{file.name}:{number}: {fault}"
    return Vectors(gathered.by_word(), bad, first_bad)


class _Gathered:
    """The vectors that were found so far."""

    def __init__(self, wanted: Container[str], width: int) -> None:
        self._wanted, self._width = wanted, width
        self._exact: dict[str, Vector] = {}
        self._folded: dict[str, Vector] = {}

    def add(self, line: bytes) -> None:
        """Take the vector of a line, if its word is wanted.

        Raises:
            ValueError: it is, and the line is none of a vector.
        """
        raw = _word_of(line)
        word = _decoded(raw)
        missing = [
            (known, spelling)
            for known, spelling in ((self._exact, word), (self._folded, folded(word)))
            if spelling in self._wanted and spelling not in known
        ]
        if missing and (fields := _numbers(line[len(raw) :], self._width)):
            vector = _vector(fields)
            for known, spelling in missing:
                known[spelling] = vector

    def by_word(self) -> dict[str, Vector]:
        return self._folded | self._exact


def _lines(file: Path, stream: IO[bytes], width: int) -> Iterator[tuple[int, bytes]]:
    """Yield the numbered lines that hold vectors, once the width of the first is right."""
    first = stream.readline(_LONGEST_LINE)
    header = _is_header(first)
    if header or first.strip():
        found = int(first.split()[1]) if header else _width_of(first)
        _check_width(file, found, width)
    if not header:
        yield 1, first
    number = 1
    while line := stream.readline(_LONGEST_LINE):
        number += 1
        yield number, line
        while not line.endswith(b"\n") and line:  # the rest of one that is far too long
            line = stream.readline(_LONGEST_LINE)


def _word_of(line: bytes) -> bytes:
    """Return what a line begins with, up to its first space."""
    if len(line) == _LONGEST_LINE:
        raise ValueError(f"the line is longer than {_LONGEST_LINE // 1024} KiB")
    found = _WORD.match(line)
    return found.group() if found else b""


def _decoded(word: bytes) -> str:
    try:
        return word.decode().removeprefix(_BYTE_ORDER_MARK)
    except UnicodeDecodeError:
        raise ValueError("the word is not UTF-8") from None


def _numbers(rest: bytes, width: int) -> list[bytes]:
    """Return the fields of a vector; none where further words stand in front of it."""
    fields = rest.split()
    if len(fields) > width:
        return []
    if len(fields) < width:
        raise ValueError(f"there are {len(fields)} numbers instead of {width}")
    return fields


def _vector(fields: list[bytes]) -> Vector:
    try:
        numbers = [float(field) for field in fields]
    except ValueError:
        raise ValueError("something is no number") from None
    with np.errstate(over="ignore"):
        vector = np.array(numbers, np.float64).astype(np.float32)
    if not np.isfinite(vector).all():
        raise ValueError("a number is infinite or none")
    if not vector.any():
        raise ValueError("all numbers are zero")
    return vector


def _is_header(line: bytes) -> bool:
    fields = line.split()
    return len(fields) == 2 and all(field.isdigit() for field in fields)


def _width_of(line: bytes) -> int:
    """Return how many numbers a line ends with, its first field apart."""
    count = 0
    for field in reversed(line.split()[1:]):
        try:
            float(field)
        except ValueError:
            break
        count += 1
    return count


def _check_width(file: Path, found: int, width: int) -> None:
    if not found:
        raise TrainingError(
            f"{file}:1: there is no vector. A line must hold a word and its numbers, parted by "
            "spaces."
        )
    if found != width:
        raise TrainingError(
            f"The vectors of {file.name} have {found} numbers, those of the model {width}. "
            f"Train with: --set model.embedding_size={found}"
        )


@contextmanager
def _told(file: Path) -> Iterator[None]:
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as fault:
        raise TrainingError(f"{file} is damaged: {fault}. Fetch the file again.") from fault
    except (OSError, ValueError) as fault:
        reason = getattr(fault, "strerror", None) or str(fault)
        raise TrainingError(
            f"Cannot read the word vectors {file}: {reason}. Check model.pretrained."
        ) from fault


def _opened(file: Path) -> IO[bytes]:
    with file.open("rb") as stream:
        head = stream.read(_HEAD)
    if head.startswith(b"PK\x03\x04"):
        raise TrainingError(f"{file} is a zip archive. Unpack it and name one of its text files.")
    if head.startswith(b"\x1f\x8b"):
        return cast("IO[bytes]", gzip.open(file, "rb"))
    if not head.strip():
        raise TrainingError(f"{file} is empty. Name a text file of word vectors.")
    if b"\0" in head:
        raise TrainingError(f"{file} is a binary file. Save the vectors as text and name that.")
    return file.open("rb")
