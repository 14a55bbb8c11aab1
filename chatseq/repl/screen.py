"""What a chat can show, and how it does so where there is no terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TextIO

from chatseq.core.exchange import Reply
from chatseq.text.display_width import Page, takes_unicode
from chatseq.text.terminal import safe, safe_line


class Screen(Protocol):
    """Shows a chat. Every text may come from anywhere and is made safe here."""

    @property
    def page(self) -> Page:
        """What fits on a line now."""

    def say(self, text: str) -> None:
        """Show what a command was asked for."""

    def note(self, text: str) -> None:
        """Show a remark in passing."""

    def error(self, text: str) -> None:
        """Show what went wrong, on one line."""

    def question(self, text: str) -> None:
        """Show an earlier question."""

    def answer(self, text: str) -> None:
        """Show an earlier reply."""

    def play(self, parts: Iterable[str | Reply]) -> None:
        """Show a reply as it comes."""

    def clear(self) -> None:
        """Empty the screen."""


class PipeScreen:
    """A line for every reply on `out`, everything else on `err`."""

    def __init__(self, out: TextIO, err: TextIO) -> None:
        self._out = out
        self._err = err

    @property
    def page(self) -> Page:
        """Lines of the usual length, since who reads them is not known."""
        return Page(blocks=takes_unicode(getattr(self._err, "encoding", None)))

    def say(self, text: str) -> None:
        """Tell it beside the replies."""
        self._err.write(safe(text) + "\n")

    def note(self, text: str) -> None:
        """Tell it beside the replies."""
        self.say(text)

    def error(self, text: str) -> None:
        """Tell it beside the replies."""
        self.say(f"Error: {safe_line(text)}")

    def question(self, text: str) -> None:
        """Show nothing: each line answers a line, and this one was answered before."""

    def answer(self, text: str) -> None:
        """Show nothing, as for the question."""

    def play(self, parts: Iterable[str | Reply]) -> None:
        """Write the reply when it is whole, on one line whatever it holds."""
        text = ""
        try:
            for part in parts:
                text = part.text if isinstance(part, Reply) else text
        finally:
            self._out.write(safe_line(text) + "\n")
            self._out.flush()

    def clear(self) -> None:
        """Do nothing: what was written to a pipe is gone."""
