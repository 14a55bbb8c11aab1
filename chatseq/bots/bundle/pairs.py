"""The exchanges that a bot was trained on, kept in its bundle and read from the disk one by one.

`pairs.jsonl` has one JSON object a line. `pairs.npy` has the place of each line, so that any of a
million is found without reading the others, and none of them is held in memory.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray

from chatseq.bots.bundle.arrays import load_array
from chatseq.core.exchange import Exchange

PAIRS = "pairs.jsonl"
PLACES = "pairs.npy"


def write_pairs(folder: Path, exchanges: Iterable[Exchange]) -> None:
    """Write the exchanges into an existing folder."""
    places = [0]
    with (folder / PAIRS).open("wb") as stream:
        for exchange in exchanges:
            places.append(places[-1] + stream.write(_line(exchange)))
    np.save(folder / PLACES, np.array(places, np.int64), allow_pickle=False)


class Pairs(Sequence[Exchange]):
    """Exchanges in the order in which they were read from the corpus."""

    def __init__(self, folder: Path | None) -> None:
        """Open what `write_pairs` wrote; there are none where it wrote nothing.

        Raises:
            OSError, ValueError: the files cannot be read.
        """
        self._bytes: NDArray[np.uint8] = np.empty(0, np.uint8)
        self._places: NDArray[np.int64] = np.zeros(1, np.int64)
        if folder is None or not (folder / PLACES).is_file():
            return
        self._places = load_array(folder / PLACES)
        if self._places.ndim != 1 or not len(self._places):
            raise ValueError(f"{PLACES} holds no places of lines")
        if len(self):
            self._bytes = np.memmap(folder / PAIRS, np.uint8, mode="r")
        if self._places[-1] != len(self._bytes):
            raise ValueError(f"{PLACES} does not belong to {PAIRS}")

    def __len__(self) -> int:
        return len(self._places) - 1

    @overload
    def __getitem__(self, at: int) -> Exchange: ...

    @overload
    def __getitem__(self, at: slice) -> list[Exchange]: ...

    def __getitem__(self, at: int | slice) -> Exchange | list[Exchange]:
        if isinstance(at, slice):
            return [self[each] for each in range(*at.indices(len(self)))]
        if not -len(self) <= at < len(self):
            raise IndexError(f"there are {len(self)} pairs")
        at %= len(self)
        begin, end = int(self._places[at]), int(self._places[at + 1])
        return _exchange(self._bytes[begin:end].tobytes())


def _line(exchange: Exchange) -> bytes:
    values: dict[str, object] = {"question": exchange.question, "answer": exchange.answer}
    if exchange.context:
        values["context"] = exchange.context
    if exchange.tags:
        values["tags"] = exchange.tags
    values["source"] = exchange.source
    line = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    # Half a surrogate pair has no bytes; as an escape it is read as what it was.
    return line.encode("utf-8", "backslashreplace") + b"\n"


def _exchange(line: bytes) -> Exchange:
    values = json.loads(line)
    context, tags = tuple(values.get("context", ())), tuple(values.get("tags", ()))
    return Exchange(values["question"], values["answer"], context, tags, values["source"])
