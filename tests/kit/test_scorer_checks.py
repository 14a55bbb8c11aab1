"""Each check of scorers finds the scorer that breaks just this, and no other check does."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from kit.small_parts import FittedSharedWords, SharedWords
from mutants import assert_found, assert_proved, found_by, mutant

from chatseq.bots.bot import Bot
from chatseq.bots.contracts import DECLINE, NO_CANDIDATE, AnswerScores, FitData, Ints, Query

Words = Sequence[Sequence[str] | None]


class WritesForOthers(SharedWords):
    file = "nearest-words.json"


class WritesTheTime(SharedWords):
    clock = count()

    def write(self, file: Path, words: Mapping[str, Sequence[str]]) -> None:
        super().write(file, {**words, "time": [str(next(self.clock))]})


class NeedsItsFile(SharedWords):
    def open(self, bot: Bot) -> FittedSharedWords | None:
        assert bot.folder is not None
        return super().open(bot)


class NamesOtherFeatures(SharedWords):
    class Fitted(FittedSharedWords):
        features = ("letters", "words")

        def score(self, queries: Sequence[Query], candidates: Ints) -> AnswerScores:
            told = super().score(queries, candidates)
            return AnswerScores(
                told.scores, {**told.features, "letters": told.scores, "more": told.scores}
            )

    def fitted(self, words: Words) -> FittedSharedWords:
        return self.Fitted(words)


class WeighsNothing(SharedWords):
    class Fitted(FittedSharedWords):
        prior_weight = 0.0

    def fitted(self, words: Words) -> FittedSharedWords:
        return self.Fitted(words)


class ComparesQuestions(SharedWords):
    class Fitted(FittedSharedWords):
        def score(self, queries: Sequence[Query], candidates: Ints) -> AnswerScores:
            told = super().score(queries, candidates)
            scores = told.scores / max(1, len(queries))
            return AnswerScores(scores, {"words": scores})

    def fitted(self, words: Words) -> FittedSharedWords:
        return self.Fitted(words)


class FillsInPlace(SharedWords):
    """Write over what it is given."""

    class Fitted(FittedSharedWords):
        def score(self, queries: Sequence[Query], candidates: Ints) -> AnswerScores:
            told = super().score(queries, candidates)
            candidates[candidates >= 0] = 0
            return told

    def fitted(self, words: Words) -> FittedSharedWords:
        return self.Fitted(words)


class CountsThePlaces(SharedWords):
    class Fitted(FittedSharedWords):
        def score(self, queries: Sequence[Query], candidates: Ints) -> AnswerScores:
            told = super().score(queries, candidates)
            filled = (candidates == NO_CANDIDATE).sum(axis=1, keepdims=True)
            scores = told.scores + filled
            return AnswerScores(scores, {"words": scores})

    def fitted(self, words: Words) -> FittedSharedWords:
        return self.Fitted(words)


class RulesOutDeclining(SharedWords):
    class Fitted(FittedSharedWords):
        def count(self, query: Query, number: int) -> float:
            return -math.inf if number == DECLINE else super().count(query, number)

    def fitted(self, words: Words) -> FittedSharedWords:
        return self.Fitted(words)


class ProposesAll(SharedWords):
    class Fitted(FittedSharedWords):
        def propose(self, queries: Sequence[Query], most: int) -> Sequence[Sequence[int]]:
            return super().propose(queries, most + 1)

    def fitted(self, words: Words) -> FittedSharedWords:
        return self.Fitted(words)


class DividesByWords(SharedWords):
    class Fitted(FittedSharedWords):
        def count(self, query: Query, number: int) -> float:
            return super().count(query, number) * len(query.text) / len(query.text.encode("utf-8"))

    def fitted(self, words: Words) -> FittedSharedWords:
        return self.Fitted(words)


class KeepsItToItself(SharedWords):
    """Remember a part of what was learnt in the object that learnt it."""

    learnt = 0

    def fit(self, data: FitData, folder: Path) -> None:
        super().fit(data, folder)
        self.learnt = len(data.train)

    def fitted(self, words: Words) -> FittedSharedWords:
        found = FittedSharedWords(words)
        learnt = self.learnt
        plain = found.count
        found.count = lambda query, number: plain(query, number) + learnt  # type: ignore[method-assign]
        return found


class HashesWords(SharedWords):
    class Fitted(FittedSharedWords):
        def count(self, query: Query, number: int) -> float:
            return float(sum(hash(word) % 97 for word in query.text.split()) + number)

    def fitted(self, words: Words) -> FittedSharedWords:
        return self.Fitted(words)


class TrustsItsFile(SharedWords):
    def open(self, bot: Bot) -> FittedSharedWords | None:
        if bot.folder is None or bot.answers is None or not (bot.folder / self.file).is_file():
            return None
        words = json.loads((bot.folder / self.file).read_text(encoding="utf-8"))
        return self.fitted([*map(words.get, bot.answers.texts), words.get("")])


class WantsFewQuestions(SharedWords):
    class Fitted(FittedSharedWords):
        def score(self, queries: Sequence[Query], candidates: Ints) -> AnswerScores:
            if len(queries) > 6:
                raise MemoryError("too many questions")
            return super().score(queries, candidates)

    def fitted(self, words: Words) -> FittedSharedWords:
        return self.Fitted(words)


MUTANTS = {
    "what it learns lies under its name": mutant(
        WritesForOthers, "it writes 'nearest-words.json'. Begin it with its own name: 'checked-…'"
    ),
    "the same rows teach the same": mutant(
        WritesTheTime, "checked-words.json is another one the second time"
    ),
    "nothing learnt is no fault": mutant(NeedsItsFile, "a bot without a folder: AssertionError"),
    "every candidate has numbers": mutant(
        NamesOtherFeatures,
        "features ['words', 'letters', 'more'], named ['letters', 'words']",
    ),
    "its weight before any is fitted is a number": mutant(
        WeighsNothing, "prior_weight is 0.0", "the responder qa joins it"
    ),
    "many are scored as one": mutant(ComparesQuestions, "'hello' alone is scored otherwise"),
    "scoring changes nothing": mutant(
        FillsInPlace,
        "it changes the candidates that it is given",
        "many are scored as one",
        "each question may have candidates of its own",
    ),
    "each question may have candidates of its own": mutant(
        CountsThePlaces, "beside places that hold none, are scored otherwise"
    ),
    "declining can be scored": mutant(
        RulesOutDeclining,
        "with DECLINE, 'scores' has what is no finite number",
    ),
    "proposals are answers": mutant(ProposesAll, "asked for 1 answers to 'hello' it proposes [0,"),
    "any text is scored": mutant(DividesByWords, "ZeroDivisionError", "the responder qa joins it"),
    "what it wrote is all it needs": mutant(KeepsItToItself, "another object says something else"),
    "another process says the same": mutant(HashesWords, "another process says something else"),
    "damaged files are told": mutant(
        TrustsItsFile, "checked-words.json b'0' it raises AttributeError"
    ),
    "the responder qa joins it": mutant(WantsFewQuestions, "MemoryError: too many questions"),
}


def test_every_check_has_its_mutant() -> None:
    assert_proved("scorer", MUTANTS)


def test_an_honest_scorer_breaks_nothing() -> None:
    assert found_by("scorer", SharedWords, name="checked") == {}


@pytest.mark.slow("every check on every mutant; they change only with the kit")
@pytest.mark.parametrize("check", MUTANTS)
def test_a_check_finds_its_mutant_and_is_alone(check: str) -> None:
    assert_found("scorer", check, MUTANTS[check], name="checked")


# Further ways to be wrong, of which several checks may tell.


class WritesBesides(SharedWords):
    """Leave a log where the program runs."""

    def fit(self, data: FitData, folder: Path) -> None:
        super().fit(data, folder)
        Path("log.txt").write_text("fitted", encoding="utf-8")


class ChangesTheCorpus(SharedWords):
    """Write over a file of the responder."""

    def fit(self, data: FitData, folder: Path) -> None:
        super().fit(data, folder)
        np.save(folder / "answer-numbers.npy", data.answer_numbers + 1)


class MakesAFolder(SharedWords):
    """Write into a folder of its own."""

    def write(self, file: Path, words: Mapping[str, Sequence[str]]) -> None:
        super().write(file, words)
        (file.parent / "checked-more").mkdir()
        super().write(file.parent / "checked-more" / "words.json", words)


class SaysNothing(SharedWords):
    """Learn, and open as nothing."""

    def open(self, bot: Bot) -> FittedSharedWords | None:
        return None


@pytest.mark.slow("every check on every mutant; they change only with the kit")
@pytest.mark.parametrize(
    ("wrong", "check", "told"),
    [
        (WritesBesides, "what it learns lies under its name", "['log.txt'] where the program"),
        (ChangesTheCorpus, "what it learns lies under its name", "changes answer-numbers.npy"),
        (MakesAFolder, "what it learns lies under its name", "that no file of a bot has"),
        (SaysNothing, "every candidate has numbers", "it has nothing to say"),
    ],
)
def test_another_fault_is_found(wrong: type, check: str, told: str) -> None:
    assert told in found_by("scorer", wrong, name="checked")[check]
