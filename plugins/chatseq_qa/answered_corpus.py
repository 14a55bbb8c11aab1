"""The corpus of a bot with its index and the number of each row's answer, opened once a bot."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np

from chatseq.bots.bot import Bot
from chatseq.bots.bundle.arrays import load_array
from chatseq.bots.contracts import Ints
from chatseq.core.exchange import Exchange, Neighbour
from chatseq_qa.neighbours import Neighbourhood, neighbours_of
from chatseq_qa.postings import Match

PAIR_ANSWERS = "answer-numbers.npy"  # for each row the number of its answer
PAIR_ANSWERS_1 = "qa-answers.npy"  # its name in bundles of format 1
_MATCHES = 32
_REMEMBERED = 512  # questions whose nearest rows are kept: they are asked for by several


class AnsweredCorpus:
    """Rows near a question, by their number, and the answers of rows."""

    def __init__(self, folder: Path, neighbourhood: Neighbourhood) -> None:
        """Open the numbers of the answers beside the corpus and its index.

        Raises:
            OSError, ValueError: they cannot be read.
        """
        self.neighbourhood = neighbourhood
        file = folder / PAIR_ANSWERS
        numbers = load_array(file if file.is_file() else folder / PAIR_ANSWERS_1)
        if numbers.shape != (len(neighbourhood),):
            raise ValueError(f"{PAIR_ANSWERS} does not belong to the index")
        self._numbers = numbers
        self._rows = lru_cache(maxsize=1 << 14)(neighbourhood.pairs.__getitem__)
        self.matches = lru_cache(maxsize=_REMEMBERED)(self._matches)
        self.coverage = lru_cache(maxsize=_REMEMBERED)(neighbourhood.coverage)
        self._near = lru_cache(maxsize=_REMEMBERED)(self._found_answers)  # of the matches
        self._example = lru_cache(maxsize=1 << 12)(self._found_example)

    @classmethod
    def of(cls, bot: Bot) -> AnsweredCorpus | None:
        """Return the corpus of a bot; None where no answers were numbered.

        Raises:
            BundleError, OSError, ValueError: it cannot be read.
        """
        folder = bot.folder
        if folder is None or not any(
            (folder / name).is_file() for name in (PAIR_ANSWERS, PAIR_ANSWERS_1)
        ):
            return None
        return bot.opened(cls, lambda: cls(folder, Neighbourhood.of(bot, responder="qa")))

    def row(self, number: int) -> Exchange:
        """Return a row of the corpus; near ones are asked for again and again."""
        return self._rows(number)

    def nearest(self, question: str, most: int) -> list[Neighbour]:
        """Return the rows whose questions are most like one, best first."""
        return neighbours_of(self.matches(question), self._rows, most)

    def answers_near(self, question: str, most: int) -> Mapping[int, float]:
        """Return the answers of the nearest rows with the highest similarity of each, best first.

        Rows to be declined are among them as DECLINE.
        """
        near: dict[int, float] = {}
        for match, number in zip(self.matches(question)[:most], self._near(question), strict=False):
            near.setdefault(number, match.similarity)
        return near

    def question_for(self, question: str, answer: int) -> str:
        """Return the question with an answer that is most like one; empty where there is none."""
        near = self._near(question)
        if answer not in near:
            return self._example(answer)
        return self.row(self.matches(question)[near.index(answer)].number).question

    def _matches(self, question: str) -> tuple[Match, ...]:
        return tuple(self.neighbourhood.search(question, _MATCHES))

    def _found_answers(self, question: str) -> list[int]:
        numbers: list[int] = self._numbers[[m.number for m in self.matches(question)]].tolist()
        return numbers

    def _found_example(self, answer: int) -> str:
        rows = np.flatnonzero(self._numbers == answer)
        return self.row(int(rows[0])).question if len(rows) else ""


def write_answer_numbers(folder: Path, numbers: Ints) -> None:
    """Write the number of each row's answer."""
    np.save(folder / PAIR_ANSWERS, numbers.astype(np.int32), allow_pickle=False)
