"""The scorer `your-part`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from chatseq.bots.bot import Bot
from chatseq.bots.contracts import AnswerScores, FitData, Ints, Query

FILE = "your-part-rarity.json"  # files of a scorer begin with the name of the scorer
FORMAT = 1


class YourPart:
    """The share of the words of a question that stand in the answer itself, rare ones first."""

    def __init__(self, *, shortest: int = 3) -> None:
        """Set the options.

        Args:
            shortest: words with fewer letters are passed over, 1 or more
        """
        if shortest < 1:
            raise ValueError(f"shortest ({shortest}) must be at least 1. Set it to 3.")
        self.shortest = shortest

    def fit(self, data: FitData, folder: Path) -> None:
        """Learn how rare each word is among questions; those of half of them weigh little."""
        asked = [words(row.question, self.shortest) for row in data.train]
        known = sorted(set().union(*asked))
        counts = {word: sum(word in each for each in asked) for word in known}
        rarity = {word: float(np.log(1 + len(asked) / counts[word])) for word in known}
        told = {"format": FORMAT, "rarity": rarity}
        (folder / FILE).write_text(json.dumps(told), encoding="utf-8")

    def open(self, bot: Bot) -> Fitted | None:
        """Open what was learnt; None where a bot was trained without this scorer."""
        if bot.folder is None or bot.answers is None or not (bot.folder / FILE).is_file():
            return None
        told = json.loads((bot.folder / FILE).read_text(encoding="utf-8"))
        if not isinstance(told, dict) or told.get("format") != FORMAT:
            raise ValueError(f"{FILE} does not hold what was learnt. Train again.")
        return Fitted(told["rarity"], bot.answers.texts, self.shortest)


class Fitted:
    """Compares a question with the texts of answers."""

    features = ("share of the words",)  # what makes an answer surer, told for each candidate
    prior_weight = 2.0  # of the scores, until weights are fitted

    def __init__(self, rarity: Mapping[str, float], texts: Sequence[str], shortest: int) -> None:
        self.rarity, self.shortest = rarity, shortest
        self.unknown = max(rarity.values(), default=1.0)
        self.answers = [words(text, shortest) for text in texts]

    def propose(self, queries: Sequence[Query], most: int) -> Sequence[Sequence[int]]:
        """Name the answers with the most words of each question, where there are too many."""
        every = range(len(self.answers))
        found = []
        for query in queries:
            shares = self.shares(query.text, every)
            best = sorted(every, key=lambda number: -shares[number])[:most]
            found.append([number for number in best if shares[number] > 0])
        return found

    def score(self, queries: Sequence[Query], candidates: Ints) -> AnswerScores:
        """Return shares, 0..1; 0 for saying nothing."""
        scores = np.array(
            [
                self.shares(query.text, row)
                for query, row in zip(queries, candidates.tolist(), strict=True)
            ],
            np.float64,
        ).reshape(candidates.shape)
        return AnswerScores(scores, {"share of the words": scores})

    def shares(self, question: str, answers: Sequence[int]) -> list[float]:
        """Return the share of the words that each answer has, weighed by their rarity."""
        asked = {each: self.weight(each) for each in sorted(words(question, self.shortest))}
        total = sum(asked.values()) or 1.0
        return [
            # Numbers below 0 stand for no answer: DECLINE and NO_CANDIDATE.
            sum(asked[each] for each in sorted(asked.keys() & self.answers[number])) / total
            if number >= 0
            else 0.0
            for number in answers
        ]

    def weight(self, word: str) -> float:
        """Return how rare a word is; one that no question has is among the rarest."""
        return self.rarity.get(word, self.unknown)


def words(text: str, shortest: int) -> set[str]:
    """Return the words of a text that are long enough, in small letters."""
    return {word for word in re.findall(r"\w+", text.lower()) if len(word) >= shortest}
