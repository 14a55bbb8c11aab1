"""Break a text between words while it is still growing."""

from __future__ import annotations

import re

from prompt_toolkit.utils import get_cwidth

_ERASE_TO_END = "\x1b[K"


def wrapped(text: str, columns: int) -> str:
    """Return safe text broken between words for a terminal of this width."""
    wrapper = Wrapper(can_erase=False)
    return "".join(wrapper.whole(word, columns) for word in re.split("([ \n])", text))


class Wrapper:
    """Turns pieces of text into what a terminal must be sent, so that no word is split.

    A word that grows over the edge is taken back and written again on the next line; wide
    characters, as in Chinese, may stand on either side of a break. The last column stays empty,
    since terminals do not agree on where the cursor is after it was written.
    """

    def __init__(self, *, indent: int = 0, can_erase: bool = True) -> None:
        """Begin after a label of the indent's width.

        Args:
            indent: columns in front of every further line
            can_erase: whether the terminal can move back; else words are split at the edge
        """
        self._indent = indent
        self._column = indent
        self._word = ""
        self._can_erase = can_erase

    def feed(self, text: str, columns: int) -> str:
        """Return what shows a further piece of safe text on a terminal of this width."""
        width = max(columns - 1, self._indent + 2)
        return "".join(self._character(each, width) for each in text.replace("\t", "    "))

    def whole(self, word: str, columns: int) -> str:
        """Return what shows a word that is known to its end, on the next line if need be."""
        cells = get_cwidth(word)
        fits = self._column + cells <= columns - 1
        started = "" if fits or self._column == self._indent else self._break()
        return started + self.feed(word, columns)

    def _character(self, character: str, width: int) -> str:
        if character == "\n":
            return self._break()
        cells = max(get_cwidth(character), 0)
        if character == " ":
            return self._space(width)
        written = ""
        if self._column + cells > width:
            written = self._carry() if cells < 2 else self._break()
        self._column += cells
        self._word = "" if cells > 1 else self._word + character
        return written + character

    def _space(self, width: int) -> str:
        self._word = ""
        if self._column >= width:
            return ""  # the break that follows stands for it
        self._column += 1
        return " "

    def _carry(self) -> str:
        """Break in front of the word that has reached the edge."""
        word, cells = self._word, get_cwidth(self._word)
        if not word or not self._can_erase or self._column - cells <= self._indent:
            return self._break()
        back = "\b" * cells + _ERASE_TO_END
        started = self._break()
        self._column += cells
        self._word = word
        return back + started + word

    def _break(self) -> str:
        self._column = self._indent
        self._word = ""
        return "\n" + " " * self._indent
