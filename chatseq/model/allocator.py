"""Keep freed memory for the next step instead of giving it back to the system."""

from __future__ import annotations

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # the names of glibc's malloc.h
_LARGEST = 1 << 30


def keep_freed_memory() -> bool:
    """Ask the C library to keep freed blocks; returns whether it does.

    A training step allocates and frees the same large blocks again and again. glibc gives them back
    and every page of the next step must be filled with zeros by the kernel: 4 to 10 % of the time.
    Elsewhere nothing is changed.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library
        return False
    return bool(mallopt(_MMAP_THRESHOLD, _LARGEST)) and bool(mallopt(_TRIM_THRESHOLD, _LARGEST))
