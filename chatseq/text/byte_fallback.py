"""What tokenizers share: the form that text has in them, and the bytes that spell what is unseen.

A tokenizer that begins with these ids, and cleans what it is given, keeps the contract of
chatseq.text.tokenizer for every text that there is.
"""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Callable, Iterable

from chatseq.text.tokenizer import FIRST_FREE_ID

# Their spaces keep words from being taken for marks: no word holds one but in front.
MARKS = ("<pad mark>", "<start mark>", "<end mark>")
BYTES = tuple(f"<0x{byte:02X}>" for byte in range(256))
FIRST_PIECE_ID = FIRST_FREE_ID + len(BYTES)  # before it, marks and bytes in every such tokenizer


def clean(text: str) -> str:
    """Return the text in NFC; half a surrogate pair, which is no character, becomes U+FFFD."""
    if not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
    try:
        text.encode()
    except UnicodeEncodeError:
        return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text)
    return text


def byte_ids(text: str) -> list[int]:
    """Return the ids that spell a clean text in bytes."""
    return [FIRST_FREE_ID + byte for byte in text.encode()]


def joined(ids: Iterable[int], piece: Callable[[int], str]) -> str:
    """Return the text of ids; a byte out of place becomes U+FFFD and spoils nothing beside it.

    Args:
        piece: what an id from FIRST_PIECE_ID on stands for
    """
    spoken = (at for at in ids if at >= FIRST_FREE_ID)
    parts = []
    for spelt, run in itertools.groupby(spoken, key=lambda at: at < FIRST_PIECE_ID):
        if spelt:
            parts.append(bytes(at - FIRST_FREE_ID for at in run).decode(errors="replace"))
        else:
            parts += map(piece, run)
    return "".join(parts)


def check_dropout(dropout: float) -> None:
    """Raise ValueError unless the dropout of a segmentation is a share, 0..1."""
    if not 0 <= dropout <= 1:
        raise ValueError(f"dropout ({dropout}) must be between 0 and 1")


def unreadable(why: str) -> str:
    """Return what is told of a tokenizer that cannot be read."""
    return (
        f"The tokenizer cannot be read: {why}. Train the bot again, or import it from its "
        ".chatseq file."
    )


NOTHING_TO_LEARN = (
    "There is no text to learn a tokenizer from. Check the corpus: chatseq corpus show FILE"
)
