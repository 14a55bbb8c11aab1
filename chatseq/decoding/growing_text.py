"""The text of a reply that is still growing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from chatseq.decoding.contracts import Adjuster

_HALF = "\ufffd"  # what decoders give for bytes that are no whole character (yet)


class GrowingText:
    """What can be shown of a reply, such that nothing shown ever changes.

    The bytes of a character that is not whole are held back until it is, white space until
    something follows that can be seen, and what may begin a stop string until it does not.

    Args:
        stops: strings before the first of which the text ends
    """

    def __init__(self, decode: Callable[[Sequence[int]], str], stops: Sequence[str] = ()) -> None:
        self._decode, self._stops = decode, stops
        self.shown = ""

    def grow(self, tokens: Sequence[int]) -> str:
        """Return what can be shown beyond what was.

        Args:
            tokens: all that stand so far
        """
        text = _before_stop(self._decode(tokens).rstrip(_HALF), self._stops)
        held = max((_begun(text, stop) for stop in self._stops), default=0)
        return self._show(text[: len(text) - held])

    def finish(self, tokens: Sequence[int], *, ended: bool) -> str:
        """Return the rest.

        Args:
            ended: the reply is whole; one that was cut loses half a character at its end
        """
        text = self._decode(tokens)
        return self._show(_before_stop(text if ended else text.rstrip(_HALF), self._stops))

    def _show(self, text: str) -> str:
        # A decoder whose text changes (none should) cannot take back what is shown.
        if not text.startswith(self.shown) or not text.strip():
            return ""
        new = text[len(self.shown) :]
        self.shown = text
        return new


def text_of(
    decode: Callable[[Sequence[int]], str],
    tokens: Sequence[int],
    *,
    ended: bool,
    stops: Sequence[str] = (),
) -> str:
    """Return the whole text of a reply, the same as when it is streamed; empty for blanks."""
    growing = GrowingText(decode, stops)
    growing.finish(tokens, ended=ended)
    return growing.shown


def stops_of(adjusters: Iterable[Adjuster]) -> tuple[str, ...]:
    """Return the strings at which adjusters end replies; their text ends before them."""
    return tuple(stop for adjuster in adjusters for stop in getattr(adjuster, "stops", ()))


def _before_stop(text: str, stops: Sequence[str]) -> str:
    found = [at for at in map(text.find, stops) if at >= 0]
    return text[: min(found)] if found else text


def _begun(text: str, stop: str) -> int:
    """Return how many characters at the end of a text may be the beginning of a stop string."""
    longest = min(len(text), len(stop) - 1)
    return next((n for n in range(longest, 0, -1) if text.endswith(stop[:n])), 0)
