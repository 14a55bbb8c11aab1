"""The corpus reader `your-part`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chatseq.core.exchange import Exchange
from chatseq.corpus.contracts import BadRows, Line, Source


class YourPart:
    """Reads lines that begin with `Q:`, each followed by a line that begins with `A:`.

    Empty lines, and lines that begin with `#`, say nothing.
    """

    def __init__(self, *, question: str = "Q:", answer: str = "A:") -> None:
        """Set what the file does not tell.

        Args:
            question: what a line with a question begins with
            answer: what a line with its answer begins with
        """
        if not question or not answer or question == answer:
            raise ValueError(f"question ({question!r}) and answer ({answer!r}) must differ.")
        self.question, self.answer = question, answer

    @staticmethod
    def example_file(pairs: Sequence[tuple[str, str]]) -> tuple[str, str]:
        """Return the name and the text of a file with these pairs, for the checks of the kit."""
        return "example.txt", "".join(f"Q: {q}\nA: {a}\n\n" for q, a in pairs)

    def sniff(self, source: Source) -> int:
        """Return how sure it is that the file is for it, 0 to 100."""
        first, second, *_ = [*filter(_says_something, source.head.split("\n")), "", ""]
        return 80 if first.startswith(self.question) and second.startswith(self.answer) else 0

    def read(self, source: Source, bad: BadRows) -> Iterator[Exchange]:
        """Yield the exchanges in order, each with the place of its question."""
        asked: Line | None = None  # the question that waits for its answer
        for line in source.lines(bad):
            if not _says_something(line.text):
                continue
            if asked is None or not line.text.startswith(self.answer):
                self._report(asked, "the question has no answer", source, bad)
                asked = line if line.text.startswith(self.question) else None
                if asked is None:
                    self._report(line, "the line is no question", source, bad)
                continue
            if not (asked.damaged or line.damaged):  # which is reported by who reads the lines
                yield Exchange(
                    asked.text.removeprefix(self.question).strip(),
                    line.text.removeprefix(self.answer).strip(),
                    source=source.place(asked.number),
                )
            asked = None
        self._report(asked, "the question has no answer", source, bad)

    def _report(self, line: Line | None, what: str, source: Source, bad: BadRows) -> None:
        if line is not None and not line.damaged:
            advice = f"Write a line {self.question} and one {self.answer} below it."
            bad.report(source.place(line.number), what, advice)


def _says_something(line: str) -> bool:
    return bool(line.strip()) and not line.startswith("#")
