"""The exchanges of a corpus whose questions are most like the one that is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from chatseq.bots.bot import Bot
from chatseq.bots.bundle.pairs import Pairs
from chatseq.core.errors import BundleError
from chatseq.core.exchange import Exchange, Neighbour
from chatseq_qa.index_ngrams import Ids
from chatseq_qa.postings import Match, Weights
from chatseq_qa.question_index import QuestionIndex, kind_weights

_COPIES = 8  # of each neighbour that may be passed over


class Neighbourhood:
    """Searches the corpus that a bot was trained on."""

    @classmethod
    def of(cls, bot: Bot, *, responder: str) -> Neighbourhood:
        """Return the corpus and the index of a bot, opened once for all who need them.

        Raises:
            BundleError: there is no index, or it cannot be read.
        """
        return bot.opened(cls, lambda: cls(bot.folder, bot.name, responder=responder))

    def __init__(self, folder: Path | None, bot: str, *, responder: str) -> None:
        """Open the corpus and its index; there are no neighbours without a folder.

        Args:
            folder: that of the bot, where `write` wrote the index
            bot: its name, for messages
            responder: that of the one that needs the index, for messages

        Raises:
            BundleError: there is no index, or it cannot be read.
        """
        self.pairs: Sequence[Exchange] = ()  # the rows of the corpus
        self._index: QuestionIndex | None = None
        if folder is None:
            return
        try:
            self.pairs, self._index = Pairs(folder), QuestionIndex(folder)
            if len(self.pairs) != len(self._index):
                raise ValueError(f"{len(self._index)} questions for {len(self.pairs)} pairs")
        except FileNotFoundError as fault:
            why = "has no index of its questions: it was trained without"
            raise _unusable(bot, why, responder) from fault
        except (OSError, ValueError) as fault:
            why = f"has an index that cannot be read: {fault}"
            raise _unusable(bot, why, responder) from fault

    @staticmethod
    def write(folder: Path) -> None:
        """Write the index of the corpus that lies in a folder."""
        QuestionIndex.build(folder, (pair.question for pair in Pairs(folder)))

    def nearest(self, question: str, most: int, *, first: int | None = None) -> list[Neighbour]:
        """Return the exchanges with the questions most like one, best first, each of them once.

        Args:
            first: only so many exchanges, from the first on, are looked at
        """
        if self._index is None:
            return []
        matches = self._index.search(question, most * _COPIES, first=first)
        return neighbours_of(matches, self.pairs.__getitem__, most)

    def __len__(self) -> int:
        return len(self.pairs)

    def search(self, question: str, most: int) -> list[Match]:
        """Return the rows whose questions are most like one, best first; copies are among them."""
        return [] if self._index is None else self._index.search(question, most)

    def coverage(self, question: str) -> float:
        """Return how much of a question, by the weight of its n-grams, the corpus holds, 0..1."""
        return 0.0 if self._index is None else self._index.vocabulary_coverage(question)

    def weigh(self, ids: Ids) -> Weights:
        """Return what n-grams weigh in this corpus; see QuestionIndex.weigh."""
        return kind_weights(ids) if self._index is None else self._index.weigh(ids)


def neighbours_of(
    matches: Iterable[Match], row: Callable[[int], Exchange], most: int
) -> list[Neighbour]:
    """Return the exchanges that were matched, in their order; of equal ones the first.

    Rows to be declined are among them, with an empty answer.

    Args:
        row: gives a row of the corpus, as Match.number counts them
        most: neighbours at most; no more of the corpus is read than they need
    """
    found: dict[tuple[str, str], Neighbour] = {}
    for number, similarity in matches:
        if len(found) == most:
            break
        pair = row(number)
        neighbour = Neighbour(pair.question, pair.answer, pair.source, similarity)
        found.setdefault((pair.question, pair.answer), neighbour)
    return list(found.values())


def _unusable(bot: str, why: str, responder: str) -> BundleError:
    again = f"chatseq train FILE --bot {bot} --set responder.name={responder}"
    return BundleError(f"The bot '{bot}' {why}. Train it again: {again}")
