"""How often a check is repeated."""

from __future__ import annotations

from enum import StrEnum


class Rounds(StrEnum):
    """How often a check is repeated with other options."""

    ALL = "all"  # with every value worth trying of every option, and with its own large defaults
    VALUES = "values"  # the same without those defaults, which take their time
    CHOICES = "choices"  # with every choice, but not with other numbers; for checks that cost
    FIRST = "first"  # once
