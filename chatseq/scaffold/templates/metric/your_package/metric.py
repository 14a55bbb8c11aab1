"""The metric `your-part`."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Self

from chatseq.evaluation.contracts import JudgedReply


class YourPart:
    """Mean F-score of the words of a reply with the closest answer (Rajpurkar et al. 2016).

    Questions without an answer do not count; a declined reply scores 0.
    """

    def __init__(self) -> None:
        self.scores: list[float] = []

    def add(self, judged: Sequence[JudgedReply]) -> None:
        """Take in some more replies."""
        for one in judged:
            if one.answerable:
                self.scores.append(max(f_score(one.said, answer) for answer in one.references))

    def merge(self, other: Self) -> None:
        """Take in what another worker added."""
        self.scores += other.scores

    def figures(self) -> Mapping[str, float | None]:
        """Return `your_package`, 0..1; None where nothing counts."""
        # fsum gives the same figure in whatever order replies came.
        mean = math.fsum(self.scores) / len(self.scores) if self.scores else None
        return {"your_package": mean}


def f_score(reply: str, answer: str) -> float:
    """Return the harmonic mean of the shares of their words that both have, 0..1."""
    said, wanted = (Counter(re.findall(r"\w+", text.lower())) for text in (reply, answer))
    common = (said & wanted).total()
    return 2 * common / (said.total() + wanted.total()) if common else 0.0
