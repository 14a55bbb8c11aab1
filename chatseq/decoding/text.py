"""The text of a reply that is still growing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

_HALF = "\ufffd"  # what decoders give for bytes that are no whole character (yet)


class GrowingText:
    """What can be shown of a reply, such that nothing shown ever changes.

    The bytes of a character that is not whole are held back until it is, and white space until
    something follows that can be seen.
    """

    def __init__(self, decode: Callable[[Sequence[int]], str]) -> None:
        self._decode = decode
        self.shown = ""

    def grow(self, tokens: Sequence[int]) -> str:
        """Return what can be shown beyond what was.

        Args:
            tokens: all that stand so far
        """
        return self._show(self._decode(tokens).rstrip(_HALF))

    def finish(self, tokens: Sequence[int], *, ended: bool) -> str:
        """Return the rest.

        Args:
            ended: the reply is whole; one that was cut loses half a character at its end
        """
        return self._show(self._decode(tokens)) if ended else self.grow(tokens)

    def _show(self, text: str) -> str:
        # A decoder whose text changes (none should) cannot take back what is shown.
        if not text.startswith(self.shown) or not text.strip():
            return ""
        new = text[len(self.shown) :]
        self.shown = text
        return new


def text_of(decode: Callable[[Sequence[int]], str], tokens: Sequence[int], *, ended: bool) -> str:
    """Return the whole text of a reply, the same as when it is streamed; empty for blanks."""
    growing = GrowingText(decode)
    growing.finish(tokens, ended=ended)
    return growing.shown
