"""The filter `normalise`: one spelling of characters that look alike."""

from __future__ import annotations

import re
import unicodedata

_INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff]")  # soft hyphen, zero-width space, joiner, mark
_ALIKE = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛ʼ′`´", "'"),
        **dict.fromkeys("“”„‟«»″", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
    }
)
_SPACES = re.compile(r"\s+")
_MOST_PASSES = 4


class Normalise:
    """Write widths, ligatures, quotes, dashes and white space in one way.

    Full-width letters become plain ones and ligatures their letters (Unicode's NFKC), quotes and
    dashes those of the keyboard. Invisible characters go, and runs of white space become a space.
    Case is left alone: `question.fold` reads it.
    """

    def __call__(self, text: str) -> str:
        """Return the text in one spelling."""
        for _ in range(_MOST_PASSES):  # a sign that goes may bring together what combines
            before, text = text, _once(text)
            if text == before:
                break
        return text


def _once(text: str) -> str:
    visible = _INVISIBLE.sub("", text).translate(_ALIKE)  # some would fall apart in NFKC
    plain = unicodedata.normalize("NFKC", visible).translate(_ALIKE)
    return _SPACES.sub(" ", plain).strip()
