"""The filter `scrub`: personal data does not reach the bot."""

from __future__ import annotations

import re

from chatseq.text.normalise import UNSPACED

# Scripts without spaces between words end an address that is written into them.
_ALONE = rf"{UNSPACED}\u3000-\u303f\uff00-\uffef"  # with their punctuation
_OUTSIDE = rf"\s@,;:!?<>()\[\]{{}}|/\\=\"'{_ALONE}"  # of an e-mail address
_GAP = r"[ ().\-/]{0,2}"  # between two digits of a telephone number
# Each takes all that it can and never goes back, so that time grows as the text does.
_PATTERNS = {
    "url": rf"(?:(?:https?|ftp)://|www\.)[^\s<>\"'{_ALONE}]*[^\s<>\"'.,;:!?()\[\]{_ALONE}]",
    "email": rf"[^{_OUTSIDE}]{{1,64}}+@[^.{_OUTSIDE}]++(?:\.[^.{_OUTSIDE}]++)++",
    "number": r"\d{7,}+",
    "phone": rf"\+\(?\d(?:{_GAP}\d){{6,}}+|\(?\d(?:{_GAP}\d){{8,}}+",
}


class Scrub:
    """Put a word in angle brackets for addresses and long numbers: `<email>`, `<number>`.

    It knows them by their form alone, so it finds no names of people or streets, and takes two
    dates in a row for a telephone number. Answers are not scrubbed.

    Args:
        url: web addresses that begin with http://, https://, ftp:// or www.
        email: e-mail addresses
        number: runs of 7 digits or more, as of accounts and orders
        phone: 9 digits or more with spaces, dots, hyphens, slashes or brackets between them, and
            7 or more behind a plus sign
    """

    def __init__(
        self, *, url: bool = True, email: bool = True, number: bool = True, phone: bool = True
    ) -> None:
        wanted = {"url": url, "email": email, "number": number, "phone": phone}
        chosen = [f"(?P<{name}>{_PATTERNS[name]})" for name, is_on in wanted.items() if is_on]
        if not chosen:
            raise ValueError("scrub has nothing to do. Leave url, email, number or phone on.")
        self._pattern = re.compile("|".join(chosen), re.IGNORECASE)

    def __call__(self, text: str) -> str:
        """Return the text without them."""
        return self._pattern.sub(lambda found: f"<{found.lastgroup}>", text)
