"""The one place that makes foreign text safe to show on a terminal.

Text from a corpus, a model, a file name, a plugin or the database can carry escape sequences that
move the cursor, set the title or write the clipboard, and direction marks that make a line read
differently from what it says. Everything shown passes `safe`.
"""

from __future__ import annotations

import re

# C0 but tab and newline, DEL, C1, lone surrogates, direction overrides and isolates, line and
# paragraph separators, the byte order mark, and the invisible tag block. The joiners
# (U+200C, U+200D) stay: emoji and some scripts need them.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069"
    "\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)
_REPLACEMENT = "\ufffd"


def safe(text: str) -> str:
    """Return the text with every character that a terminal would obey replaced by U+FFFD.

    Tabs and newlines stay. Carriage returns before a newline vanish.
    """
    return _UNSAFE.sub(_REPLACEMENT, text.replace("\r\n", "\n"))


def safe_line(text: str) -> str:
    """Return the text safe and on one line, for tables, lists and messages."""
    return " ".join(safe(text).split())


def safe_json(document: str) -> str:
    """Return a JSON document with every such character as its escape: the value stays the same."""
    return _UNSAFE.sub(lambda found: _escaped(found.group()), document)


def _escaped(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[place : place + 4]}" for place in range(0, len(units), 4))
