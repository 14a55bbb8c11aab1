"""The E/M form of Chinese chit-chat corpora: `E` begins a conversation, `M …` is a turn of it."""

from __future__ import annotations

from collections.abc import Iterator

from chatseq.core.exchange import Exchange
from chatseq.corpus.contracts import BadRows, Line, Source
from chatseq.corpus.turns import exchanges_of_turns
from chatseq_readers.blocks import blocks, first_lines


class ConvReader:
    """Reads conversations of lines `M turn`, each begun by a line `E`."""

    def __init__(self, *, remove: str = "") -> None:
        """Set what the file does not tell.

        Args:
            remove: characters to take out of every turn, such as the / between segmented words
        """
        self._removed = {ord(character): None for character in remove}

    def sniff(self, source: Source) -> int:
        lines = first_lines(source.head)[:3]
        fits = len(lines) > 1 and lines[0].strip() == "E" and lines[1].startswith("M")
        return 95 if fits else 60 if source.suffix == ".conv" else 0

    def read(self, source: Source, bad: BadRows) -> Iterator[Exchange]:
        for block in blocks(source, bad, _begins):
            lines = [line for line in block if line.text.strip() and not _begins(line)]
            stray = next((line for line in lines if not _is_turn(line)), None)
            if stray is not None:
                advice = "Begin each turn with 'M ' and each conversation with a line 'E'."
                bad.report(source.place(stray.number), "the line is neither E nor M", advice)
            elif lines:
                turns = [line.text[1:].translate(self._removed).strip() for line in lines]
                yield from exchanges_of_turns(turns, source.place(lines[0].number), bad)


def _begins(line: Line) -> bool:
    return line.text.strip() == "E"


def _is_turn(line: Line) -> bool:
    return line.text == "M" or line.text.startswith(("M ", "M\t"))
