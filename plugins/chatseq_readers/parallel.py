"""Two parallel files: line n of one is answered by line n of the other (`train.en+train.fr`)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from chatseq.core.errors import CorpusError
from chatseq.core.exchange import Exchange
from chatseq.corpus.contracts import BadRows, Source


class ParallelReader:
    """Reads two files of equally many lines, named with a plus sign between them."""

    def sniff(self, source: Source) -> int:
        return 100 if source.partner is not None else 0

    def read(self, source: Source, bad: BadRows) -> Iterator[Exchange]:
        partner = source.partner
        if partner is None:
            raise CorpusError(
                f"{source.name} is only one side of a parallel corpus. Name both files with a plus "
                "sign between them: questions.txt+answers.txt"
            )
        for question, answer in zip_longest(source.lines(bad), partner.lines(bad)):
            if question is None or answer is None:
                _report_unequal(source, partner, question is None, bad)
                return
            place = source.place(question.number)
            empty = (not question.text.strip(), not answer.text.strip())
            if question.damaged or answer.damaged or all(empty):
                continue
            if any(empty):
                side = source if empty[0] else partner
                advice = "Fill both sides, or leave both empty."
                bad.report(side.place(question.number), "only this side is empty", advice)
                continue
            yield Exchange(question.text, answer.text, source=place)


def _report_unequal(source: Source, partner: Source, first_ended: bool, bad: BadRows) -> None:
    short, long = (source, partner) if first_ended else (partner, source)
    bad.report(
        short.name,
        "the other side has more lines",
        "Line n of one file must answer line n of the other; find the line that is missing.",
        detail=long.name,
    )
