"""The one cleaning that every text of a corpus passes before anything learns it.

What a terminal would obey, or a tokenizer should never own, is gone afterwards:
`chatseq.text.terminal.safe` finds nothing to replace in a cleaned text.
"""

from __future__ import annotations

import re
import unicodedata

# Everything that some program takes for the end of a line becomes a line feed.
_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
# The other control characters, direction marks, byte order marks and invisible tags.
_CONTROLS = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff"
    "\U000e0000-\U000e007f]"
)
_SURROGATES = re.compile("[\ud800-\udfff]")
_UNCLEAN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


def clean(text: str) -> str:
    """Return the text in NFC, without control characters but tab and line feed, stripped.

    Other line breaks (CR, VT, FF, NEL, U+2028...) become line feeds, half surrogates U+FFFD.
    """
    if text.isascii() and text.isprintable():
        return text.strip()  # most text of most corpora
    if _UNCLEAN.search(text):
        text = _BREAKS.sub("\n", text)
        text = _SURROGATES.sub("\ufffd", _CONTROLS.sub("", text))
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    return text.strip()


def count_controls(text: str) -> int:
    """Return how many characters `clean` would take out, line breaks not counted."""
    return len(_CONTROLS.findall(_BREAKS.sub("\n", text))) if _UNCLEAN.search(text) else 0
