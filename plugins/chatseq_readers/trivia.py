"""The blocks of OpenTriviaQA: `#Q question`, `^ answer`, then the choices `A …`, `B …`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from chatseq.core.exchange import Exchange
from chatseq.corpus.contracts import BadRows, Line, Source
from chatseq_readers.blocks import blocks, first_lines

_CHOICE = re.compile(r"[A-Z] ")


class TriviaReader:
    """Reads quiz questions in blocks of `#Q`, `^` and choices; the choices are left out."""

    def sniff(self, source: Source) -> int:
        lines = first_lines(source.head)[:1]
        return 95 if lines and lines[0].startswith("#Q ") else 0

    def read(self, source: Source, bad: BadRows) -> Iterator[Exchange]:
        for block in blocks(source, bad, lambda line: line.text.startswith("#Q")):
            if not block[0].text.startswith("#Q"):
                continue  # empty lines in front of the first question
            place = source.place(block[0].number)
            question, answer = _parts(block)
            if not answer:
                bad.report(place, "the question has no line with ^", "Give it one: ^ the answer")
                continue
            yield Exchange(question, answer, source=place)


def _parts(block: list[Line]) -> tuple[str, str]:
    """Return question and answer; lines that look like choices count only after the answer."""
    question: list[str] = []
    answer: list[str] = []
    for line in block:
        if line.text.startswith("^") and not answer:
            answer.append(line.text[1:].strip())
        elif not answer:
            question.append(line.text.removeprefix("#Q").strip())
        elif _CHOICE.match(line.text) or not line.text.strip():
            break
        else:
            answer.append(line.text.strip())
    return "\n".join(question), "\n".join(answer).strip()
