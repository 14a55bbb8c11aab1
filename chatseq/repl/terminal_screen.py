"""How a chat looks on a terminal: labels, colours where wanted, replies as they come."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from chatseq.core.exchange import Reply
from chatseq.repl.wrap import Wrapper, wrapped
from chatseq.text.display_width import Page
from chatseq.text.terminal import safe, safe_line

STOPPED = "[stopped]"
_RESET = "\x1b[0m"
_CLEAR = "\x1b[2J\x1b[H"
_TAKE_BACK = "\r\x1b[K"


@dataclass(frozen=True, slots=True)
class Look:
    """The words and colours of a screen; colour never tells anything by itself."""

    you: str = "you › "
    bot: str = "bot › "
    more: str = "    · "  # in front of further lines of a question
    label: str = "\x1b[1;32m"
    quiet: str = "\x1b[2m"
    alarm: str = "\x1b[31m"
    can_erase: bool = True
    blocks: bool = True  # whether it shows more than ASCII

    def without_colour(self) -> Look:
        """Return the same in the colour of the terminal."""
        return Look(label="", quiet="", alarm="")


PLAIN = Look("you> ", "bot> ", "   > ", "", "", "", can_erase=False, blocks=False)


class TerminalScreen:
    """Shows a chat between the prompts of a terminal."""

    def __init__(
        self,
        write: Callable[[str], object],
        flush: Callable[[], None],
        columns: Callable[[], int],
        look: Look,
    ) -> None:
        """Show on a terminal.

        Args:
            columns: the width of the terminal now
        """
        self._write = write
        self._flush = flush
        self._columns = columns
        self.look = look

    @property
    def page(self) -> Page:
        """What fits on a line now; the last column stays empty, as everywhere."""
        return Page(self._columns() - 1, blocks=self.look.blocks)

    def say(self, text: str) -> None:
        """Show it broken between words."""
        self._lines(safe(text))

    def note(self, text: str) -> None:
        """Show it so that it does not stand out."""
        self._lines(safe(text), self.look.quiet)

    def error(self, text: str) -> None:
        """Show it on one line, the word Error in front."""
        self._lines(f"Error: {safe_line(text)}", self.look.alarm)

    def question(self, text: str) -> None:
        """Show it as if it had just been typed."""
        indent = len(self.look.you)
        wrapper = Wrapper(indent=indent, can_erase=self.look.can_erase)
        self._label(self.look.you)
        self._write(wrapper.feed(safe(text), self._columns()) + "\n")
        self._flush()

    def answer(self, text: str) -> None:
        """Show it as if it had just come."""
        self.play([text])

    def play(self, parts: Iterable[str | Reply]) -> None:
        """Show each piece the moment it comes."""
        playing = _Playing(self)
        try:
            for part in parts:
                playing.take(part)
        finally:
            playing.end()

    def clear(self) -> None:
        """Empty the screen, where the terminal can."""
        if self.look.can_erase:
            self._write(_CLEAR)
            self._flush()

    def begin_reply(self) -> Wrapper:
        """Show whose words follow, and return what breaks them."""
        self._label(self.look.bot)
        self._flush()
        return Wrapper(indent=len(self.look.bot), can_erase=self.look.can_erase)

    def write_piece(self, text: str, wrapper: Wrapper) -> None:
        """Show a piece of a reply at once."""
        self._write(wrapper.feed(safe(text), self._columns()))
        self._flush()

    def end_reply(self, shown: bool) -> None:
        """End the line of a reply; take the label back where nothing was shown."""
        self._write("\n" if shown or not self.look.can_erase else _TAKE_BACK)
        self._flush()

    def _label(self, text: str) -> None:
        self._write(self._coloured(text, self.look.label))

    def _lines(self, text: str, colour: str = "") -> None:
        self._write(self._coloured(wrapped(text, self._columns()), colour) + "\n")
        self._flush()

    def _coloured(self, text: str, colour: str) -> str:
        return f"{colour}{text}{_RESET}" if colour else text


class _Playing:
    """One reply while it is shown."""

    def __init__(self, screen: TerminalScreen) -> None:
        self._screen = screen
        self._wrapper = screen.begin_reply()
        self._shown = ""
        self._ended = False  # a reply may be empty

    def take(self, part: str | Reply) -> None:
        if isinstance(part, str):
            self._show(part)
            return
        self._ended = True
        if part.text.startswith(self._shown):
            self._show(part.text[len(self._shown) :])
        elif part.text.strip() != self._shown.strip():
            self._show("\n" + part.text)  # the responder thought better of it
        if part.interrupted:
            self._show(f" {STOPPED}" if self._shown else STOPPED)

    def end(self) -> None:
        self._screen.end_reply(self._ended or bool(self._shown))

    def _show(self, text: str) -> None:
        self._shown += text
        self._screen.write_piece(text, self._wrapper)
