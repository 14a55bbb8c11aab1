"""The text filter `your-part`."""

from __future__ import annotations

import re

_RUN = re.compile(r"([^\W\d_])\1+")  # the same letter again and again


class YourPart:
    """Shorten letters that are held down: "soooo" and "sooooooo" are read as "soo"."""

    def __init__(self, *, most: int = 2) -> None:
        """Set the options.

        Args:
            most: how often a letter may stand in a row, 1 or more
        """
        if most < 1:
            raise ValueError(f"most ({most}) must be at least 1. Set it to 2.")
        self.most = most

    def __call__(self, text: str) -> str:
        """Return the text as it is to be read, in training and when the bot is asked."""
        return _RUN.sub(lambda run: run[0][: self.most], text)
