"""Arrays in a bundle, which stay on the disk until they are looked into."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def load_array(file: Path) -> NDArray[Any]:
    """Return what np.save wrote, mapped into memory; it cannot be written to.

    Raises:
        OSError, ValueError: the file cannot be read, or holds no plain array.
    """
    try:
        mapped = np.load(file, mmap_mode="r", allow_pickle=False)
    except EOFError as fault:
        raise ValueError(f"{file.name} is empty") from fault
    if not isinstance(mapped, np.ndarray):  # an archive of several
        mapped.close()
        raise ValueError(f"{file.name} holds no array")
    return np.asarray(mapped)  # of which slices cost a third
