"""Which tokens would complete a banned word, however the word is cut into tokens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chatseq_strategies.words import touches

_LONGEST_CHARACTER = 4  # bytes


class Bans:
    """Looks up, for the bytes of a text, the tokens that must not follow.

    A token is banned when the word stands complete in the text that it would make, at its end or
    followed by what touches no word. So no token can complete the word, whether whole, in pieces or
    in bytes; and a longer word that begins with it may be lost, where it is written in two tokens
    of which the first is the word.

    Args:
        pieces: what each token adds, see chatseq.decoding.token_bytes
    """

    def __init__(self, words: Iterable[str], pieces: Sequence[bytes]) -> None:
        self._pieces = [(at, piece) for at, piece in enumerate(pieces) if piece]
        forms = {form: _Form(form) for word in words for form in forms_of(word)}
        self._begun: dict[bytes, list[_Form]] = {}
        for form in forms.values():
            for length in range(len(form.data)):
                self._begun.setdefault(form.data[:length], []).append(form)
        self._longest = max(map(len, self._begun), default=0)
        self._found: dict[tuple[bytes, bool], tuple[int, ...]] = {}
        self.always = tuple(  # hold a whole word, wherever they stand
            at
            for at, piece in self._pieces
            if any(form.stands_inside(piece) for form in forms.values())
        )

    def after(self, text: bytes) -> list[int]:
        """Return the tokens that would complete a word after this text, beside `always`."""
        found: list[int] = []
        for length in range(min(len(text), self._longest) + 1):
            at = len(text) - length
            begun = text[at:]
            if begun in self._begun:
                found += self._completing(begun, _is_border(text[max(0, at - 4) : at]))
        return found

    def _completing(self, begun: bytes, border: bool) -> tuple[int, ...]:
        known = self._found.get((begun, border))
        if known is None:
            forms = [form for form in self._begun[begun] if border or not form.touches_before]
            known = self._found[begun, border] = tuple(
                at
                for at, piece in self._pieces
                if any(form.completed_by(piece, len(begun)) for form in forms)
            )
        return known


class _Form:
    """A word in one of its ways to be written."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        word = data.decode()
        self.touches_before, self.touches_after = touches(word[0]), touches(word[-1])

    def completed_by(self, piece: bytes, begun: int) -> bool:
        """Tell whether a piece completes the form, of which some bytes stand already."""
        rest = self.data[begun:]
        return piece.startswith(rest) and self._ends(piece[len(rest) :])

    def stands_inside(self, piece: bytes) -> bool:
        """Tell whether a piece holds the form behind its own first byte."""
        at = piece.find(self.data, 1)
        while at > 0:
            before = not self.touches_before or _is_border(piece[:at])
            if before and self._ends(piece[at + len(self.data) :]):
                return True
            at = piece.find(self.data, at + 1)
        return False

    def _ends(self, after: bytes) -> bool:
        if not self.touches_after or not after:
            return True
        return not touches(after[:_LONGEST_CHARACTER].decode(errors="replace")[0])


def forms_of(word: str) -> set[bytes]:
    """Return a word as it is, in small letters, in capitals, and with a capital in front."""
    capital = word[0].upper() + word[1:]
    return {form.encode() for form in (word, word.lower(), word.upper(), capital)}


def _is_border(before: bytes) -> bool:
    """Tell whether a word may begin behind these bytes."""
    return not before or not touches(before[-_LONGEST_CHARACTER:].decode(errors="replace")[-1])
